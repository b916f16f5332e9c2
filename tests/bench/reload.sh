#!/bin/bash
# reload.sh REPS [PEERS]: 10,000 routes under 3,000 requests/s (open loop); one route more at 2.5 s. Milliseconds from the
# file's change to the first request that the new route answers, and what the load saw. `ours` gets a SIGHUP as nginx
# does; `ours-watch` only the new file.
. "$(dirname "$0")/lib.sh"
trap 'stop "$proxy"; stop "$backend"' EXIT
backend
live=$run/live next=$run/next
OUT=$next EXTRA=/extra/v1 python3 "$here/gen.py"
maker=$top/target/release/rig-mesh
rm -rf "$home/mesh-next" && mkdir -p "$home/mesh-next" && cp "$home/mesh/key.pem" "$home/mesh-next/"
"$maker" --extra '/extra/v1/*' --generation 2 "$home/mesh-next"
for rep in $(seq 1 "${1:-3}"); do
  for name in ${2:-nginx haproxy envoy ours ours-watch}; do
    OUT=$live python3 "$here/gen.py"
    "$maker" "$home/mesh"
    proxy=""
    kept=$conf conf=$live
    start "${name%-watch}" routes
    conf=$kept
    taskset -c "$load_core" "$lg" --url http://127.0.0.1:8080/svc09999/v1/x --host svc.local --hdr "x-tenant: acme" -c 64 -r "${RATE:-3000}" -w 1 -d 6 >"$run/load.txt" &
    load=$!
    sleep 2.5
    began=$(date +%s%3N)
    case $name in
      nginx) cp "$next/nginx.10k.conf" "$live/"; kill -HUP "$proxy" ;;
      haproxy) cp "$next/haproxy.10k.map" "$live/"; kill -USR2 "$proxy" ;;
      envoy) cp "$next/envoy.10k.rds.json" "$run/rds/.new"; mv "$run/rds/.new" "$run/rds/rds.json" ;;
      ours*) cp "$home/mesh-next/gate-10k.mcb" "$home/mesh/.new"; mv "$home/mesh/.new" "$home/mesh/gate-10k.mcb" ;;
    esac
    [ "$name" != ours ] || kill -HUP "$proxy"
    effect=$(taskset -c "$load_core" "$lg" --url http://127.0.0.1:8080/extra/v1 --host svc.local --hdr "x-tenant: acme" --until 200 --t0 "$began" --timeout 8)
    wait "$load"
    echo "$rep reload $name effect_ms=$effect $(sed 's/ p50.*p99=/ p99=/' "$run/load.txt") load=$(cut -d' ' -f1 /proc/loadavg)"
    stop "$proxy"
  done
done
