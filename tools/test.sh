#!/bin/bash
# tools/test.sh release|asan|tsan ...: builds and runs the tests of each and closes with one line, the sum.
# Exits 1 if a build or a test failed; the others are run all the same. The sum is also in build/test-summary.
# Sanitizer runs leave out the tests that only drive the finished program.
set -u
cd "$(dirname "$0")/.."
: "${JOBS:=2}"
export JOBS
mkdir -p build

NOASLR=
setarch -R true 2>/dev/null && NOASLR="setarch -R"
sanitized='^(unit|property|sim|diff|stress|fuzz)$'

passed=0 failed=0 skipped=0 detail=

build_one() {
    case $1 in
    release) tools/build.sh release all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON ;;
    *) tools/build.sh "$1" all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=OFF -DTICKCAST_WEB=OFF ;;
    esac
}

run_one() {
    case $1 in
    release) ctest --preset release --no-tests=error ;;
    *) $NOASLR ctest --preset "$1" --no-tests=error -L "$sanitized" ;;
    esac
}

# Reads ctest's closing line ("97% tests passed, 2 tests failed out of 80") and its list of skips.
count_one() {
    local line bad all skips inside
    line=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$2" | tail -1)
    if [ -z "$line" ]; then
        failed=$((failed + 1))
        detail="$detail, $1 without a result"
        return
    fi
    bad=$(sed -E 's/.* ([0-9]+) tests failed.*/\1/' <<<"$line")
    all=$(sed -E 's/.*out of ([0-9]+).*/\1/' <<<"$line")
    skips=$(grep -cE '^\s+[0-9]+ - .* \((Skipped|Disabled)\)' "$2")
    passed=$((passed + all - bad - skips)) failed=$((failed + bad)) skipped=$((skipped + skips))
    detail="$detail, $1 $((all - bad - skips)) of $all"
    # A test of ctest's that holds many may have left out some of them (tests/e2e/server/skips.py).
    inside=$(grep -h '^skipped inside: ' "build/$1/Testing/Temporary/LastTest.log")
    [ -n "$inside" ] || return
    echo "$inside"
    detail="$detail, $(wc -l <<<"$inside") skipped inside"
}

status=0
for preset in "$@"; do
    echo "== $preset: build"
    if ! build_one "$preset"; then
        failed=$((failed + 1)) status=1
        detail="$detail, $preset did not build"
        continue
    fi
    echo "== $preset: test"
    run_one "$preset" 2>&1 | tee "build/test-$preset.log"
    [ "${PIPESTATUS[0]}" = 0 ] || status=1
    count_one "$preset" "build/test-$preset.log"
done

echo "$passed $failed $skipped" >build/test-summary
[ "$failed" = 0 ] || status=1
echo
echo "$passed passed, $failed failed, $skipped skipped (${detail#, }; ${SECONDS} s)"
exit $status
