#!/usr/bin/env bash
# google-re2 1.1.20251105 (PyPI), the Python binding of RE2, "a drop-in replacement for re".
#
# Behaviour: two groups of one name are taken without a word, and the name means the first one. `re` refuses such a pattern
# ("redefinition of group name").
#
# Why it matters: where one alternative sets the name in its first part and another in its second, `m['name']` is None though
# the text has matched and the second group holds the value. Code that tests its patterns with `re` alone cannot see it.
#
# Seen on 2026-11-29:
#   re2: {'n': None} ['n'] groups (None, 'b')
#   re:  redefinition of group name 'n' as group 2; was group 1 at position 13
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: google-re2==1.1.20251105
"$folder/venv/bin/python" - <<'END'
import re, sys
import re2

pattern = "(?P<n>a)|(?P<n>b)"
found = re2.fullmatch(pattern, "b")
print("re2:", found.groupdict(), list(found.re.groupindex), "groups", found.groups())
try:
    re.compile(pattern)
except re.error as error:
    print("re: ", error)
    sys.exit(0 if found.groupdict() == {"n": None} and found.groups() == (None, "b") else 1)
sys.exit(1)
END
