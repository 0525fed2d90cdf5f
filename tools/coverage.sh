#!/bin/sh
# Runs the tests with gcov instrumentation and prints the line coverage of core/ and feeds/.
set -eu
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null || {
    echo "coverage: gcovr is missing: apt-get install gcovr" >&2
    exit 1
}
# Counters of two compilers' caches would be mixed up.
CCACHE_DISABLE=1 tools/build.sh coverage all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=OFF -DTICKCAST_WEB=OFF
find build/coverage -name '*.gcda' -delete
ctest --preset coverage -L '^(unit|property|sim|diff|stress)$' || status=$?
gcovr -r . --object-directory build/coverage --filter 'core/' --filter 'feeds/' --txt build/coverage.txt \
    --html-details build/coverage/index.html --exclude-throw-branches
cat build/coverage.txt
echo "coverage: details in build/coverage/index.html"
exit "${status:-0}"
