"""Serves a busy simulated market for a while to fast readers, slow ones and ones that come and go, and watches that
memory and descriptors stay where they were after warming up. Every stream is checked frame by frame.

usage: soak.py SECONDS [PROGRAM]
"""
import os
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e", "server"))
if len(sys.argv) > 2:
    os.environ["TICKCAST"] = sys.argv[2]
from rig import Server  # noqa: E402  (needs the path above)

FAST, SLOW, COMING = 6, 6, 2
RSS_GROWTH_KIB = 8192


class Reader(threading.Thread):
    """One subscriber at a time, checked by its client; a new one after `lives_s` where that is given."""

    def __init__(self, server, path, pause_s, lives_s, stop):
        super().__init__(daemon=True)
        self.server, self.path, self.pause_s, self.lives_s, self.stop = server, path, pause_s, lives_s, stop
        self.frames = self.gaps = self.lives = 0
        self.failure = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.live()
        except Exception as error:  # told by the main thread, with the path
            if not self.stop.is_set():
                self.failure = error
                self.stop.set()

    def live(self):
        client = self.server.client(self.path, rcvbuf=0 if self.pause_s == 0 else 8192)
        end = time.monotonic() + self.lives_s if self.lives_s else float("inf")
        self.lives += 1
        while not self.stop.is_set() and time.monotonic() < end:
            self.gaps += client.next()["type"] == "gap"
            self.frames += 1
            self.stop.wait(self.pause_s)
        client.close()


def main():
    seconds = float(sys.argv[1])
    stop = threading.Event()
    with Server("--log-capacity", "65536", feed="sim:?symbols=200&rate=5000&seed=1") as server:
        readers = [Reader(server, f"/v1/ws?symbols=*&rate={5 + i}", 0, 0, stop) for i in range(FAST)]
        readers += [Reader(server, "/v1/ws?symbols=*", 2, 0, stop) for _ in range(SLOW)]
        readers += [Reader(server, "/v1/ws?symbols=*&rate=5", 0, 1, stop) for _ in range(COMING)]
        for reader in readers:
            reader.start()
        # A lap of the log and some comings and goings first: memory is reserved and touched on use.
        stop.wait(max(20, seconds / 10))
        base = usage(server.process.pid)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not stop.is_set():
            stop.wait(min(30, max(0, end - time.monotonic())))
            print(f"soak: {seconds - (end - time.monotonic()):.0f} s, {line(server, readers)}", flush=True)
        last = usage(server.process.pid)
        stop.set()
        status = server.stop()
    return report(readers, base, last, status)


def usage(pid):
    """Resident KiB and open descriptors."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        rss = next(int(text.split()[1]) for text in file if text.startswith("VmRSS"))
    return rss, len(os.listdir(f"/proc/{pid}/fd"))


def line(server, readers):
    rss, fds = usage(server.process.pid)
    frames, gaps = sum(r.frames for r in readers), sum(r.gaps for r in readers)
    return f"rss {rss} KiB, {fds} descriptors, {frames} frames checked, {gaps} gaps told"


def report(readers, base, last, status):
    bad = [f"{reader.path}: {reader.failure}" for reader in readers if reader.failure]
    bad += [f"{reader.path}: never got a frame" for reader in readers if reader.frames == 0]
    if last[0] > base[0] + RSS_GROWTH_KIB:
        bad.append(f"memory grew from {base[0]} to {last[0]} KiB")
    if last[1] > base[1] + COMING:
        bad.append(f"descriptors grew from {base[1]} to {last[1]}")
    if status != 0:
        bad.append(f"the server ended with {status}")
    for text in bad:
        print(f"soak: {text}")
    print(f"soak: {'FAILED' if bad else 'passed'}; rss {base[0]} -> {last[0]} KiB, descriptors {base[1]} -> {last[1]}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
