#!/bin/sh
# Builds and runs every micro-benchmark one after the other; arguments go to each of them.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh release all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
found=0
for program in build/release/bench/*_bench; do
    [ -x "$program" ] || continue
    found=1
    echo "== ${program##*/}"
    "$program" "$@"
done
[ $found = 1 ] || {
    echo "bench: no benchmark was built" >&2
    exit 1
}
