#!/usr/bin/env bash
# yaml-language-server 1.25.0 (npm; the server behind the YAML extension of VS Code and others).
#
# Behaviour: `# yaml-language-server: $schema=...` at the top of a file of several documents holds for the first document
# only. The others are not checked and have no hover or completion, and nothing says so: the editor shows no finding.
#
# Why it matters: files of several documents are the rule where each document has a `kind`. A modeline at the top looks as if
# it worked, since mistakes in the first document are found. With one in front of every document all are checked
# (`docs/editors.md`).
#
# Seen on 2026-11-29:
#   one modeline:     line 2
#   one a document:   line 2 line 5
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . yaml-language-server@1.25.0 >/dev/null 2>&1

cat > schema.json <<'END'
{ "type": "object", "properties": { "port": { "type": "integer" } } }
END
cat > ask.py <<'END'
"""Opens a file in the server and prints the lines of its findings, from 1."""
import json, pathlib, subprocess, sys

path = pathlib.Path(sys.argv[1]).resolve()
server = subprocess.Popen(["node_modules/.bin/yaml-language-server", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
settings = {"validate": True, "schemaStore": {"enable": False}}

def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    server.stdin.flush()

def receive():
    length = 0
    while (line := server.stdout.readline().strip()):
        name, value = line.split(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(server.stdout.read(length))

folder = path.parent.as_uri()
send({"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": folder, "capabilities": {}}})
while receive().get("id") != 1:
    pass
send({"method": "initialized", "params": {}})
send({"method": "workspace/didChangeConfiguration", "params": {"settings": {"yaml": settings}}})
document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": path.read_text()}
send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
while True:
    message = receive()
    if message.get("method") == "textDocument/publishDiagnostics":
        print(*sorted(f"line {d['range']['start']['line'] + 1}" for d in message["params"]["diagnostics"]))
        break
    if "id" in message and "method" in message:
        items = message.get("params", {}).get("items", []) if isinstance(message.get("params"), dict) else []
        send({"id": message["id"], "result": [settings if i.get("section") == "yaml" else {} for i in items] or None})
server.kill()
END
mark='# yaml-language-server: $schema=schema.json'
printf '%s\nport: many\n---\n# another document\nport: more\n' "$mark" > one.yaml
printf '%s\nport: many\n---\n%s\nport: more\n' "$mark" "$mark" > each.yaml
one=$(python3 ask.py one.yaml)
each=$(python3 ask.py each.yaml)
printf 'one modeline:     %s\none a document:   %s\n' "$one" "$each"
[ "$one" = "line 2" ] && [ "$each" = "line 2 line 5" ]
