#!/bin/sh
# Builds the wheel, installs it for the tests alone, and runs the pytest files of a folder on it, beside the other engines:
#
#   pytest.sh SOURCE_FOLDER BUILD_FOLDER FOLDER
#
# The environment is the one that prepare.sh made. The package goes to BUILD_FOLDER/site.
set -eu
source=$1 build=$2 folder=$3
here=$(cd "$(dirname "$0")" && pwd -P)
cache=${OSDEAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/osdear}
environment=$cache/venv

if [ ! -x "$environment/bin/python" ]; then
  echo "1..0 # SKIP no Python environment: sh tests/support/prepare.sh python makes it"
  exit 0
fi
PATH=$environment/bin:$PATH
rm -rf "$build/site"
# Sanitizers and the like are the build's own; the wheel is what users get. Its build folder is kept, to compile only what changed.
"$environment/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --target "$build/site" \
  --config-settings=build-dir="$build/wheel" "$source" > "$build/pip.txt" 2>&1 || {
  sed 's/^/# /' "$build/pip.txt"
  echo 'not ok 1 - pip install .'
  echo '1..1'
  exit 1
}
export OSDEAR_CACHE="$cache" PYTHONPATH="$build/site:$here" PYTHONDONTWRITEBYTECODE=1 TZ=UTC
cd "$build"
exec "$environment/bin/python" -m pytest -p no:terminal -p tap_plugin -p no:cacheprovider --rootdir "$folder" "$folder"
