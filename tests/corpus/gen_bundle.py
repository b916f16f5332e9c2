#!/usr/bin/env python3
"""gen_bundle.py BASE OUT: archives that a reader of bundles must refuse, made from the good bundle in the folder BASE.

BASE is what `meshc build -o BASE --key FILE` writes for one environment: manifest.json, signature.dsse, release.dsse,
state.json, index/, units/, sourcemap/, selftest/. No key is needed here: signatures are kept, moved, doubled or
broken, never made. What needs a key is listed in signed.jsonl beside this file and made by the test harness.

Writes OUT/<case>.mcb and OUT/manifest.jsonl, whose rows say the code and rung of the refusal; `code: null` is accepted.
Needs the `zstd` command. The same bytes on every run, given the same BASE and zstd.
"""

import base64
import json
import pathlib
import subprocess
import sys

BASE, OUT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
ROWS = []

# ------------------------------------------------------------------------------------------------- tar, as bundles have it


def header(name, size, kind=b"0", mode=0o644, link=b"", size_field=None):
    """A ustar header with the fixed metadata of a bundle."""
    assert len(name) <= 100, name
    field = size_field or b"%011o\0" % size
    head = name.ljust(100, b"\0") + b"%07o\0" % mode + b"0000000\0" * 2 + field + b"00000000000\0" + b" " * 8
    head += kind + link.ljust(100, b"\0") + b"ustar\x0000"
    head = head.ljust(512, b"\0")
    return head[:148] + b"%07o\0" % sum(head) + head[156:]


def entry(name, content=b"", **how):
    name = name if isinstance(name, bytes) else name.encode()
    return header(name, len(content), **how) + content + b"\0" * (-len(content) % 512)


END = b"\0" * 1024


def tar(entries):
    return b"".join(entries) + END


def files_of(files):
    """The entries of a whole bundle: sorted by path, bytewise."""
    return [entry(path, files[path]) for path in sorted(files)]


def zstd(data, *how):
    args = ["zstd", "-q", "-c", "-9", *how]
    return subprocess.run(args, input=data, stdout=subprocess.PIPE, check=True).stdout


# ------------------------------------------------------------------------------------------------------------------ cases


def case(name, data, code, why, rung="bound"):
    (OUT / f"{name}.mcb").write_bytes(data)
    rung = None if code is None else rung
    ROWS.append({"case": name, "file": f"{name}.mcb", "code": code, "rung": rung, "why": why})


def packed(name, entries, code, why, rung="bound"):
    case(name, zstd(tar(entries)), code, why, rung)


def changed(name, files, code, why, rung="authentic"):
    packed(name, files_of(files), code, why, rung)


