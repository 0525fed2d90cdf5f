#!/bin/sh
# Runs each fuzzer for FUZZ_SECONDS (60), or the one named by FUZZ; at most FUZZ_RUNS inputs each, if that is given.
# It explores: a fresh seed, which is told. New inputs go to build/fuzz-corpus/NAME, never into the kept corpus; a crash
# is left there too, and the line that replays it is printed.
#
# With FUZZ_SEED it repeats: the kept corpus alone, in the order of its names, and no addresses that change from run to
# run (a fuzzer learns words from what the code compares, pointers among them), so an empty environment and arguments
# of one size too. The same seed, program and corpus are then the same inputs in the same order, and a shorter time is
# the same run cut short.
set -eu
cd "$(dirname "$0")/.."
: "${FUZZ_SECONDS:=60}" "${FUZZ_RUNS:=-1}"
mkdir -p build
tools/build.sh fuzz tests/fuzz/all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=OFF -DTICKCAST_WEB=OFF \
    >build/fuzz.build.log 2>&1 || { # told only where it failed: what a fuzzer found must not drown in it
    cat build/fuzz.build.log
    exit 1
}
# Where the system does not let it turn them off, addresses change all the same, and a run is nearly the same.
same="env -i PATH=/usr/bin:/bin $(setarch -R true 2>/dev/null && echo setarch -R || :)"
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
    kept=tests/fuzz/corpus/$short
    seed=${FUZZ_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
    set -- -seed="$seed" "-runs=$(printf %08d "$FUZZ_RUNS")" "-max_total_time=$(printf %06d "$FUZZ_SECONDS")" \
        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$fresh/"
    [ -f "tests/fuzz/$short.dict" ] && set -- "$@" "-dict=tests/fuzz/$short.dict"
    if [ -n "${FUZZ_SEED:-}" ]; then
        set -- $same "$program" "$@" "-seed_inputs=$(find "$kept" -type f | LC_ALL=C sort | paste -sd, -)"
    else
        set -- "$program" "$@" "$fresh" "$kept"
    fi
    echo "== $short: seed $seed, at most $FUZZ_SECONDS s$([ "$FUZZ_RUNS" = -1 ] || echo " and $FUZZ_RUNS inputs")"
    "$@" 2>"$fresh.log" || {
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
