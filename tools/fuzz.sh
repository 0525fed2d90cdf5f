#!/bin/sh
# Runs each fuzzer for FUZZ_SECONDS (60), or the one named by FUZZ. New inputs go to build/fuzz-corpus/NAME,
# never into the kept corpus; a crash is left there too, and the line that replays it is printed.
set -eu
cd "$(dirname "$0")/.."
: "${FUZZ_SECONDS:=60}"
mkdir -p build
tools/build.sh fuzz tests/fuzz/all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=OFF -DTICKCAST_WEB=OFF \
    >build/fuzz.build.log 2>&1 || { # told only where it failed: what a fuzzer found must not drown in it
    cat build/fuzz.build.log
    exit 1
}
status=0 found=0
for program in build/fuzz/tests/fuzz/*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    name=${program##*/}
    short=${name#fuzz_}
    short=${short%_fuzz}
    [ -z "${FUZZ:-}" ] || [ "$FUZZ" = "$short" ] || continue
    found=1
    fresh=build/fuzz-corpus/$short
    mkdir -p "$fresh"
    kept=
    for folder in "tests/fuzz/corpus/$short" "tests/fuzz/corpus/$name"; do
        [ -d "$folder" ] && kept=$folder
    done
    words=
    [ -f "tests/fuzz/$short.dict" ] && words="-dict=tests/fuzz/$short.dict"
    echo "== $short: $FUZZ_SECONDS s"
    "$program" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$fresh/" $words "$fresh" $kept 2>"$fresh.log" || {
        status=1
        tail -40 "$fresh.log"
        echo "fuzz: $short failed; replay: $program $fresh/<crash file named above>"
    }
    grep -E 'stat::number_of_executed_units|cov: ' "$fresh.log" | tail -2
done
[ $found = 1 ] || {
    echo "fuzz: no fuzzer ${FUZZ:-} was built" >&2
    exit 1
}
exit $status
