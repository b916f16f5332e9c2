#!/usr/bin/env python3
"""Writes every peer's configuration and the backend's into $BENCH_HOME/conf (or $OUT).

Ports: backend 9001 in clear and 9002 with mutual TLS; proxies 8080 in clear, 8445 mutual TLS in and clear out, 8446 clear
in and mutual TLS out. Sizes: no route, or 10,000 routes `/svcNNNNN/v1`. EXTRA adds one more route, for reloads."""
import json
import os

HOME = os.environ["BENCH_HOME"]
OUT, CERTS, RUN = os.environ.get("OUT", HOME + "/conf"), HOME + "/certs", HOME + "/run"
EXTRA = os.environ.get("EXTRA", "")
BODY = "x" * 1024
TYPE = "type.googleapis.com/"


def write(name, text):
    os.makedirs(OUT, exist_ok=True)
    with open(f"{OUT}/{name}", "w") as file:
        file.write(text)


def temporary(prefix):
    kinds = ["client_body_temp_path", "proxy_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path"]
    return " ".join(f"{kind} {RUN}/{prefix}{i};" for i, kind in enumerate(kinds))


NGINX = """worker_processes 1; daemon off; pid {run}/{name}.pid; error_log {run}/{name}.err; worker_rlimit_nofile 65536;
worker_shutdown_timeout 10s; events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; tcp_nodelay on; server_tokens off; {temporary}
ssl_certificate {certs}/server.crt; ssl_certificate_key {certs}/server.key; ssl_protocols TLSv1.3; ssl_session_tickets off;
{rest} }}
"""


def nginx(name, rest):
    return NGINX.format(run=RUN, name=name, temporary=temporary(name), certs=CERTS, rest=rest)


def backend():
    answer = f'location / {{ default_type text/plain; return 200 "{BODY}"; }}'
    mutual = f"ssl_client_certificate {CERTS}/ca.crt; ssl_verify_client on;"
    return nginx("backend", f"""server {{ listen 127.0.0.1:9001 backlog=4096; {answer} }}
server {{ listen 127.0.0.1:9002 ssl backlog=4096; {mutual} {answer} }}""")


def nginx_proxy(ids):
    places = "".join(f"location ^~ {p} {{ proxy_pass http://up; }}\n" for p in ids)
    mutual = f"ssl_client_certificate {CERTS}/ca.crt; ssl_verify_client on;"
    return nginx("proxy", f"""http2_max_requests 1000000000; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host;
upstream up {{ server 127.0.0.1:9001; keepalive 512; keepalive_requests 1000000000; }}
upstream ups {{ server 127.0.0.1:9002; keepalive 512; keepalive_requests 1000000000; }}
proxy_ssl_certificate {CERTS}/client.crt; proxy_ssl_certificate_key {CERTS}/client.key;
proxy_ssl_trusted_certificate {CERTS}/ca.crt; proxy_ssl_verify on; proxy_ssl_name svc.local; proxy_ssl_server_name on;
proxy_ssl_protocols TLSv1.3;
server {{ listen 127.0.0.1:8080 backlog=4096; {places or 'location / { proxy_pass http://up; }'} }}
server {{ listen 127.0.0.1:8445 ssl backlog=4096; {mutual} location / {{ proxy_pass http://up; }} }}
server {{ listen 127.0.0.1:8446 backlog=4096; location / {{ proxy_pass https://ups; }} }}""")


def haproxy(size, ids):
    if ids:
        write(f"haproxy.{size}.map", "".join(f"{p} up\n" for p in ids))
    choice = f"use_backend %[path,map_beg({OUT}/haproxy.{size}.map)]" if ids else "default_backend up"
    return f"""global
 nbthread 1
 maxconn 8192
 ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
 hard-stop-after 10s
 ca-base {CERTS}
 crt-base {CERTS}
defaults
 mode http
 timeout connect 5s
 timeout client 3600s
 timeout server 3600s
 timeout http-keep-alive 3600s
 option http-keep-alive
 http-reuse always
frontend clear
 bind 127.0.0.1:8080 backlog 4096
 {choice}
frontend mutual
 bind 127.0.0.1:8445 ssl crt server.pem ca-file ca.crt verify required alpn http/1.1
 default_backend up
frontend outward
 bind 127.0.0.1:8446 backlog 4096
 default_backend ups
backend up
 server s1 127.0.0.1:9001 pool-max-conn 512
backend ups
 server s1 127.0.0.1:9002 ssl verify required ca-file ca.crt crt client.pem sni str(svc.local) pool-max-conn 512
"""


