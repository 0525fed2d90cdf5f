#!/bin/sh
# tools/build.sh PRESET TARGET [-DNAME=VALUE ...]: configures where needed and builds one target.
# A first configuration without options leaves tests and benchmarks out, so that the program can be built with
# its own dependencies alone; a directory that was configured with them stays as it is.
set -eu
cd "$(dirname "$0")/.."
preset=$1
target=$2
shift 2
: "${JOBS:=2}"

if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER="${CMAKE_C_COMPILER_LAUNCHER:-ccache}"
    export CMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}"
fi

if [ $# -eq 0 ] && [ ! -f "build/$preset/build.ninja" ]; then
    set -- -DTICKCAST_TESTS=OFF -DTICKCAST_BENCH=OFF
fi
if [ $# -gt 0 ]; then
    mkdir -p build
    cmake --preset "$preset" "$@" >"build/$preset.configure.log" 2>&1 || {
        cat "build/$preset.configure.log" >&2
        echo "build: configuring $preset failed" >&2
        exit 1
    }
fi
cmake --build "build/$preset" --target "$target" --parallel "$JOBS"
