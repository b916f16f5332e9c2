#!/usr/bin/env python3
"""gen_rest.py OUT: hostile and awkward inputs that need no key, with what must come of each.

Writes OUT/yaml (one folder a case, a whole small mesh each) and the harness inputs OUT/{paths,hosts,spiffe,git-input}
and OUT/cel. Every folder has a manifest.jsonl (cel: cases.jsonl). The same bytes on every run.

A YAML case is refused for the stated codes and no other: `codes` are all codes of severity error that
`meshc validate` finds, sorted; an empty list means that it is accepted. `warnings` likewise.
"""

import json
import pathlib
import sys

OUT = pathlib.Path(sys.argv[1])


def manifest(folder, rows, name="manifest.jsonl"):
    (OUT / folder).mkdir(parents=True, exist_ok=True)
    with open(OUT / folder / name, "w", encoding="ascii", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=True) + "\n")
    print(folder, len(rows))


# ---------------------------------------------------------------------------------------------------------------- YAML

MESH = """\
kind: Mesh
name: corpus
version: 1
trustDomain: corpus.example
---
kind: Service
name: base
port: 8080
callers: []
"""
YAML = []


def case(name, content, codes, why, warnings=(), literal=(), **more):
    """A case: `content` is one file, or a dict of files, dropped into the minimal mesh."""
    files = content if isinstance(content, dict) else {"case.yaml": content}
    for path, text in {"mesh.yaml": MESH, **files}.items():
        target = OUT / "yaml" / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
    row = {"case": name, "codes": sorted(codes), "warnings": sorted(warnings), "why": why}
    if literal:
        row["literal"] = list(literal)
    YAML.append({**row, **more})


def service(name="case", port="8080", rest=""):
    return f"kind: Service\nname: {name}\nport: {port}\ncallers: []\n{rest}"


def labels(text):
    return service(rest="labels:\n" + "".join(f"  {line}\n" for line in text.splitlines()))


def route(rules):
    return "kind: Route\nservice: base\nrules:\n" + "".join(f"  - {rule}\n" for rule in rules)


