//! MC10xx: YAML, encoding, limits of a file.

use super::table::codes;

codes! {
    SYNTAX = 1001 "yaml-syntax" "the file is not well-formed YAML" {
        checks: "Each file is read as YAML 1.2. After a syntax error reading goes on at the next `---`.",
        why: "What a broken document meant is a guess, and a guess must not reach a proxy.",
        bad: "kind: Service\nname: [cart\nport: 8080\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    ENCODING = 1002 "encoding" "the file is not UTF-8" {
        checks: "Files are UTF-8; a UTF-8 byte order mark is accepted. UTF-16, invalid and overlong sequences are refused.",
        why: "Two readers of one wrongly encoded file see two different texts.",
        bad: "# this text, saved as UTF-16\nkind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
        good: "# this text, saved as UTF-8\nkind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    HIDDEN_CHARACTER = 1003 "hidden-character" "an invisible character hides or reorders text" {
        checks: "Control characters (but tab and line ends), bare carriage returns and bidirectional overrides are refused anywhere in a file, written plainly or as an escape.",
        why: "Such characters make a reviewer read something else than the compiler does (Trojan source, CVE-2021-42574), and drive the terminals of those who look at the output.",
        bad: "name: \"svc\\u202eevil\"\n",
        good: "name: svc-evil\n",
    }
    DUPLICATE_KEY = 1004 "duplicate-key" "a key is written twice in one map" {
        checks: "Keys of one map differ, in whatever spelling: `a` and `\"a\"` are one key.",
        why: "Parsers disagree about which of the two counts.",
        bad: "kind: Service\nname: cart\nport: 8080\nport: 8081\ncallers: [web]\n",
        good: "kind: Service\nname: cart\nport: 8081\ncallers: [web]\n",
    }
    MERGE_KEY = 1005 "merge-key" "merge keys are not part of the language" {
        checks: "`<<` is refused; anchors and aliases are accepted inside one document.",
        why: "YAML 1.2 has no merge keys, and what they do with lists surprises.",
        bad: "rules:\n  - &first { name: a, match: { path: /a }, timeout: 2s, to: a }\n  - { <<: *first, name: b, match: { path: /b } }\n",
        good: "rules:\n  - { name: a, match: { path: /a }, timeout: 2s, to: a }\n  - { name: b, match: { path: /b }, timeout: 2s, to: a }\n",
    }
    TAB = 1006 "tab" "a tab stands where only spaces may" {
        checks: "Tabs are refused outside of quoted text, block text and comments.",
        why: "How wide a tab is depends on who looks.",
        bad: "labels:\n\ttier: critical\n",
        good: "labels:\n  tier: critical\n",
    }
    TAG = 1007 "tag" "tags are not part of the language" {
        checks: "Tags such as `!!binary` or `!secret` are refused. The core tags (`!!str`, `!!int`, ...) are accepted where the value has that type anyway; `!!str` makes text.",
        why: "Tags ask a reader to run code or to guess a type.",
        bad: "name: !env NAME\n",
        good: "name: cart\n",
    }
    KEY_NOT_TEXT = 1008 "key-not-text" "a key is not text" {
        checks: "Keys are text. A number, `true` or `null` as a key must be quoted; lists and maps cannot be keys.",
        why: "Other readers of the same file turn such keys into different text.",
        bad: "labels: { true: yes }\n",
        good: "labels: { \"true\": \"yes\" }\n",
    }
    ALIAS = 1009 "alias" "an alias stands for nothing, or for itself" {
        checks: "An alias names an anchor that was defined before it in the same document, and not one that it is part of.",
        why: "A value that contains itself has no end.",
        bad: "labels: &l { a: *l }\n",
        good: "labels: { a: b }\n",
    }
    EMPTY = 1010 "empty" "the file or document says nothing", suppressible: true {
        checks: "A file has at least one document, and a document is not empty. A file of comments alone is a warning.",
        why: "Mostly the content was lost by accident.",
        bad: "# services live here\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    LIMIT_FILE = 1011 "file-too-large" "the file is larger than 1 MiB" {
        checks: "A file has at most 1 MiB.",
        why: "Everything read from outside is bounded. Split generated meshes into more files.",
        bad: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n# ... and 1 MiB of lines like this one\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
    LIMIT_NODES = 1012 "too-many-nodes" "the file has more than 20,000 nodes" {
        checks: "Keys, values, lists and maps of a file are at most 20,000; what an alias stands for counts each time.",
        why: "A few aliases can stand for billions of values (\"billion laughs\").",
        bad: "labels:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n  b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n  c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n  d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n  e: [*d, *d]\n",
        good: "labels: { a: x }\n",
    }
    LIMIT_DEPTH = 1013 "too-deep" "the document is nested deeper than 64" {
        checks: "Lists and maps are nested at most 64 deep.",
        why: "Nothing in the language is deeper than a dozen; deep nesting is an attack on readers.",
        bad: "labels: { a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] }\n",
        good: "labels: { a: b }\n",
    }
    LIMIT_TEXT = 1014 "text-too-long" "a text or key is longer than 64 KiB" {
        checks: "Each text, key and anchor name has at most 64 KiB.",
        why: "Everything read from outside is bounded.",
        bad: "description: \"... 70,000 characters ...\"\n",
        good: "description: the shop's carts\n",
    }
    LIMIT_ALIASES = 1015 "too-many-aliases" "the file has more than 100 aliases" {
        checks: "A file uses at most 100 aliases.",
        why: "Everything read from outside is bounded.",
        bad: "labels:\n  a: &a x\n  b: [*a, ... 100 more of *a ...]\n",
        good: "labels: { a: x, b: x }\n",
    }
    NOT_FINITE = 1016 "number-not-finite" "a number is infinite or not a number" {
        checks: "`.inf`, `.nan` and numbers beyond the range of a double are refused.",
        why: "Comparisons with them have surprising answers.",
        bad: "metrics: [{ name: a, query: sum(errors), max: .inf }]\n",
        good: "metrics: [{ name: a, query: sum(errors), max: 100 }]\n",
    }
    DIRECTIVE = 1017 "directive" "directives are not part of the language" {
        checks: "`%YAML` and `%TAG` lines are refused.",
        why: "They change what the rest of the file means.",
        bad: "%YAML 1.1\n---\nkind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
        good: "kind: Service\nname: cart\nport: 8080\ncallers: [web]\n",
    }
}
