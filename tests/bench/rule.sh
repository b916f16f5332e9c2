#!/bin/bash
# rule.sh PAIRS: what one access rule on every request costs. The same gateway with and without the expression of its rule takes
# turns, the order swapped each time; one line a measurement, D seconds each.
. "$(dirname "$0")/lib.sh"
trap 'stop "$proxy"; stop "$backend"' EXIT
backend
for pair in $(seq 1 "${1:-20}"); do
  order="free ours"
  [ $((pair % 2)) = 0 ] || order="ours free"
  for name in $order; do
    measure "$pair $name" "$name"
  done
done