def yaml_cases():
    letters = "abcdefgh"
    bomb = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip(letters, letters[1:] + "i")
    )
    case("bomb_lol", labels(bomb), ["MC1012"], "billion laughs, 9^9: what an alias stands for counts each time")
    merge = "x0: &x0 { a: b }\n" + "".join(
        f"x{i}: &x{i} {{ <<: [*x{i - 1}, *x{i - 1}], k{i}: b }}\n" for i in range(1, 28)
    )
    case("bomb_merge", labels(merge), ["MC1005", "MC1012"], "merge keys are refused, and what they name still counts")
    case("alias_cycle", service(rest="versions: &a [*a]\n"), ["MC1009"], "a list that is an item of itself")
    case("alias_self_map", service(rest="labels: &a { b: *a }\n"), ["MC1009"], "a map that is a value of itself")
    case("deep_flow", "kind: " + "[" * 100000 + "]" * 100000 + "\n", ["MC1013"], "100,000 brackets: no stack overflow")
    case("deep_block", "".join(" " * i + "a:\n" for i in range(1000)), ["MC1013"], "block nesting, quadratic indent")
    case("deep_json", '{"a":' * 100000 + "1" + "}" * 100000, ["MC1013"], "deep JSON, which is YAML")
    case("deep_unclosed", "[" * 500000, ["MC1013"], "brackets that are never closed")

    case("dup_key", labels("a: one\na: two"), ["MC1004"], "one key twice in a map of the author's own keys")
    case("dup_key_norm", labels('"a": one\na: two'), ["MC1004"], "one key in two spellings")
    case(
        "dup_key_unicode",
        "kind: Environment\nname: dev\ndiscovery:\n  static:\n"
        '    "caf\\u00e9": ["127.0.0.1:80"]\n    "cafe\\u0301": ["127.0.0.1:80"]\n',
        ["MC1115"],
        "two names that look the same: names are ASCII",
    )
    case(
        "dup_key_json",
        '{"kind": "Service", "name": "twice", "port": 8080, "port": 8081, "callers": []}\n',
        ["MC1004"],
        "one key twice, in JSON",
    )
    case("multi_doc", service("one") + "---\n" + service("two"), [], "all documents of a file count")
    case("multi_doc_second", service("one") + "---\n" + service("two", "99999"), ["MC1108"], "the second counts too")
    case("broken_first", "a: [\n---\n" + service("two", "99999"), ["MC1001", "MC1108"], "reading resumes at `---`")

    case("int_huge", service(port="99999999999999999999999999"), ["MC1108"], "larger than 64 bits")
    case("int_neg", service(port="-1"), ["MC1108"], "negative")
    case("int_u64", service(port="18446744073709551615"), ["MC1108"], "the largest of 64 bits: no wrap to 16")
    case("int_65536", service(port="65536"), ["MC1108"], "0 when cast to 16 bits")
    octal = [service("a", "0o777"), service("b", "0777"), service("c", "1_000"), service("d", "0x1F")]
    case("int_octal", "---\n".join(octal), ["MC1105"], "0o777 and 0x1F are numbers, 1_000 is text, 0777 is a guess")
    case(
        "int_sexagesimal",
        "kind: Resilience\nservice: base\noutlierDetection: { consecutiveErrors: 5, ejectFor: 1:30 }\n",
        ["MC1107"],
        "1:30 is text, and no duration; YAML 1.1 reads 90",
    )
    case("float_nan", labels("w: .nan\nx: .inf\ny: 1e999"), ["MC1016"], "not finite")
    case("float_port", service(port="80.0"), ["MC1105"], "no whole number")
    case("norway", labels("country: no\nflag: y\nver: 1.10"), ["MC1105"], "`no` and `y` are text, 1.10 is a number")
    case("norway_text", labels('country: no\nflag: y\nver: "1.10"'), [], "the same in quotes")
    case("null_blank", 'kind: Quota\nservice: base\nlimits:\nname: ""\n', ["MC1111", "MC1115"], "blank fields")
    case("null_word", service(port="null"), ["MC1111"], "a null written out")

    case("empty", "", ["MC1010"], "an empty file")
    case("only_comment", "# x\n", [], "comments alone are a warning", warnings=["MC1010"])
    case("bom_utf16", service().encode("utf-16"), ["MC1002"], "UTF-16")
    case("bom_utf8", b"\xef\xbb\xbf" + service().encode(), [], "a UTF-8 byte order mark is accepted")
    case("bad_utf8", service().encode() + b'description: "\xff\xfe"\n', ["MC1002"], "invalid UTF-8")
    case("overlong_utf8", service().encode() + b'description: "\xc0\xaf"\n', ["MC1002"], "an overlong slash")
    case("surrogate", service(rest='description: "\\ud800"\n'), ["MC1002"], "half of a surrogate pair")
    case("nul", service().encode() + b'description: "a\x00b"\n', ["MC1002"], "a NUL byte")
    case("bidi", service('"svc\u202eevil"'), ["MC1003"], "a bidirectional override (Trojan Source)")
    case("bidi_comment", "# \u202e x\n" + service(), ["MC1003"], "the same in a comment")
    case("bidi_escape", service('"svc\\u202eevil"'), ["MC1003"], "the same as an escape")
    case("tabs", service(rest="labels:\n\tb: x\n"), ["MC1006"], "a tab as indent")
    case("cr_only", service().replace("\n", "\r"), ["MC1003"], "bare carriage returns as line ends")
    case("crlf", service().replace("\n", "\r\n"), [], "CRLF as line ends")
    case(
        "tag_python",
        service(rest="versions: !!python/object/apply:os.system [id]\n"),
        ["MC1007"],
        "a tag that asks a reader to run code",
    )
    case("tag_binary", service(rest="description: !!binary aGk=\n"), ["MC1007"], "a binary tag")
    case("directive", "%YAML 1.1\n---\n" + service(), ["MC1017"], "a directive that changes what follows")

    case("long_line", service(rest="description: " + "x" * 300000 + "\n"), ["MC1014"], "a text of 300 kB")
    case("large_file", service() + "# " + "x" * (1 << 20) + "\n", ["MC1011"], "more than 1 MiB")
    many = "".join(f"k{i}: x\n" for i in range(60000))
    case("many_keys", labels(many), ["MC1012"], "60,000 keys; a probe for hash flooding too")
    case("long_anchor", service(rest="description: &" + "a" * 100000 + " x\n"), ["MC1014"], "an anchor of 100 kB")
    case("many_aliases", labels("a: &a x\n" + "".join(f"k{i}: *a\n" for i in range(101))), ["MC1015"], "101 aliases")
    case("comment_flood", "#\n" * 200000 + service(), [], "a linear scanner")
    case("quote_flood", service(rest='description: "' + "\\x41" * 60000 + '"\n'), ["MC1014"], "60,000 escapes")
    case("unclosed_quote", service(rest='description: "' + "b\n" * 50000), ["MC1001"], "a quote that is never closed")
    case("colon_flood", ": " * 50000 + "\n", ["MC1008", "MC1013"], "nested maps of empty keys; a probe for a slow scanner")
    case("question_flood", "? " * 20000 + "a\n", ["MC1013"], "nested complex keys")
    case("complex_key", labels("? [a, b]\n: x"), ["MC1008"], "a list as a key")
    case("proto_keys", service(rest="__proto__: { x: y }\nconstructor: x\n"), ["MC1102"], "keys that scripts trip over")

    text = "{{ .Env.SECRET }} ${SECRET} $(id)"
    case(
        "template",
        route([f"{{ name: say, respond: {{ status: 200, body: '{text}' }} }}"]),
        [],
        "never expanded: it travels as it is written",
        literal=[text],
    )
    names = ['"../../etc/passwd"', '"a/b"', '"-rf"', "con"]
    case("name_traversal", "---\n".join(service(n) for n in names), ["MC1115"], "names become file names")
    case("name_long", service("a" * 300), ["MC1115"], "a DNS label has 63 characters")
    case("name_xss", service('"<img src=x onerror=alert(1)>"'), ["MC1115"], "names are shown in pages")
    case("name_term", service('"\\e[2J\\e]0;pwn\\a"'), ["MC1003"], "terminal escapes")
    slow = ["/(a+)+", "/(x+x+)+y", "/.*.*=.*"]
    case(
        "regex_redos",
        route(f"{{ name: r{i}, match: {{ path: {{ regex: '{r}' }} }}, to: base }}" for i, r in enumerate(slow)),
        [],
        "accepted: the engine is linear",
    )
    huge = "{ name: r, match: { path: { regex: '/((a{1,100}){1,100}){1,100}' } }, to: base }"
    case("regex_size", route([huge]), ["MC1206"], "compiles to more than 64 KiB")
    bad = ["(?=a)", "\\1", "("]
    case(
        "regex_bad",
        route(
            f"{{ name: r{i}, match: {{ path: {{ regex: '{r}' }}, methods: [M{i}] }}, to: base }}"
            for i, r in enumerate(bad)
        ),
        ["MC1206"],
        "look-around, back-reference, unclosed",
    )
    split = service("split", rest="versions: [v1, v2]\n") + "---\nkind: Route\nservice: split\nrules:\n"
    shares = "  - { name: all, to: [{ to: split@v1, weight: %s }, { to: split@v2, weight: %s }] }\n"
    case("weights_zero", split + shares % ("0%", "0%"), ["MC1202"], "a sum of 0: no division by it")
    case("weights_90", split + shares % ("50%", "40%"), ["MC1202"], "a sum of 90 %")
    twice = "---\n".join(service(f"svc{i % 200}") for i in range(400))
    case("dup_entries_x2", twice, ["MC1112"], "every row twice")
    over = {
        f"part{part}.yaml": "---\n".join(service(f"s{i}") for i in range(part * 1500, min((part + 1) * 1500, 10000)))
        for part in range(7)
    }
    case("limit_just_over", over, ["MC6003"], "10,001 services with `base`: one over the limit")
    case("two_meshes", MESH.split("---")[0].replace("corpus\n", "other\n"), ["MC6002"], "a second Mesh")
    case("delete_all", {"mesh.yaml": MESH.split("---\n")[0]}, [], "no service is left: a proxy asks for a reviewer")
    case("secret", service(rest='description: "AKIA' + "ABCDEFGH" * 2 + '"\n'), ["MC1601"], "a key in clear")
    manifest("yaml", YAML)


