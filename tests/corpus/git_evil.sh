#!/usr/bin/env bash
# git_evil.sh OUT: 27 small hostile bare repositories, made object by object, and OUT/manifest.jsonl.
#
# Each holds the smallest mesh and one trick. meshc reads objects only: it checks nothing out, follows no link, runs no
# filter, hook or configured command (OUT/executed must not exist afterwards), and names the path that it refuses.
# A row: `rev` is what --rev gets; `codes` are all codes of the findings, `exit` the exit code of `meshc validate`.
set -euo pipefail
[ $# = 1 ] || { echo "usage: git_evil.sh OUT" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
OUT=$PWD
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@t
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
: > manifest.jsonl

MESH='kind: Mesh\nname: corpus\nversion: 1\ntrustDomain: corpus.example\n'
SERVICE='kind: Service\nname: base\nport: 8080\ncallers: []\n'

# begin NAME: an empty bare repository; the functions below work on it.
begin() {
  NAME=$1
  rm -rf "$NAME.git"
  git init -q --bare -b main "$NAME.git"
}

blob() { printf '%b' "$1" | git -C "$NAME.git" hash-object -w --stdin; }

# tree 'MODE|NAME|OBJECT'...: a tree with these entries as they are, in this order, whatever git thinks of them.
tree() {
  python3 - "$@" <<'PY' | git -C "$NAME.git" hash-object -t tree -w --stdin --literally
import sys

out = b""
for entry in sys.argv[1:]:
    mode, name, object_id = entry.split("|")
    name = name.encode().decode("unicode_escape").encode("latin-1")
    out += mode.encode() + b" " + name + b"\0" + bytes.fromhex(object_id)
sys.stdout.buffer.write(out)
PY
}

# folders NAME TREE...: a tree of folders NAME0, NAME1, ... in git's own way, which is quicker.
folders() {
  local name=$1 i=0
  shift
  for object in "$@"; do printf '040000 tree %s\t%s%d\n' "$object" "$name" $((i++)); done |
    git -C "$NAME.git" mktree
}

commit() { git -C "$NAME.git" update-ref refs/heads/main "$(git -C "$NAME.git" commit-tree "$1" -m x </dev/null)"; }

# row REV EXIT CODES WHY
row() {
  printf '{"repository":"%s.git","rev":"%s","exit":%s,"codes":[%s],"why":"%s"}\n' "$NAME" "$1" "$2" "$3" "$4" \
    >> manifest.jsonl
}

mesh() { printf '100644|mesh.yaml|%s' "$(blob "$MESH")"; }
NOBODY=$(printf 'a%.0s' {1..40})

# Names that lead a checkout astray, and modes. `before` names sort before mesh.yaml, as git wants it.
while IFS='|' read -r name mode file before why; do
  begin "$name"
  if [ "$mode" = 160000 ]; then object=$NOBODY; else object=$(blob "$SERVICE"); fi
  odd="$mode|$file|$object"
  if [ "$before" = yes ]; then commit "$(tree "$odd" "$(mesh)")"; else commit "$(tree "$(mesh)" "$odd")"; fi
  row main 1 '"MC6001"' "$why"
done <<'ROWS'
dotdot|100644|..|yes|the parent folder
dotgit|100644|.git|yes|git's own folder
dotgit_case|100644|.GiT|yes|the same on a file system without letter case
gitntfs|100644|GIT~1|yes|the same under its short name
slash|100644|a/b|yes|a path as a name
abs|100644|/etc/passwd|yes|an absolute path as a name
nl|100644|a\nb.yaml|yes|a line feed in a name
ctl|100644|a\x1bb.yaml|yes|a terminal escape in a name
badutf8|100644|a\xff.yaml|yes|a name that is no UTF-8
gitlink|160000|sub|no|another repository
ROWS

begin exec
commit "$(tree "100755|mesh.yaml|$(blob "$MESH")")"
row main 0 '' 'an executable file is a file'
begin oddmode
commit "$(tree "100664|mesh.yaml|$(blob "$MESH")")"
row main 0 '' 'an old mode of a regular file'

begin symlink_abs
commit "$(tree "$(mesh)" "120000|secret.yaml|$(blob '/etc/passwd')")"
row main 1 '"MC6001"' 'a link to a file outside'
begin symlink_dir
commit "$(tree "$(mesh)" "120000|services|$(blob '../../..')")"
row main 1 '"MC6001"' 'a link to a folder outside'
begin symlink_self
commit "$(tree "120000|again.yaml|$(blob 'again.yaml')" "$(mesh)")"
row main 1 '"MC6001"' 'a link to itself'

begin dup_entry
commit "$(tree "$(mesh)" "100644|mesh.yaml|$(blob "$SERVICE")")"
row main 1 '"MC6001"' 'two entries of one name'
begin case_pair
commit "$(tree "100644|MESH.yaml|$(blob "$MESH")" "$(mesh)")"
row main 1 '"MC6001"' 'two names that differ in letter case only'
begin submodule
modules=$(blob '[submodule "x"]\n path = x\n url = -u./payload\n')
commit "$(tree "100644|.gitmodules|$modules" "$(mesh)" "160000|x|$NOBODY")"
row main 1 '"MC6001"' 'a submodule whose address is an option'
begin lfs
commit "$(tree "$(mesh)" "100644|web.yaml|$(blob 'version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 99\n')")"
row main 1 '"MC6001"' 'a pointer instead of the file'
begin attrs
attributes=$(blob '* filter=evil\n*.yaml export-subst\n')
commit "$(tree "100644|.gitattributes|$attributes" "100644|mesh.yaml|$(blob "${MESH}description: \$Format:%H\$\n")")"
git -C attrs.git config filter.evil.smudge "touch $OUT/executed"
row main 0 '' 'filters and substitutions have no effect'

# 10^9 files in 11 objects.
begin tree_bomb
inner=$(tree "100644|f.yaml|$(blob "$SERVICE")")
for _ in {1..9}; do
  inner=$(folders d "$inner" "$inner" "$inner" "$inner" "$inner" "$inner" "$inner" "$inner" "$inner" "$inner")
done
commit "$(tree "40000|d|$inner" "$(mesh)")"
row main 2 '' 'a thousand million files in a few objects'
begin deep
inner=$(tree "100644|f.yaml|$(blob "$SERVICE")")
for _ in {1..200}; do inner=$(folders d "$inner"); done
commit "$(tree "40000|d|$inner" "$(mesh)")"
row main 2 '' 'folders 200 deep'

begin big_blob
big=$(head -c 20000000 /dev/zero | git -C big_blob.git hash-object -w --stdin)
commit "$(tree "100644|big.yaml|$big" "$(mesh)")"
row main 1 '"MC6001"' 'a file of 20 MB'
begin missing_obj
commit "$(tree "100644|lost.yaml|$(printf 'b%.0s' {1..40})" "$(mesh)")"
row main 2 '' 'an object that is not there'
begin corrupt
broken=$(blob "$SERVICE")
commit "$(tree "100644|base.yaml|$broken" "$(mesh)")"
object=corrupt.git/objects/${broken:0:2}/${broken:2}
chmod u+w "$object"
printf 'x' | dd of="$object" bs=1 seek=6 conv=notrunc status=none
row main 2 '' 'an object that does not inflate'

begin hooks
commit "$(tree "$(mesh)")"
for key in core.fsmonitor core.pager core.sshCommand core.editor diff.external; do
  git -C hooks.git config "$key" "touch $OUT/executed"
done
for hook in post-checkout pre-commit reference-transaction post-index-change; do
  printf '#!/bin/sh\ntouch "%s/executed"\n' "$OUT" > "hooks.git/hooks/$hook"
  chmod +x "hooks.git/hooks/$hook"
done
row main 0 '' 'configured commands and hooks are not run'

begin annotated_loop
commit "$(tree "$(mesh)")"
target=$(git -C annotated_loop.git rev-parse main)
kind=commit
for _ in {1..60}; do
  target=$(printf 'object %s\ntype %s\ntag t\ntagger t <t@t> 0 +0000\n\nx\n' "$target" "$kind" |
    git -C annotated_loop.git hash-object -t tag -w --stdin)
  kind=tag
done
git -C annotated_loop.git update-ref refs/tags/v1 "$target"
row v1 0 '' 'tags of tags of tags'

[ ! -e executed ] || { echo "the generator ran a hook" >&2; exit 1; }
wc -l < manifest.jsonl
