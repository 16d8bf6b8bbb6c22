#!/bin/sh
# Installs what the tests need and says nothing when it is all there:
#
#   sh tests/support/prepare.sh packages    Debian packages, as root or through sudo
#   sh tests/support/prepare.sh python      a Python environment with the other engines, in the cache folder
#   sh tests/support/prepare.sh spark       Spark with Delta, in the cache folder
#   sh tests/support/prepare.sh airflow     Airflow, in the cache folder
#   sh tests/support/prepare.sh s3          MinIO and versitygw, built by Go in the cache folder
#
# A list and its stamp: an environment is made anew when the list it was made from has changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
cache=${OSDEAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/osdear}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

packages() {
  missing=
  while read -r package; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
  done < "$here/debian-packages.txt"
  [ -n "$missing" ] || return 0
  as_root apt-get update -q
  # shellcheck disable=SC2086 # one word for each package
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# What a folder made from this list by this Python is stamped with.
stamp_of() {
  { cat "$1"; /usr/bin/python3 --version; } | sha256sum | cut -d ' ' -f 1
}

is_current() {
  [ "$(cat "$1/.osdear-stamp" 2>/dev/null)" = "$(stamp_of "$2")" ]
}

environment() {
  folder=$1
  list=$2
  if is_current "$folder" "$list"; then
    return 0
  fi
  rm -rf "$folder"
  /usr/bin/python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check wheel
  "$folder/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation -r "$list"
  stamp_of "$list" > "$folder/.osdear-stamp"
}

jars() {
  folder=$1
  list=$2
  if is_current "$folder" "$list"; then
    return 0
  fi
  rm -rf "$folder"
  mkdir -p "$folder"
  # </dev/null: Maven would eat the rest of the list.
  while read -r artifact; do
    (cd "$folder" && mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory="$folder") < /dev/null
  done < "$list"
  stamp_of "$list" > "$folder/.osdear-stamp"
}

# Debian 12's Go is too old for these servers, but it can fetch a newer one as the module that it is.
new_go() {
  if ! command -v go > /dev/null; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends golang-go >&2
  fi
  if go version 2>/dev/null | grep -Eq 'go1\.(2[5-9]|[3-9][0-9])|go[2-9]'; then
    command -v go
    return 0
  fi
  module=golang.org/toolchain@v0.0.1-go1.25.5.linux-$(dpkg --print-architecture)
  folder=$(go env GOMODCACHE)/$module
  if [ ! -x "$folder/bin/go" ]; then
    go mod download "$module"
    chmod -R u+w "$folder"
    chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/* # modules hold no programs, so they come as plain files
  fi
  echo "$folder/bin/go"
}

# MinIO's releases are not to be had from the module proxy by name; this is its last state before it was given up.
servers() {
  list=$here/go-servers.txt
  if is_current "$cache/go" "$list"; then
    return 0
  fi
  mkdir -p "$cache/go"
  go=$(new_go)
  while read -r module; do
    program=$cache/go/bin/$(basename "${module%@*}")
    [ -x "$program" ] && "$go" version -m "$program" | grep -q "${module#*@}" || GOROOT='' GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=0 GOBIN=$cache/go/bin \
      "$go" install -trimpath -ldflags '-s -w' "$module" < /dev/null
  done < "$list"
  stamp_of "$list" > "$cache/go/.osdear-stamp"
}

mkdir -p "$cache"
exec 8> "$cache/prepare.lock"
flock 8
for what in "$@"; do
  case $what in
    packages) packages ;;
    python) environment "$cache/venv" "$here/requirements.txt" ;;
    airflow) environment "$cache/airflow" "$here/requirements-airflow.txt" ;;
    spark)
      environment "$cache/spark" "$here/requirements-spark.txt"
      jars "$cache/spark-jars" "$here/spark-jars.txt"
      ;;
    s3) servers ;;
    *)
      echo "prepare.sh: packages, python, spark or s3, not $what" >&2
      exit 2
      ;;
  esac
done
