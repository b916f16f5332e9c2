#!/bin/bash
# pair.sh BEFORE AFTER [PAIRS]: two builds of the proxy take turns at HTTP/1.1 in clear, the order swapped each time; one line a
# measurement, D seconds each. `pairs.py FILE before after` reads it.
. "$(dirname "$0")/lib.sh"
[ -x "$1" ] && [ -x "$2" ] || { echo "usage: pair.sh BEFORE AFTER [PAIRS]" >&2; exit 2; }
trap 'stop "$proxy"; stop "$backend"' EXIT
backend
for pair in $(seq 1 "${3:-9}"); do
  order="before after"
  [ $((pair % 2)) = 0 ] || order="after before"
  for name in $order; do
    ours=$1
    [ "$name" = before ] || ours=$2
    measure "$pair $name" ours
  done
done
