#!/bin/sh
# Makes what a test of TLS needs, into a folder: an authority, a server's certificate for localhost, a client's, and a stranger's authority.
#
#   sh tests/support/make_certificates.sh FOLDER     ca.pem server.pem server.key client.pem client.key stranger.pem
set -eu
cd "$1"

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# leaf NAME EXTENSIONS
leaf() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  printf '%s\n' "$2" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.pem"
}

{
  authority ca
  authority stranger
  leaf server subjectAltName=DNS:localhost
  leaf client extendedKeyUsage=clientAuth
} > log.txt 2>&1 || { cat log.txt >&2; exit 1; }
