#!/bin/sh
# Writes the ABI of a library into docs/abi, to be done once for each release:
#
#   sh tests/abi/update.sh build/src/libosdear.so
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd -P)
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$root/meson.build")
mkdir -p "$root/docs/abi"
abidw --headers-dir "$root/include" --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs \
  --exported-interfaces-only --out-file "$root/docs/abi/libosdear-$version.abi" "${1:?usage: update.sh LIBRARY}"