# ---------------------------------------------------------------------------------------------- paths, hosts, identities

# target, canonical form, refused, why. Policies under test: deny /admin/* with allow /*, and allow /public alone.
PATHS = [
    ("/admin", "/admin", 0, "control"),
    ("/admin/", "/admin/", 0, "trailing slash"),
    ("/public/../admin", "/admin", 0, "dot segments (RFC 3986 6.2.2.3)"),
    ("/public/%2e%2e/admin", "/admin", 0, "encoded dots: unreserved, decode first"),
    ("/public/%2E%2e/admin", "/admin", 0, "mixed case hex"),
    ("/public/.%2e/admin", "/admin", 0, "half encoded"),
    ("/./admin", "/admin", 0, "single dot"),
    ("//admin", "/admin", 0, "merge slashes"),
    ("/admin//x", "/admin/x", 0, "merge slashes"),
    ("/%61dmin", "/admin", 0, "encoded unreserved letter"),
    ("/admi%6e", "/admin", 0, "encoded unreserved letter"),
    ("/%2fadmin", None, 1, "encoded slash"),
    ("/public%2f..%2fadmin", None, 1, "encoded slash + dots"),
    ("/admin%2Fx", None, 1, "encoded slash upper"),
    ("/public%5c..%5cadmin", None, 1, "encoded backslash"),
    ("/public\\..\\admin", None, 1, "backslash"),
    ("/%252e%252e/admin", "/%252e%252e/admin", 0, "double encoding: decoded once only, forwarded as is"),
    ("/public/%252e%252e/admin", "/public/%252e%252e/admin", 0, "double encoding"),
    ("/%25252e/admin", "/%25252e/admin", 0, "triple"),
    ("/admin%00", None, 1, "%00"),
    ("/admin%0d%0aX: y", None, 1, "encoded CRLF"),
    ("/admin%20", "/admin%20", 0, "trailing space encoded: not /admin"),
    ("/admin%09", None, 1, "encoded control character"),
    ("/admin;x=1", "/admin;x=1", 0, "path parameter: stays, and is not /admin"),
    ("/public;/../admin", "/admin", 0, "dot segment after parameter"),
    ("/public/..;/admin", None, 1, "'..;' traversal"),
    ("/admin.", "/admin.", 0, "trailing dot is a different path"),
    ("/admin/.", "/admin/", 0, "dot at end"),
    ("/admin/..", "/", 0, "up to the root"),
    ("/../admin", "/admin", 0, "above root clamps"),
    ("/../../../../etc/passwd", "/etc/passwd", 0, "above root clamps, never escapes a prefix rewrite"),
    ("/public/../../admin", "/admin", 0, "above root"),
    ("/ADMIN", "/ADMIN", 0, "case-sensitive"),
    ("/aDmIn/x", "/aDmIn/x", 0, "case"),
    ("/admin?x=/public", "/admin", 0, "query is not part of the path"),
    ("/public?/../admin", "/public", 0, "query is not path"),
    ("/admin#x", None, 1, "fragment in target"),
    ("/public/%c0%ae%c0%ae/admin", None, 1, "overlong UTF-8 for dots"),
    ("/%ef%bc%8fadmin", "/%EF%BC%8Fadmin", 0, "fullwidth slash: no NFKC"),
    ("/%u002fadmin", None, 1, "%u escape is invalid percent encoding"),
    ("/admin%", None, 1, "truncated percent"),
    ("/admin%2", None, 1, "truncated percent"),
    ("/admin%zz", None, 1, "bad hex"),
    ("/\u2025/admin", None, 1, "raw non-ASCII"),
    ("/admin/%2e", "/admin/", 0, "encoded dot segment"),
    ("/a/b/c/%2e%2e/%2e%2e/%2e%2e/admin", "/admin", 0, "many"),
    ("/" + "a/../" * 2000 + "admin", "/admin", 0, "linear-time normaliser; 10 kB target"),
    ("/" + "%2e%2e/" * 3000 + "admin", "/admin", 0, "linear-time normaliser"),
    ("/" + "/" * 8000 + "admin", "/admin", 0, "linear-time merge"),
    ("http://a.test/admin", "/admin", 0, "absolute-form uses its own path and authority"),
    ("http://a.test/public/../admin", "/admin", 0, "absolute-form + dots"),
    ("http://evil.test/admin", None, 1, "absolute-form authority differs from Host"),
    ("*", None, 1, "asterisk with GET"),
    ("admin", None, 1, "no leading slash"),
    ("", None, 1, "empty target"),
    ("/admin\t", None, 1, "TAB in target"),
    ("/public/.../admin", "/public/.../admin", 0, "three dots is an ordinary segment"),
    ("/public/....//admin", "/public/..../admin", 0, "strip-once filters"),
    ("/.%00./admin", None, 1, "NUL between dots"),
    ("/public/..%2fadmin", None, 1, "encoded slash after dots"),
    ("/public/..%5cadmin", None, 1, "encoded backslash after dots"),
    ("/admin~", "/admin~", 0, "tilde unreserved"),
    ("/%7eadmin", "/~admin", 0, "decode ~"),
    ("/a%2Db", "/a-b", 0, "decode -"),
]

