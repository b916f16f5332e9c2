#!/bin/sh
# gen.sh DIR: an authority (ECDSA P-256), a server and a client, with SPIFFE names of the rig's mesh; and each of them as
# an identity folder of mesh-proxy.
set -eu
mkdir -p "$1" && cd "$1"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -days 365 -subj /CN=rig-ca -out ca.crt
for name in server client; do
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out $name.key
  openssl req -new -key $name.key -subj /CN=$name -out $name.csr
  cat > $name.ext <<END
subjectAltName=DNS:localhost,DNS:svc.local,IP:127.0.0.1,URI:spiffe://rig/ns/default/sa/$name
basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
END
  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile $name.ext -out $name.crt
  cat $name.crt $name.key > $name.pem
  mkdir -p id/$name/roots
  cp $name.crt id/$name/tls.crt
  cp $name.key id/$name/tls.key
  cp ca.crt id/$name/roots/rig.pem
done
