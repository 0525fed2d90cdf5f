#!/bin/sh
# The same inputs on every run, so that a change fails here only for what it changed: each fuzzer from the kept corpus
# with one seed, at most FUZZ_RUNS inputs (10000) and FUZZ_SECONDS (5); built by clang-14 in build/fuzz. `make fuzz` is
# what explores.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v clang-14 >/dev/null; then
    echo "skipped: clang-14 is not installed (make deps-test); the corpora were run without it"
    exit 77
fi
export FUZZ_SEED="${FUZZ_SEED:-1}" FUZZ_RUNS="${FUZZ_RUNS:-10000}" FUZZ_SECONDS="${FUZZ_SECONDS:-5}"
exec tools/fuzz.sh
