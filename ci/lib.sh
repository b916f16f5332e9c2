# Shared by the scripts of this folder; sourced, never run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit
export PATH="$ROOT/.tools/bin:$PATH"
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}
# On a fresh clone an incremental build writes what nobody reads again.
if [ "${CI:-}" = true ]; then
  export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
fi

# Pinned tools, read by ci/setup alone.
export NEXTEST_VERSION=0.9.143
export DENY_VERSION=0.20.2
export RE2_VERSION=1.1.20251105

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step TITLE COMMAND...: runs a command under a heading and says how long it took.
step() {
  local title=$1 begin=$SECONDS
  shift
  printf '\n=== %s\n' "$title"
  "$@" </dev/null || die "$title: failed after $((SECONDS - begin)) s"
  printf '=== %s: %d s\n' "$title" "$((SECONDS - begin))"
}

# The reference material of the project lies beside a checkout. In CI its absence is a failure, elsewhere tests that
# need it are skipped and listed.
shared_or_skip() {
  [ -d ../shared ] && return 0
  [ "${CI:-}" != true ] || die "../shared is missing, and CI must not skip the tests that need it"
  return 1
}
