#!/bin/sh
# Builds the wheel, installs it for this run alone, checks its types, and runs pytest.
#
# usage: run.sh ENVIRONMENT SOURCE_FOLDER BUILD_FOLDER
set -eu
environment=$1 source=$2 build=$3
if [ ! -x "$environment/bin/python" ]; then
  echo '1..0 # SKIP no Python environment: tests/run.sh makes it'
  exit 0
fi
PATH=$environment/bin:$PATH
rm -rf "$build/site"
"$environment/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps --target "$build/site" "$source" \
  > "$build/pip.txt" 2>&1 || {
  sed 's/^/# /' "$build/pip.txt"
  echo 'not ok 1 - pip install .'
  echo '1..1'
  exit 1
}
export PYTHONPATH="$build/site:$source/tests/support" PYTHONDONTWRITEBYTECODE=1
cd "$build"
exec "$environment/bin/python" -m pytest -q -p tap_plugin -p no:cacheprovider --rootdir "$source/tests/python" "$source/tests/python"
