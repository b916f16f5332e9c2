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
    proxy=""
    start "$name" plain
    # The first requests warm up; they are not counted.
    taskset -c "$load_core" "$lg" -w 0 --url http://127.0.0.1:8080/a --host svc.local --hdr "x-tenant: acme" -c 64 -d 1 >/dev/null
    before=$(cpu_ns "$proxy")
    said=$(taskset -c "$load_core" "$lg" -w 0 --url http://127.0.0.1:8080/a --host svc.local --hdr "x-tenant: acme" -c 64 -d "${D:-4}" | head -1)
    used=$(($(cpu_ns "$proxy") - before))
    ok=$(sed 's/.* ok=\([0-9]*\) .*/\1/' <<<"$said")
    echo "$pair $name us=$(awk -v t=$used -v n="$ok" 'BEGIN{printf "%.4f", n ? t / 1e3 / n : 0}') $said load=$(cut -d' ' -f1 /proc/loadavg)"
    stop "$proxy"
  done
done