def canonical(value):
    """RFC 8785 for what stands in envelopes: texts, lists, maps, small whole numbers."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def envelope(files, path, change):
    opened = json.loads(files[path])
    change(opened)
    return {**files, path: canonical(opened)}


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def shapes(files):
    """Archives in a shape that no writer of bundles gives them."""
    good = files_of(files)
    whole = tar(good)
    case("ok", zstd(whole), None, "control: the base, packed here")
    packed("traversal", [*good, entry("../../evil", b"x")], "archive-path", "dot-dot")
    packed("absolute", [*good, entry("/tmp/evil", b"x")], "archive-path", "an absolute path")
    link = entry("units", kind=b"2", link=b"/tmp")
    packed("symlink", [link, *good], "archive-entry-type", "a symbolic link, then files written through it")
    hard = entry("units/services/zz.json", kind=b"1", link=b"../../../etc/passwd")
    packed("hardlink", [*good, hard], "archive-entry-type", "a hard link that leads out")
    for name, kind in [("device", b"3"), ("block_device", b"4"), ("folder", b"5"), ("fifo", b"6"), ("sparse", b"S")]:
        odd = entry("units/services/zz.json", kind=kind)
        packed(name, [*good, odd], "archive-entry-type", "no regular file")
    first = min(files)
    modes = [entry(first, files[first], mode=0o6777), *good[1:]]
    packed("setuid", modes, "archive-form", "a mode that no bundle has")
    twice = [*good, entry("manifest.json", b'{"format":9}')]
    packed("dup_entry", twice, "archive-duplicate", "a verifier reads the first, a loader the last")
    packed("case_dup", [entry("Manifest.json", b"{}"), *good], "archive-path", "a twin in another letter case")
    packed("extra_name", [*good, entry("unlisted.json", b"{}")], "archive-path", "a name that no bundle has")
    packed("name_nl", [*good, entry("units/services/a\nb.json")], "archive-path", "a newline in a name")
    packed("name_deep", [*good, entry("d/" * 49 + "f")], "archive-path", "a deep path")
    pax = b"%d path=%s\n" % (len("d/" * 200) + 10, b"d/" * 200)
    packed("name_long", [*good, entry("x", pax, kind=b"x"), entry("x")], "archive-entry-type", "a path past 255 bytes")
    pax = b"22 path=../../evil_pax\n"
    packed("pax_path", [*good, entry("x", pax, kind=b"x"), entry("x")], "archive-entry-type", "an extended header")
    gnu = [*good, entry("././@LongLink", b"../evil\0", kind=b"L"), entry("x")]
    packed("gnu_longname", gnu, "archive-entry-type", "a long name in GNU's way")
    packed("unsorted", good[::-1], "archive-form", "entries in another order")
    many = [entry(f"units/services/s{i}.json") for i in range(3 * 65536 + 301)]
    packed("many_entries", many, "archive-entries", "more entries than a bundle may have")
    huge = entry("units/services/zz.json", size_field=b"\x80\0\0\0\x7f" + b"\xff" * 7)
    packed("huge_size", [*good, huge], "file-too-large", "a size of 2^63 - 1 in base 256: no allocation")
    large = entry("manifest.json", b" " * 4097)
    packed("large_manifest", [large], "file-too-large", "a manifest past 4 KiB")

    compressed = zstd(whole)
    case("truncated_mid", compressed[: len(compressed) // 3], "archive-truncated", "a partial download")
    case("truncated_header", compressed[:10], "archive-truncated", "a partial download")
    largest = max(sorted(files), key=lambda path: len(files[path]))
    cut = whole.index(header(largest.encode(), len(files[largest]))) + 512 + len(files[largest]) // 2
    case("truncated_tar", zstd(whole[:cut]), "archive-truncated", "a cut inside a file, before packing")
    case("no_end", zstd(whole[: -len(END)]), "archive-form", "the end marks are missing")
    case("empty", b"", "archive-truncated", "no bytes: a full disk, an interrupted write")
    case("empty_tar", zstd(b""), "archive-truncated", "a frame of nothing")
    case("zeros", b"\0" * 4096, "archive-format", "what a file system leaves after a power cut")
    case("zeros_packed", zstd(b"\0" * 4096), "archive-truncated", "an archive without files")
    case("trailing", compressed + b"GARBAGE" * 20, "archive-trailing", "bytes after the frame")
    case("trailing_tar", zstd(whole + b"GARBAGE" * 20), "archive-trailing", "bytes after the end of the tar")
    case("two_archives", compressed * 2, "archive-trailing", "two frames: which one counts?")
    case("two_tars", zstd(whole + tar([entry("manifest.json", b"{}")])), "archive-trailing", "two tars in one frame")
    case("plain_tar", whole, "archive-format", "not compressed")
    case("gzip", b"\x1f\x8b\x08" + b"\0" * 64, "archive-format", "another compression")
    zeros = b"\0" * (64 << 20)
    case("bomb_nested", zstd(zstd(zeros)), "archive-format", "compressed twice: never unpacked again")
    case("bomb_window", zstd(zeros, "--long=27"), "archive-window", "a window of 128 MiB")
    # 640 MiB of zeros, more than any bundle inflates to; compressed in parts of one stream.
    bomb = subprocess.run(
        ["sh", "-c", "head -c 671088640 /dev/zero | zstd -q -c -1"], stdout=subprocess.PIPE, check=True
    ).stdout
    case("bomb", bomb, "archive-trailing", "640 MiB of zeros from some kB: nothing is inflated far past the end of the archive")
    case("zstd_window", b"\x28\xb5\x2f\xfd\x00\xf8" + b"\0" * 16, "archive-window", "a window beyond any memory")
    case("zstd_skippable", b"\x50\x2a\x4d\x18\xff\xff\xff\x7f" + b"x" * 32, "archive-format", "a skippable frame")
    case("bitflip_frame", flip(compressed, len(compressed) - 1), "archive-corrupt", "one bit of the frame's checksum")


def contents(files):
    """Whole archives whose files are not what was signed."""
    unit = next(path for path in sorted(files) if path.startswith("units/services/"))
    other = [path for path in sorted(files) if path.startswith("units/services/")][1]
    shard = next(path for path in sorted(files) if path.startswith("index/") and len(path) == len("index/00.json"))
    head = next(path for path in sorted(files) if path.startswith("index/") and len(path) == len("index/0.json"))

    changed("bitflip", {**files, unit: flip(files[unit], 1)}, "wrong-digest", "one bit of a unit")
    changed("bitflip_shard", {**files, shard: flip(files[shard], 1)}, "wrong-digest", "one bit of an index shard")
    changed("swapped", {**files, unit: files[other]}, "wrong-digest", "one unit in the place of another")
    changed("extra_file", {**files, "units/services/zz-evil.json": b"{}"}, "unlisted-file", "a unit that is not listed")
    for name, path in [("unit", unit), ("shard", shard), ("head", head)]:
        rest = {p: b for p, b in files.items() if p != path}
        changed(f"missing_{name}", rest, "missing-file", "a listed file is absent")
    for path in ["manifest.json", "signature.dsse", "release.dsse", "state.json"]:
        rest = {p: b for p, b in files.items() if p != path}
        name = "missing_" + path.split(".")[0]
        changed(name, rest, "missing-file", "not a whole bundle", rung="bound")

    manifest = json.loads(files["manifest.json"])
    for name, field, value, why in [
        ("manifest_mesh", "mesh", "elsewhere", "another mesh's name, under the old signature"),
        ("manifest_format", "format", 999, "a newer format, under the old signature"),
        ("manifest_field", "extra", 1, "one field more, under the old signature"),
    ]:
        new = {**files, "manifest.json": canonical({**manifest, field: value})}
        changed(name, new, "manifest-not-signed", why)
    spaced = json.dumps(manifest, indent=1).encode()
    changed("manifest_spelling", {**files, "manifest.json": spaced}, "manifest-not-signed", "the same in another spelling")
    state = canonical({"canaries": {"canary/x": {"stage": 1, "weight": 10000, "content": "sha256:" + "0" * 64}}})
    changed("state_changed", {**files, "state.json": state}, "state-not-released", "another canary weight")

    def payload(change):
        def apply(opened):
            inner = json.loads(base64.b64decode(opened["payload"]))
            inner.update(change)
            opened["payload"] = base64.b64encode(canonical(inner)).decode()

        return apply

    bad = "bad-signature"
    for name, change, why in [
        ("release_generation", {"generation": 1 << 33}, "a higher generation under the old signature"),
        ("release_mesh", {"mesh": "elsewhere"}, "another mesh under the old signature"),
        ("release_expires", {"expires": 4102444800}, "another end under the old signature"),
    ]:
        changed(name, envelope(files, "release.dsse", payload(change)), bad, why)
    for path in ["signature.dsse", "release.dsse"]:
        name = path.split(".")[0]
        changed(f"unsigned_{name}", envelope(files, path, lambda o: o.update(signatures=[])), bad, "nobody signed")

        def keyid(opened):
            opened["signatures"][0]["keyid"] = opened["signatures"][0]["keyid"].upper()

        changed(f"keyid_{name}", envelope(files, path, keyid), bad, "a key's id in another spelling")

        def algorithm(opened):
            opened["signatures"][0]["alg"] = "none"

        changed(f"alg_none_{name}", envelope(files, path, algorithm), bad, "an algorithm to choose: no such field")

        def flood(opened):
            opened["signatures"] *= 65

        changed(f"many_signatures_{name}", envelope(files, path, flood), bad, "65 signatures")
        changed(f"garbage_{name}", {**files, path: b"{}"}, bad, "no envelope")
    swap = {**files, "signature.dsse": files["release.dsse"], "release.dsse": files["signature.dsse"]}
    changed("swapped_envelopes", swap, bad, "an envelope of another type")


OUT.mkdir(parents=True, exist_ok=True)
FILES = {str(p.relative_to(BASE)): p.read_bytes() for p in sorted(BASE.rglob("*")) if p.is_file()}
shapes(FILES)
contents(FILES)
with open(OUT / "manifest.jsonl", "w", encoding="ascii", newline="\n") as out:
    for row in ROWS:
        out.write(json.dumps(row) + "\n")
print("bundle", len(ROWS))
