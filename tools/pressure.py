"""What slow and hostile clients cost the others: rounds without and with them, interleaved, and the ratio of the honest ones'
p99 (age of the oldest tick in each frame) and frames. Figures of one machine at one time: only the ratios mean something.

usage: pressure.py PROGRAM CROWD [ROUNDS [SECONDS]]
"""
import os
import statistics
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e", "server"))
os.environ["TICKCAST"], os.environ["CROWD"] = sys.argv[1:3]
import test_crowds as crowds  # noqa: E402  (needs the path above)
from crowd import Crowd  # noqa: E402
from rig import Server  # noqa: E402

ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
SECONDS = float(sys.argv[4]) if len(sys.argv) > 4 else 5
ARGS = ["--workers", "1", "--ping-interval", "80000", "--max-connections", "2048", "--handshake-timeout", "2"]
HONEST, BAD = 990, 10


def main():
    kinds = {"none": None, "stuck": "hold", "trickle": "trickle", "abuse": "abuse"}
    seen = {name: [] for name in kinds}
    for round_number in range(ROUNDS):
        for name, mode in kinds.items():
            seen[name].append(one(mode))
            p99, frames = seen[name][-1]
            print(f"round {round_number + 1}, {name}: p99 {p99} us, {frames} frames", flush=True)
    for name in list(kinds)[1:]:
        ratios = [[b[i] / a[i] for a, b in zip(seen["none"], seen[name])] for i in (0, 1)]
        print(f"{name}: p99 x {statistics.median(ratios[0]):.2f}, frames x {statistics.median(ratios[1]):.2f}"
              f" (medians of {ROUNDS} rounds against the round without; p99 {min(ratios[0]):.2f} to {max(ratios[0]):.2f})")


def one(mode):
    with Server(*ARGS, "--batch-us", "20000", feed="sim:?symbols=20&rate=1000&seed=7") as server, \
            Crowd(server, HONEST, "/v1/ws?symbols=*&policy=complete&snapshot=0") as honest:
        stop = threading.Event()
        if mode == "abuse":
            bad = [crowds.Abuser(server, once, stop) for once in crowds.BAD]
            for abuser in bad:
                abuser.start()
            result = wait_and_measure(honest)
            stop.set()
            for abuser in bad:
                abuser.join(20)
            return result
        if mode is None:
            return wait_and_measure(honest)
        with Crowd(server, BAD, "/v1/ws?symbols=*", mode, rcvbuf=2048):
            return wait_and_measure(honest)


def wait_and_measure(honest):
    time.sleep(1)
    before = honest.report()
    time.sleep(SECONDS)
    after = honest.report()
    assert (after["gaps"], after["broken"], after["gone"]) == (0, 0, 0), after["broken_text"]
    return after["p99_us"], after["ticks_frames"] - before["ticks_frames"]


if __name__ == "__main__":
    main()