HOSTS = [
    ("a.test", "a.test"),
    ("A.TEST", "a.test"),
    ("a.test.", "a.test"),
    ("a.test:80", "a.test"),
    ("a.test:443", "a.test"),
    ("a.test..", None),
    (".a.test", None),
    ("a..test", None),
    ("[::1]", "[::1]"),
    ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
    ("0x7f.1", "0x7f.1"),  # a name, never an address
    ("127.1", "127.1"),
    ("a.test@evil", None),
    ("a.test#evil", None),
    ("a.test\\evil", None),
    ("xn--a-ecp.test", "xn--a-ecp.test"),
    ("a_b.test", "a_b.test"),
    ("*.test", None),
    ("a" * 64 + ".test", None),
    (".".join(["a" * 60] * 5), None),
    ("a.test, b.test", None),
    ("", None),
]

SPIFFE = [
    ("spiffe://prod.test/ns/a/sa/b", "accept"),
    ("spiffe://prod.test", "reject"),
    ("spiffe://prod.test/", "reject"),
    ("spiffe://prod.test/ns/a/sa/b/", "reject"),
    ("spiffe://prod.test//ns", "reject"),
    ("spiffe://prod.test/ns/../admin", "reject"),
    ("spiffe://prod.test/ns/./a", "reject"),
    ("spiffe://prod.test/ns/%61", "reject"),
    ("spiffe://PROD.test/a", "reject"),
    ("SPIFFE://prod.test/a", "reject"),
    ("spiffe://prod.test:443/a", "reject"),
    ("spiffe://u@prod.test/a", "reject"),
    ("spiffe://prod.test/a?x=1", "reject"),
    ("spiffe://prod.test/a#f", "reject"),
    ("spiffe:///a", "reject"),
    ("spiffe:/prod.test/a", "reject"),
    ("https://prod.test/a", "reject"),
    ("spiffe://prod.test.evil.test/a", "other: another trust domain, no prefix match"),
    ("spiffe://evilprod.test/a", "other: another trust domain, no suffix match"),
    ("spiffe://prod.test/ns/a/sa/b2", "other: no prefix match against .../b"),
    ("spiffe://prod.test/ns/a/sa/*", "reject"),
    ("spiffe://prod.test/ns/a\x00/sa/b", "reject"),
    ("spiffe://pr\u043ed.test/a", "reject"),
    ("spiffe://prod.test/" + "a" * 2048, "reject"),
    ("spiffe://" + "a" * 256 + "/a", "reject"),
    (" spiffe://prod.test/a", "reject"),
    ("spiffe://prod.test/a ", "reject"),
    ("spiffe://prod.test\\a", "reject"),
    ("spiffe://prod_1.test/a", "accept"),
    ("spiffe://prod.test/a:b", "reject"),
]


