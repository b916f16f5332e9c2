# Shared by the rig's scripts. Every process is started here and stopped by its pid.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
home=${BENCH_HOME:-$top/.bench}
export BENCH_HOME=$home
conf=$home/conf certs=$home/certs run=$home/run lg=$home/bin/lg hyp=$home/bin/hyp
envoy=$home/envoy/envoy/_bin/envoy
ours=${MESH_PROXY:-$top/target/dist/shipped/mesh-proxy}
proxy_core=${PROXY_CORE:-0} load_core=${LOAD_CORE:-1}
[ -x "$lg" ] || { echo "tests/bench/setup.sh has not run" >&2; exit 2; }
[ -x "$ours" ] || { echo "ci/dist has not run" >&2; exit 2; }
mkdir -p "$run/rds" "$run/state"
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
# The rig goes before other work of the machine, where that is allowed.
renice -n -10 -p $$ >/dev/null 2>&1 || true

# ticks PID: CPU ticks (10 ms) of a process and its children.
ticks() {
  local sum=0 pid
  for pid in $1 $(pgrep -P "$1" 2>/dev/null); do
    [ -r "/proc/$pid/stat" ] && sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{print $12 + $13}')))
  done
  echo "$sum"
}
# cpu_ns PID: nanoseconds that the threads of a process were on a processor.
cpu_ns() { cat /proc/"$1"/task/*/schedstat | awk '{sum += $1} END {printf "%.0f", sum}'; }
# pss PID: its share of memory in KiB, children too.
pss() {
  local sum=0 pid
  for pid in $1 $(pgrep -P "$1" 2>/dev/null); do
    sum=$((sum + $(awk '/^Pss:/{print $2}' "/proc/$pid/smaps_rollup" 2>/dev/null || echo 0)))
  done
  echo "$sum"
}
await_port() {
  local i
  for i in $(seq 1 1500); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0; sleep 0.01; done
  echo "nobody listens on $1" >&2
  return 1
}
stop() {
  [ -n "$1" ] || return 0
  local children i
  children=$(pgrep -P "$1")
  kill -TERM "$1" 2>/dev/null
  for i in $(seq 1 60); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.05; done
  # shellcheck disable=SC2086 # a list of pids
  kill -KILL "$1" $children 2>/dev/null
}
backend() { taskset -c "$load_core" nginx -c "$conf/backend.conf" >/dev/null 2>&1 & backend=$!; await_port 9001; }

# mesh MESH NAME ROLE PORT: the command line of ours for a bundle that `rig-mesh` wrote.
mesh() {
  rm -rf "$run/state/$1"
  local id=$certs/id/$2
  echo "$ours --$3 $2 --mesh rig --env default --workers 1 --source $home/mesh/$1.mcb --trust $home/mesh/trust.json \
--state $run/state/$1 --endpoints $home/mesh/$1.endpoints.json --drain 1 --admin $run/$1.sock $(
    case $1 in
      in) echo "--inbound 127.0.0.1:$4 --app 127.0.0.1:9001 --identity $id" ;;
      out) echo "--inbound 127.0.0.1:18499 --outbound 127.0.0.1:$4 --identity $id" ;;
      *) echo "--inbound 127.0.0.1:$4" ;;
    esac)"
}
# peer NAME WORK: its command line for that work.
peer() {
  local routes=0
  case $2 in routes) routes=10k ;; esac
  case $1-$2 in
    nginx-*) echo "nginx -c $conf/nginx.$routes.conf" ;;
    haproxy-*) echo "haproxy -W -db -f $conf/haproxy.$routes.cfg" ;;
    envoy-*) cp "$conf/envoy.$routes.rds.json" "$run/rds/rds.json"
      echo "$envoy -c $conf/envoy.json --concurrency 1 -l error --base-id 7" ;;
    hyper-plain | hyper-routes) echo "$hyp --listen 127.0.0.1:8080 --up 127.0.0.1:9001 --routes $conf/routes.$routes" ;;
    hyper-mtls-in) echo "$hyp --listen 127.0.0.1:8445 --up 127.0.0.1:9001 --cert $certs/server.crt --key $certs/server.key --client-ca $certs/ca.crt" ;;
    hyper-mtls-out) echo "$hyp --listen 127.0.0.1:8446 --up 127.0.0.1:9002 --up-ca $certs/ca.crt --up-cert $certs/client.crt --up-key $certs/client.key" ;;
    ours-plain) mesh gate edge gateway 8080 ;;
    free-plain) mesh gate-free edge gateway 8080 ;;
    ours-routes) mesh gate-10k edge gateway 8080 ;;
    ours-mtls-in) mesh in server service 8445 ;;
    ours-mtls-out) mesh out client service 8446 ;;
    *) echo "no such peer: $1-$2" >&2; return 1 ;;
  esac
}
port() { case $1 in mtls-in) echo 8445 ;; mtls-out) echo 8446 ;; *) echo 8080 ;; esac; }
# start NAME WORK: starts it on its core; `proxy` is its pid.
start() {
  local command
  command=$(peer "$1" "$2") || return 1
  # shellcheck disable=SC2086 # a command line
  taskset -c "$proxy_core" $command >/dev/null 2>>"$run/proxy.log" & proxy=$!
  await_port "$(port "$2")"
  sleep 0.3
}
# measure LABEL PEER: one line: CPU microseconds a request of PEER in clear under load, D seconds (4) after a warm-up.
measure() {
  local label=$1 before said used ok
  proxy=""
  start "$2" plain
  # The first requests warm up; they are not counted.
  taskset -c "$load_core" "$lg" -w 0 --url http://127.0.0.1:8080/a --host svc.local --hdr "x-tenant: acme" -c 64 -d 1 >/dev/null
  before=$(cpu_ns "$proxy")
  said=$(taskset -c "$load_core" "$lg" -w 0 --url http://127.0.0.1:8080/a --host svc.local --hdr "x-tenant: acme" -c 64 -d "${D:-4}" | head -1)
  used=$(($(cpu_ns "$proxy") - before))
  ok=$(sed 's/.* ok=\([0-9]*\) .*/\1/' <<<"$said")
  echo "$label us=$(awk -v t=$used -v n="$ok" 'BEGIN{printf "%.4f", n ? t / 1e3 / n : 0}') $said load=$(cut -d' ' -f1 /proc/loadavg)"
  stop "$proxy"
}
