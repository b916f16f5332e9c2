#!/usr/bin/env bash
# libgit2 takes a linked work tree of a shallow clone for a whole one, and then lacks the commits that were cut off.
#
# Versions: pygit2 1.21.0 from PyPI, which brings libgit2 1.9.7; git 2.39 or later.
# Behaviour: `git clone --depth 1`, then `git worktree add`. In the clone, libgit2 says that it is shallow and counts one
#   commit. In the work tree it says that it is not, and walking the history ends with "object not found". Git says shallow
#   and one commit in both. The file `shallow` lies in the shared directory; libgit2 looks for it in the work tree's own.
# Why it matters: a tool that numbers releases by commits asks "is it shallow?" to refuse a history that was cut. In such a
#   work tree (CI services and build systems make them) it is told no, and fails on what looks like a corrupt repository.
# Seen: clone True 1 / work tree False object not found - no match for id (...)
# Exits with 0 while that is so.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" pygit2==1.21.0

cd "$folder"
git init -q -b main whole
for n in 1 2; do git -C whole commit -q --allow-empty -m "$n"; done
git clone -q --depth 1 "file://$folder/whole" clone
git -C clone worktree add -q ../tree
for place in clone tree; do
  [ "$(git -C "$place" rev-parse --is-shallow-repository)" = true ]
  [ "$(git -C "$place" rev-list --count HEAD)" = 1 ]
done

PYTHONPATH=$folder/packages python3 - <<'PYTHON'
import sys
import pygit2

assert pygit2.LIBGIT2_VERSION == "1.9.7", pygit2.LIBGIT2_VERSION


def seen(place):
    repository = pygit2.Repository(place)
    try:
        commits = len(list(repository.walk(repository.head.target)))
    except Exception as error:
        commits = str(error)
    return repository.is_shallow, commits


clone, tree = seen("clone"), seen("tree")
print("clone", *clone)
print("work tree", *tree)
as_described = clone == (True, 1) and tree[0] is False and "object not found" in str(tree[1])
sys.exit(0 if as_described else 1)
PYTHON