def deny_admin(form, refused):
    """The verdict under `deny /admin/*`: a request that is refused counts as denied."""
    return "deny" if refused or form == "/admin" or form.startswith("/admin/") else "allow"


def request_cases():
    rows = []
    for i, (target, form, refused, why) in enumerate(PATHS):
        answer = "400" if refused else "route"
        row = {"id": f"p{i:03}", "target": target, "canonical": form, "expect": answer}
        rows.append({**row, "deny_admin": deny_admin(form, refused), "why": why})
    manifest("paths", rows)
    rows = [
        {"id": f"h{i:03}", "host": host, "canonical": form, "expect": "400" if form is None else "route"}
        for i, (host, form) in enumerate(HOSTS)
    ]
    manifest("hosts", rows)
    manifest("spiffe", [{"id": f"s{i:03}", "uri": uri, "expect": e} for i, (uri, e) in enumerate(SPIFFE)])


# ----------------------------------------------------------------------------------------------------------------- CEL

TEN = "[1,2,3,4,5,6,7,8,9,10]"


def nested_all(names):
    return "true" if not names else f"{TEN}.all({names[0]},{nested_all(names[1:])})"


def nested_map(names, inner):
    return inner if not names else f"[1,2,3].map({names[0]},{nested_map(names[1:], inner)})"


