"""The whole path on loopback, as rows: `tickcast serve` on one processor, `tickcast bench` on another.

usage: path.py PROGRAM [--lists] [--seconds S] [--connections N] [--rounds R]
       --lists   watch lists of 20 symbols out of 500 at 10 000 ticks/s: one for all against N different ones, and against
                 10 000; what a send costs the server as a ratio within each round

Rows are printed and, with --json FILE, kept as Google Benchmark's JSON, so that tools/bench.py compares them like stages.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from local_server import bench_report, end_process, free_port, pinned, start_bench, wait_answers  # noqa: E402

LISTS_FEED = "sim:?symbols=500&rate=10000&halts=0"


class Server:
    """`tickcast serve` on a free port; `with` ends it."""

    def __init__(self, program, cpu, feed, options=("--workers", "1")):
        self.port = free_port()
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(serve_command(program, cpu, self.port, feed, options), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        if not wait_answers(self.process, self.port):
            self.log.seek(0)
            raise SystemExit(f"path: the server did not start: {self.log.read().decode(errors='replace')[-400:]}")
        return self

    def __exit__(self, *_):
        end_process(self.process, 10)
        self.log.close()

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def used(self):
        """(processor seconds, sends, ticks) so far."""
        text = self.metrics()
        return sum(process_times(self.process.pid)), metric(text, "sends_total"), metric(text, "ticks_total")


def serve_command(program, cpu, port, feed, options=("--workers", "1")):
    return pinned(cpu) + [program, "serve", "--listen", f"127.0.0.1:{port}", "--quiet", "--feed", feed, *options]


def process_times(pid):
    """(user, system) processor seconds so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def main():
    a = arguments()
    cpus = sorted(os.sched_getaffinity(0))
    a.server_cpu, a.client_cpu = (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)
    rows = lists(a) if a.lists else path(a)
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump({"benchmarks": rows}, file, indent=1)
    return 0


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--lists", action="store_true")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    parser.set_defaults(watch=lambda *_: None)  # as Settings.watch
    return parser.parse_args()


def path(a):
    """Closed loops, frame a tick and batch: ticks delivered a second; median of the rounds."""
    cases = [(1, "tick"), (16, "tick"), (64, "tick"), (64, "batch")]
    seen = {case: [] for case in cases}
    for _ in range(a.rounds):
        for burst, frame in cases:
            with Server(a.program, a.server_cpu, f"sim:?rate=0&burst={burst}&pace=workers") as server:
                report = load(a, server, ["--connections", str(a.connections), "--frame", frame])
            seen[burst, frame].append(report)
    rows = []
    for (burst, frame), reports in seen.items():
        readers = [r["readers"] for r in reports]
        ticks = statistics.median(r["ticks_per_second"] for r in readers)
        rows.append({"name": f"path/closed/burst:{burst}/frame:{frame}", "run_type": "iteration", "items_per_second": ticks,
                     "bytes_per_second": statistics.median(r["bytes_per_second"] for r in readers),
                     "real_time": 1e9 / ticks if ticks else 0, "time_unit": "ns"})
        parsed = statistics.median(r["readers"]["ticks_per_second"] / r["cpu_all"] for r in reports)
        print(f"{rows[-1]['name']:44}{ticks / 1000:12.0f} thousand ticks/s; of bench itself "
              f"{statistics.median(r['cpu_all'] for r in reports):4.0%} of a processor, {parsed / 1000:.0f} thousand ticks/s per processor",
              flush=True)
    return rows


def lists(a):
    cases = [("one list for all", a.connections, 1), (f"{a.connections} lists", a.connections, a.connections),
             (f"{a.many} connections, one list", a.many, 1), (f"{a.many} lists", a.many, a.many)]
    cost = {name: [] for name, _, _ in cases}
    rows = []
    for number in range(a.rounds):
        for name, connections, count in cases:
            us, per_send, _, _ = send_cost(a, connections, count)
            cost[name].append(us)
            print(f"round {number + 1}  {name:34}{us:8.2f} us of the server a send, {per_send:6.2f} ticks a send", flush=True)
    for many, common in ((cases[1][0], cases[0][0]), (cases[3][0], cases[2][0])):
        ratios = [x / y for x, y in zip(cost[many], cost[common])]
        print(f"{many} against {common}: a send costs {statistics.median(ratios):.2f} times as much "
              f"({min(ratios):.2f}..{max(ratios):.2f})")
        rows.append({"name": f"path/watch_lists/{many}", "run_type": "iteration", "time_unit": "us",
                     "real_time": statistics.median(cost[many]), "ratio_to_common": statistics.median(ratios)})
    return rows


def send_cost(a, connections, count):
    """(us of the server a send, ticks a send, ticks/s delivered, share of its processor that the load took)."""
    with Server(a.program, a.server_cpu, LISTS_FEED) as server:
        end = time.monotonic() + 120
        while metric(server.metrics(), "head_seq") < 1000:  # lists are drawn from the symbols: all are there then
            if time.monotonic() > end:
                raise SystemExit("path: lists: the feed did not begin")
            time.sleep(0.02)
        process = start_bench(a.program, a.client_cpu, lists_options(server.port, connections, count, a.seconds))
        a.watch([server.process.pid], process.pid, connections, 1)
        while server.used()[1] < 4 * connections:  # all are there, and get ticks
            if time.monotonic() > end or process.poll() is not None:
                process.kill()
                raise SystemExit(f"path: lists: the load did not get going: {process.communicate()[1][-300:]}")
            time.sleep(0.2)
        before, began = server.used(), time.monotonic()
        time.sleep(a.seconds)
        after, seconds = server.used(), time.monotonic() - began
        client = bench_report(process, a.seconds)["cpu"]
    sends = after[1] - before[1]
    if sends == 0:
        raise SystemExit("path: lists: nothing was sent while it was measured")
    ticks = after[2] - before[2]
    return (after[0] - before[0]) / sends * 1e6, ticks / sends, ticks / seconds, client


def lists_options(port, connections, count, seconds):
    """Of the load: two seconds more than are looked at."""
    return ["--url", f"ws://127.0.0.1:{port}/v1/ws", "--duration", f"{seconds + 2:g}", "--connections", str(connections),
            "--policy", "conflate", "--lists", str(count), "--list-size", "20", "--warmup", "1"]


def load(a, server, options):
    return bench_report(start_load(a, server, options, a.seconds), a.seconds)


def start_load(a, server, options, seconds):
    return start_bench(a.program, a.client_cpu, ["--url", f"ws://127.0.0.1:{server.port}/v1/ws", "--duration", f"{seconds:g}", *options])


def metric(text, name):
    values = re.findall(rf"^tickcast_{name}(?:{{[^}}]*}})? (\d+)", text, re.M)
    if not values:
        raise SystemExit(f"path: /metrics has no tickcast_{name}")
    return sum(map(int, values))


if __name__ == "__main__":
    sys.exit(main())
