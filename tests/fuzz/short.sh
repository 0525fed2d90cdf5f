#!/bin/sh
# Each fuzzer for FUZZ_SECONDS (3), from the kept corpus; built by clang-14 in build/fuzz. `make fuzz` is the same for longer.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v clang-14 >/dev/null; then
    echo "skipped: clang-14 is not installed (make deps-test); the corpora were run without it"
    exit 77
fi
FUZZ_SECONDS=${FUZZ_SECONDS:-3} exec tools/fuzz.sh