# The expression of an access entry, and all codes of its findings; none is accepted.
CEL = [
    ("true", [], "control"),
    ('request.path == "/a"', [], "control"),
    ("(" * 3000 + "true" + ")" * 3000, [3002], "depth"),
    ("!" * 5000 + "true", [3002], "depth"),
    ("-" * 5001 + "1", [3002], "depth"),
    (" && ".join(["true"] * 20000), [3002], "size"),
    (nested_all("abcdefg"), [3008], "10^7 iterations: constants are worked out within a bound"),
    (nested_map("abcde", "[a,b,c,d,e]"), [3012], "result size: a list is no condition"),
    (nested_map("abcdefghijkl", "a") + ".size() == 1", [3008], "result size: constants are worked out within a bound"),
    ('request.headers["x"].matches("^(a+)+$")', [3004], "no guard; the pattern itself is linear here"),
    ('request.path.matches(request.headers["x-re"])', [3004], "a pattern that an attacker supplies, not guarded"),
    ('"a".matches("(((a{100}){100}){100})")', [3005], "size of the compiled pattern"),
    ("9223372036854775807 + 1 > 0", [3005], "overflow, at compile time"),
    ("-9223372036854775808 / -1 == 0", [3005], "overflow, at compile time"),
    ("1 / 0 == 1", [3005], "division by zero, at compile time"),
    ("1 % 0 == 1", [3005], "division by zero, at compile time"),
    ("[0][1] == 0", [3005], "an index outside, at compile time"),
    ("[0][-1] == 0", [3005], "an index outside, at compile time"),
    ('{}["a"] == 1', [3005], "a missing key, at compile time"),
    ("request.size + 9223372036854775807 > 0", [3011], "overflow at run time: refused"),
    ("1 / request.size == 1", [3011], "division by zero at run time: refused"),
    ("request.nosuch == 1", [3003], "a field that does not exist"),
    ('request.headers["x"] == "1" || true', [3004], "no guard, even where `||` would absorb the error"),
    ('request.headers["missing"] != "admin"', [3004], "a missing header must not mean allow"),
    (
        'timestamp("9999-12-31T23:59:59Z") + duration("9999999999s") > timestamp("1970-01-01T00:00:00Z")',
        [3005],
        "overflow, at compile time",
    ),
    ('duration("1e99s") > duration("1s")', [3005], "no duration"),
    ('int("9"+"9") == 99', [], "control: worked out at compile time"),
    ("int(1e300) == 0", [3005], "out of range"),
    ("uint(-1) == 0u", [3005], "out of range"),
    ('b"\\xff" == bytes("\\u00ff")', [3005], "never true: bytes are not code points"),
    ('"\\ud800" == ""', [3001], "half of a surrogate pair"),
    ('"' + "a" * 100000 + '" == ""', [3002], "length"),
    ("a" * 70000, [3002], "length"),
    ("x.y" + ".z" * 5000, [3002], "depth"),
    ("true ? " * 2000 + "true" + " : false" * 2000, [3002], "depth"),
    ("[[[[[[[[[[1]]]]]]]]]]" + "[0]" * 10 + " == 1", [], "control: worked out at compile time"),
    ('"a" + 1 == "a1"', [3012], "a string and an int"),
    ("dyn([]) == dyn({})", [3005], "never true"),
    ('size("\\U0001F600") == 1', [], "control: code points"),
    ('request.path.startsWith("/admin") == false', [], "control: the canonical path"),
    ('"x" in request.headers && request.headers["x"].matches("^(a+)+$")', [], "bounded: linear, and guarded"),
    (
        '"x" in request.headers && request.path.matches(request.headers["x"])',
        [3005],
        "a pattern that an attacker supplies, guarded",
    ),
    ('request.headers["x"]["y"] == "a"', [3004, 3012], "a text has no keys"),
    ('"a".b == "c"', [3003], "a constant has no fields"),
    ('request.path == "/a/../b"', [3005], "never true: rules see the normalised path"),
    ('source.principal == "spiffe://prod.test/ns/../admin"', [3005], "never true: no SPIFFE ID"),
    ('source.ip == "010.0.0.1"', [3005], "never true: no address"),
    ('cidr("10.0.0.0/33").containsIP(source.ip)', [3005], "no network"),
    ('ip(request.headers[?"x"].orValue("")) == ip("10.0.0.1")', [3011], "not every text is an address"),
    ('request.headerValues["x"].exists(a, request.headerValues["y"].exists(b, a == b))', [3006], "100 times 100 values"),
    (" || ".join(f'request.queryValues["k{i}"].exists(v, v.matches("x.*y"))' for i in range(40)), [3008], "cost"),
]


