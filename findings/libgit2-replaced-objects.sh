#!/usr/bin/env bash
# The same revision has other content for git and for libgit2: git heeds `refs/replace`, libgit2 heeds `info/grafts` only.
#
# Versions: pygit2 1.21.0 from PyPI, which brings libgit2 1.9.7; git 2.39 or later.
# Behaviour: after `git replace HEAD HEAD~2`, `git show HEAD:file` shows the content of HEAD~2 and `git rev-list --count`
#   counts one commit; libgit2 reads what was committed and counts three. With a graft that cuts HEAD off, both count one.
#   So of git's two ways to show another history, libgit2 follows the deprecated one alone.
# Why it matters: a tool that reads with libgit2 and a person who looks with git review different files under one commit
#   id, and a number made of the history differs by which of the two counts. Whoever builds from a commit must choose
#   one: here neither replacements nor grafts change what is read.
# Seen: replaced: git 1 first, libgit2 3 third / grafted: git 1, libgit2 1
# Exits with 0 while that is so.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/packages" pygit2==1.21.0

cd "$folder"
git init -q -b main mesh
cd mesh
for text in first second third; do
  echo "$text" >file
  git add file
  git commit -q -m "$text"
done

library() {
  PYTHONPATH=$folder/packages python3 - <<'PYTHON'
import pygit2

assert pygit2.LIBGIT2_VERSION == "1.9.7", pygit2.LIBGIT2_VERSION
repository = pygit2.Repository(".")
commits = len(list(repository.walk(repository.head.target)))
print(commits, repository.revparse_single("HEAD:file").data.decode().strip())
PYTHON
}

git replace HEAD HEAD~2
replaced_git="$(git rev-list --count HEAD) $(git show HEAD:file)"
replaced_library=$(library)
git replace -d "$(git rev-parse HEAD)" >/dev/null
git rev-parse HEAD >.git/info/grafts
grafted_git=$(git rev-list --count HEAD 2>/dev/null)
grafted_library=$(library)
grafted_library=${grafted_library%% *}

echo "replaced: git $replaced_git, libgit2 $replaced_library"
echo "grafted: git $grafted_git, libgit2 $grafted_library"
[ "$replaced_git" = "1 first" ] && [ "$replaced_library" = "3 third" ]
[ "$grafted_git" = 1 ] && [ "$grafted_library" = 1 ]
