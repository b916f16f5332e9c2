#!/bin/bash
# memory.sh [ACTIVATIONS]: resident memory in MiB with 10,000 routes under 100 requests/s: in force and good, on probation
# beside the engine before, and good again, for each activation. A probation takes a minute.
. "$(dirname "$0")/lib.sh"
trap 'stop "$proxy"; stop "$backend"' EXIT
backend
OUT=$run/live python3 "$here/gen.py"
maker=$top/target/release/rig-mesh
"$maker" "$home/mesh"
next=$home/mesh-next
mkdir -p "$next" && cp "$home/mesh/key.pem" "$next/"
start ours routes
while kill -0 "$proxy" 2>/dev/null; do
  taskset -c "$load_core" "$lg" --url http://127.0.0.1:8080/svc09999/v1/x --host svc.local --hdr "x-tenant: acme" -c 4 -r 100 -w 1 -d 5 >/dev/null
done &
mib() { awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$proxy/status"; }
# settled: whether the bundle in force is the last good one.
settled() {
  "$ours" status --admin "$run/gate-10k.sock" --output json |
    python3 -c 'import json, sys; s = json.load(sys.stdin); sys.exit(s["active"] != s["journal"]["good"])'
}
# becomes WANTED: waits until it is settled (0), or is not (1).
becomes() {
  for _ in $(seq 1 1200); do
    settled; [ $? != "$1" ] || return 0
    sleep 0.1
  done
  echo "no end of the probation" >&2; exit 1
}
becomes 0
echo "good $(mib)"
for generation in $(seq 2 $((${1:-3} + 1))); do
  "$maker" --extra "/extra$generation/v1/*" --generation "$generation" "$next"
  cp "$next/gate-10k.mcb" "$home/mesh/.new"; mv "$home/mesh/.new" "$home/mesh/gate-10k.mcb"
  kill -HUP "$proxy"
  becomes 1
  # Freed memory goes back at the proxy's next tick, up to a second later, and nothing tells when it has; here and below
  # two seconds are enough for a harness that is run by hand.
  sleep 2
  during=$(mib)
  becomes 0
  sleep 2
  echo "activation $((generation - 1)) probation $during good $(mib)"
done