def cel_cases():
    rows = [
        {"id": f"c{i:03}", "expr": expr, "codes": [f"MC{code}" for code in codes], "why": why}
        for i, (expr, codes, why) in enumerate(CEL)
    ]
    manifest("cel", rows, "cases.jsonl")


# ----------------------------------------------------------------------------------------- names of branches and revisions

# Branches that an environment may follow (`Environment.follow.branch`).
BRANCHES = [
    ("main", "accept"),
    ("refs/heads/main", "accept"),
    ("-x", "reject"),
    ("--output=/tmp/x", "reject"),
    ("a..b", "reject"),
    ("a b", "reject"),
    ("a~1", "reject"),
    ("HEAD^{/x}", "reject"),
    ("@{-1}", "reject"),
    ("refs/heads/../../x", "reject"),
    ("a.lock", "reject"),
    ("a\x00b", "reject"),
    ("a:b", "reject"),
    ("+main", "reject"),
    ("^main", "reject"),
    ("main@{upstream}", "reject"),
    ("0" * 40, "reject"),
    ("", "reject"),
]


def branch_cases():
    manifest("git-input", [{"id": f"b{i:03}", "ref": ref, "expect": e} for i, (ref, e) in enumerate(BRANCHES)])


yaml_cases()
request_cases()
cel_cases()
branch_cases()
