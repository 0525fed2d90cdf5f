#!/bin/sh
# SOAK_SECONDS (600): half of it seeds of the simulated network that no test has run yet, a quarter the real program with
# 15 000 stuck subscribers, a quarter under load. The first seed is taken from the clock and printed; a failing run names its seed.
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
quarter=$((half / 2))
TICKCAST=build/release/tickcast CROWD=build/release/tests/e2e/tools/crowd PRESSURE_SECONDS=$quarter PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/e2e/server/test_crowds.py -k 'stuck_subscribers and uring'
exec /usr/bin/python3 tools/soak.py "$quarter" build/release/tickcast
