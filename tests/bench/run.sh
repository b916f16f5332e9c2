#!/bin/bash
# run.sh REPS [WORKS] [PEERS]: one line a measurement; peers take turns in each repetition. D seconds each.
# `us` is CPU microseconds of the proxy a request, its start-up left out, the load's first requests included.
. "$(dirname "$0")/lib.sh"
trap 'stop "$proxy"; stop "$backend"' EXIT
backend
for rep in $(seq 1 "${1:-3}"); do
  for work in ${2:-plain routes mtls-in mtls-out}; do
    for name in ${3:-nginx haproxy envoy hyper ours}; do
      proxy=""
      start "$name" "$work" || { echo "$rep $work $name failed"; stop "$proxy"; continue; }
      url=http://127.0.0.1:$(port "$work")/a
      more="" host=svc.local
      case $work in
        # Inside the mesh a request names the service that it asks for.
        mtls-out) host=server ;;
        routes) url=http://127.0.0.1:8080/svc09999/v1/x ;;
        mtls-in) url=https://127.0.0.1:8445/a more="--cert $certs/client.crt --key $certs/client.key" ;;
      esac
      before=$(ticks "$proxy")
      # shellcheck disable=SC2086 # flags
      said=$(taskset -c "$load_core" "$lg" -w 0 --url "$url" --host "$host" --hdr "x-tenant: acme" $more -c 64 -d "${D:-3}" | head -1)
      used=$(($(ticks "$proxy") - before))
      ok=$(sed 's/.* ok=\([0-9]*\) .*/\1/' <<<"$said")
      echo "$rep $work $name us=$(awk -v t=$used -v n="$ok" 'BEGIN{printf "%.2f", n ? t * 1e4 / n : 0}') $said pss=$(pss "$proxy") load=$(cut -d' ' -f1 /proc/loadavg)"
      stop "$proxy"
    done
  done
done
