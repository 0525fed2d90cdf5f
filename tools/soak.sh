#!/bin/sh
# SOAK_SECONDS (600) in halves: seeds of the simulated network that no test has run yet, then the real program under
# load. The first seed is taken from the clock and printed; a failing run names its seed.
set -eu
cd "$(dirname "$0")/.."
: "${SOAK_SECONDS:=600}" "${SOAK_SEED:=$(date +%s)}"
tools/build.sh release all -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
half=$((SOAK_SECONDS / 2))
end=$(($(date +%s) + half))
seeds=0
echo "soak: seeds from $SOAK_SEED (SOAK_SEED=$SOAK_SEED repeats them)"
while [ "$(date +%s)" -lt "$end" ]; do
    build/release/tests/sim/worker_sim --first $((SOAK_SEED + seeds)) --seeds 50 >build/soak-sim.log 2>&1 || {
        tail -20 build/soak-sim.log # it names the seed, and how to repeat it
        echo "soak: FAILED"
        exit 1
    }
    seeds=$((seeds + 50))
done
echo "soak: $seeds seeds passed"
exec /usr/bin/python3 tools/soak.py "$half" build/release/tickcast
