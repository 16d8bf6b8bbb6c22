#!/bin/sh
# Installs what the tests need, builds the library in every way it is meant to be built, and runs every suite.
#
#   sh tests/run.sh                    all of it
#   sh tests/run.sh quick              unit and style, in one build
#   sh tests/run.sh --suite golden     this suite, in every build that has it; may be given again
#
# Nothing is written below the checkout: builds and tools live in ${OSDEAR_CACHE:-~/.cache/osdear}.
# The last line says `N passed, N failed, N skipped`. With CI=true a skipped test counts as failed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cache=${OSDEAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/osdear}
case $root in *[[:space:]]*) echo "run.sh: the checkout's path must not hold white space: $root" >&2; exit 2 ;; esac

suites=
builds_asked=
while [ $# -gt 0 ]; do
  case $1 in
    quick) suites="$suites unit style" builds_asked=sanitize ;;
    --suite) shift; suites="$suites ${1:?--suite needs a name}" ;;
    *) echo "usage: sh tests/run.sh [quick] [--suite NAME]..." >&2; exit 2 ;;
  esac
  shift
done

unset CFLAGS CPPFLAGS LDFLAGS CC CXX PYTHONPATH PYTHONHOME
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 OSDEAR_CACHE="$cache" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/go/bin
export OSDEAR_SHARED="${OSDEAR_SHARED:-$root/../shared}"

# Builds are kept for one folder on one disk: a clone that took the place of another must not meet the other's objects.
identity=$(stat -c '%d:%i:%W' "$root")
builds=$cache/build/$(printf '%s %s' "$root" "$identity" | sha256sum | cut -c 1-16)
logs=$builds/logs

forget_builds_without_source() {
  for folder in "$cache"/build/*; do
    [ -f "$folder/source" ] || continue
    read -r path known < "$folder/source"
    if [ "$(stat -c '%d:%i:%W' "$path" 2>/dev/null)" != "$known" ]; then
      rm -rf "$folder"
    fi
  done
}

# wanted SUITE...: prints those of them that were asked for.
wanted() {
  for suite in "$@"; do
    case " ${suites:-$suite} " in *" $suite "*) printf ' %s' "$suite" ;; esac
  done
}

# record RESULT NAME: one result that no test program reports, such as a build that fails.
record() {
  printf '1..1\n%s 1 - %s\n' "$1" "$2" > "$logs/$(printf %s "$2" | tr -c 'a-zA-Z0-9\n' -).tap"
}

# build NAME COMPILER OPTION... -- SUITE...: configures and builds the folder NAME, then runs the suites in it.
build() {
  name=$1
  compiler=$2
  shift 2
  options=
  while [ "$1" != -- ]; do
    options="$options $1"
    shift
  done
  shift
  run=$(wanted "$@")
  [ -n "$run" ] || return 0
  [ "${builds_asked:-$name}" = "$name" ] || return 0
  folder=$builds/$name
  echo "== $name:$run"
  # shellcheck disable=SC2086 # options are words without spaces
  if ! configure "$folder" "$compiler" $options > "$logs/$name.build.txt" 2>&1; then
    tail -n 60 "$logs/$name.build.txt"
    record 'not ok' "the build '$name' fails"
    return 0
  fi
  if ! ninja -C "$folder" >> "$logs/$name.build.txt" 2>&1; then
    grep -B 2 -A 20 -m 5 -E 'FAILED|error' "$logs/$name.build.txt" || tail -n 60 "$logs/$name.build.txt"
    record 'not ok' "the build '$name' fails"
    return 0
  fi
  for suite in $run; do
    test_one "$folder" "$name" "$suite"
  done
}

configure() {
  directory=$1
  tool=$2
  shift 2
  if [ -f "$directory/build.ninja" ]; then
    return 0
  fi
  rm -rf "$directory"
  CC=$tool meson setup "$directory" "$root" "$@"
}

# Meson's exit code says less than its log, which count.py reads; a suite that ran nothing has no log and is found there.
test_one() {
  echo "-- $2 $3"
  meson test -C "$1" --no-rebuild --suite "$3" --logbase "$2.$3" --print-errorlogs \
    > "$logs/$2.$3.txt" 2>&1 || true
  if [ -s "$1/meson-logs/$2.$3.json" ]; then
    cp "$1/meson-logs/$2.$3.json" "$logs/"
  else
    tail -n 20 "$logs/$2.$3.txt"
    record 'not ok' "the suite '$3' has no test in the build '$2'"
  fi
  rm -f "$1/meson-logs/$2.$3".*
}

# The Python environments are needed by some suites only.
needs() {
  [ -n "$(wanted "$@")" ]
}

# prepare WHAT...: what only some suites need. One that cannot be had is one failure; the other suites still run.
prepare() {
  for what in "$@"; do
    sh "$root/tests/support/prepare.sh" "$what" || record 'not ok' "prepare.sh $what fails"
  done
}

mkdir -p "$cache/build"
sh "$root/tests/support/prepare.sh" packages

forget_builds_without_source
mkdir -p "$builds"
printf '%s %s\n' "$root" "$identity" > "$builds/source"
exec 9> "$builds/lock"
flock 9
rm -rf "$logs"
mkdir -p "$logs"

if needs python docs peers examples containers; then
  prepare python
fi
if needs peers; then
  prepare spark airflow
fi
if needs s3 peers; then
  prepare s3
fi

build sanitize gcc -Db_sanitize=address,undefined -Dfaults=true -Dtests=enabled -- style unit conformance s3 fault fuzz golden cli
build release gcc --buildtype=release -Ddebug=true -Dtests=enabled -- abi package python docs examples peers bench containers golden
build threads clang -Db_sanitize=thread -Db_lundef=false -Dtests=enabled -- unit conformance
build minimal clang -Dauto_features=disabled -Dtests=enabled -Dcli=enabled -- unit
build fuzzing clang -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=enabled -Dfaults=true -Dcli=disabled -Dtests=disabled \
  -- fuzzing

exec python3 "$root/tests/support/count.py" "$logs"
