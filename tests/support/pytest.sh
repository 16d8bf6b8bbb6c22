#!/bin/sh
# Runs the pytest files of a folder in the environment that prepare.sh made, with the package that run.sh installed:
#
#   pytest.sh FOLDER [ARGUMENT...]
#
# OSDEAR_SITE is the folder that the wheel was installed to. What is missing is said as a skip.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
cache=${OSDEAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/osdear}
python=${OSDEAR_PYTHON:-$cache/venv/bin/python}

if [ ! -x "$python" ]; then
  echo "1..0 # SKIP no $python: run tests/support/prepare.sh python"
  exit 0
fi
if [ ! -d "${OSDEAR_SITE:-/nonexistent}/osdear" ]; then
  echo "1..0 # SKIP OSDEAR_SITE names no folder with the package: run tests/run.sh"
  exit 0
fi
export OSDEAR_CACHE="$cache" PYTHONPATH="$OSDEAR_SITE:$here" PYTHONDONTWRITEBYTECODE=1 TZ=UTC
exec "$python" -m pytest -p tap_plugin -p no:cacheprovider -q "$@"
