#!/bin/sh
# Looks for new failures of one target, starting from its corpus: ${OSDEAR_FUZZ_SECONDS:-8} seconds long.
#
#   run_target.sh TARGET CORPUS
#
# What it finds is printed in base64, to become a file of the corpus under a name that says what it shows.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/found" "$folder/artifacts"
if ! "$1" -max_total_time="${OSDEAR_FUZZ_SECONDS:-8}" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
  -artifact_prefix="$folder/artifacts/" "$folder/found" "$2" > "$folder/log" 2>&1; then
  tail -n 60 "$folder/log"
  for artifact in "$folder"/artifacts/*; do
    [ -f "$artifact" ] || continue
    echo "$(basename "$artifact"):"
    base64 "$artifact"
  done
  exit 1
fi
tail -n 8 "$folder/log"