def envoy_routes(ids):
    """Many prefixes as a matcher tree, which Envoy answers fastest; its route list is scanned one by one."""
    action = {"route": {"cluster": "up"}}
    if not ids:
        host = {"routes": [{"match": {"prefix": "/"}, **action}]}
    else:
        path = {"@type": TYPE + "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": ":path"}
        route = {"@type": TYPE + "envoy.config.route.v3.Route", "match": {"prefix": "/"}, **action}
        leaf = {"action": {"name": "r", "typed_config": route}}
        tree = {"input": {"name": "path", "typed_config": path}, "prefix_match_map": {"map": {p: leaf for p in ids}}}
        host = {"matcher": {"matcher_tree": tree}}
    resource = {"@type": TYPE + "envoy.config.route.v3.RouteConfiguration", "name": "rt",
                "virtual_hosts": [{"name": "v", "domains": ["*"], **host}]}
    return {"version_info": "1", "resources": [resource]}


def envoy():
    pair = lambda name: {"certificate_chain": {"filename": f"{CERTS}/{name}.crt"},
                         "private_key": {"filename": f"{CERTS}/{name}.key"}}
    common = lambda name: {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"},
        "tls_certificates": [pair(name)], "validation_context": {"trusted_ca": {"filename": f"{CERTS}/ca.crt"}}}
    watched = {"path_config_source": {"path": RUN + "/rds/rds.json", "watched_directory": {"path": RUN + "/rds"}},
               "resource_api_version": "V3"}
    rds = {"rds": {"route_config_name": "rt", "config_source": watched}}
    fixed = lambda cluster: {"route_config": {"name": "fx", "virtual_hosts": [
        {"name": "v", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]}]}}
    router = {"name": "router", "typed_config": {
        "@type": TYPE + "envoy.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True}}

    def listener(port, route, tls=None):
        manager = {"@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                   "stat_prefix": "i", "codec_type": "HTTP1", **route, "http_filters": [router],
                   "generate_request_id": False}
        chain = {"filters": [{"name": "hcm", "typed_config": manager}]}
        if tls:
            chain["transport_socket"] = {"name": "tls", "typed_config": {
                "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "disable_stateless_session_resumption": True, "require_client_certificate": True,
                "common_tls_context": tls}}
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        return {"name": f"l{port}", "address": address, "filter_chains": [chain]}

    def cluster(name, port, tls=None):
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        limits = {"max_connections": 8192, "max_pending_requests": 8192, "max_requests": 8192}
        made = {"name": name, "type": "STATIC", "connect_timeout": "5s", "load_assignment": {
            "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]},
            "circuit_breakers": {"thresholds": [limits]}}
        if tls:
            made["transport_socket"] = {"name": "tls", "typed_config": {
                "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": "svc.local", "common_tls_context": tls}}
        return made

    listeners = [listener(8080, rds), listener(8445, fixed("up"), common("server")), listener(8446, fixed("ups"))]
    clusters = [cluster("up", 9001), cluster("ups", 9002, common("client"))]
    return {"node": {"id": "n", "cluster": "c"}, "static_resources": {"listeners": listeners, "clusters": clusters}}


write("backend.conf", backend())
write("envoy.json", json.dumps(envoy()))
for size, count in {"0": 0, "10k": 10_000}.items():
    ids = [f"/svc{i:05d}/v1" for i in range(count)] + ([EXTRA] if EXTRA and count else [])
    write(f"routes.{size}", "".join(f"{p} up\n" for p in ids))
    write(f"nginx.{size}.conf", nginx_proxy(ids))
    write(f"haproxy.{size}.cfg", haproxy(size, ids))
    write(f"envoy.{size}.rds.json", json.dumps(envoy_routes(ids)))
