#!/bin/bash
# validate.sh REPS [ROUTES]: `meshc validate` and `envoy --mode validate` on the same generated routes, by turns: seconds
# and MiB at the peak.
. "$(dirname "$0")/lib.sh"
routes=${2:-10000}
generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT
"$top/target/release/gen-mesh" --services 1000 --routes "$routes" --rules $((routes / 5)) --seed 1 "$generated/spec" --envoy "$generated/envoy.json"
files=$(find "$generated/spec" -name '*.yaml' | wc -l)
checked=$("$top/target/dist/shipped/meshc" validate -C "$generated/spec" 2>&1)
echo "$checked"
case $checked in
  *"checked $files files"*) ;;
  *) echo "meshc did not read the $files files of the mesh" >&2; exit 1 ;;
esac
measure() { # NAME COMMAND...
  python3 - "$@" <<'END'
import os, resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
took = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]} exit={done.returncode} s={took:.3f} cpu_s={used.ru_utime + used.ru_stime:.3f} MiB={used.ru_maxrss / 1024:.0f} load={open('/proc/loadavg').read().split()[0]}")
if done.returncode:
    print(done.stderr[:400])
END
}
for rep in $(seq 1 "${1:-3}"); do
  measure envoy "$envoy" --mode validate -c "$generated/envoy.json" -l error
  measure meshc "$top/target/dist/shipped/meshc" validate -C "$generated/spec"
done
