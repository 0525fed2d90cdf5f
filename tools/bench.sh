#!/bin/sh
# Builds all benchmarks, runs them one after the other and compares with the last kept run: tools/bench.py.
# Arguments: --benchmark_... go to each program; --keep writes bench/results/reference.json. Without a filter the
# whole path on loopback is measured too.
set -eu
cd "$(dirname "$0")/.."
tools/build.sh release all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
path="--path build/release/tickcast"
for argument in "$@"; do
    case $argument in --benchmark_*) path= ;; esac
done
exec /usr/bin/python3 tools/bench.py build/release/bench $path "$@"
