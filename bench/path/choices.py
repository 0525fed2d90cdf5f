"""What each choice gives: `make bench-choices`. Writes docs/choices-table.md and build/bench/choices.json.

usage: choices.py PROGRAM

Interleaved: in each round every variant of a choice runs, one after the other, each on a server just started; in odd rounds
the other way round. Figures are medians with the least and the most; *ratio* is to the first variant within the round.
Environment:

    ROUNDS=5 SECONDS=2 N=1000     how often, how long, how many connections (other sizes follow N)
    CHOICES="batch500 spin"       which; without: all. CHOICES=list prints them
    OUT=docs/choices-table.md     where to write; BUILD=build/bench: where choices.json goes
"""
import collections
import json
import math
import os
import statistics
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.dirname(HERE)]
import path  # noqa: E402
from local_server import end_process, free_port  # noqa: E402
from machine import Settings, commit, machine, raise_descriptors  # noqa: E402
from table_sides import (Failed, WARMUP_SECONDS, finish, start_bench, start_idle, used_while, wait_metric,  # noqa: E402
                         wait_subscribed)

PAGE = 4096  # rows of /v1/connections at a time

HEAD = """# What each choice gives

Made by `make bench-choices`; not edited by hand. Machine: {machine};
{begun}, {commit}, load {load:.1f} at the start.
{rounds} interleaved rounds of {seconds:g} s, N = {n}. Medians, in brackets the least and the most; *ratio* is of the figure that
is named to the first variant's, within one round.
"""


class Variant:
    """A server and a load, measured like the sides of the performance table. pinned: server on one processor, load on another."""

    def __init__(self, label, options, feed, size=1, frame="batch", workers=1, pinned=True):
        self.label, self.feed, self.size, self.frame, self.pinned = label, feed, size, frame, pinned
        self.options = ["--workers", str(workers), *options]
        self.timed = "rate=0" not in feed

    def say(self, s):
        return f"serve --feed '{self.feed}' {' '.join(self.options)}; {s.many(self.size)} connections, frame={self.frame}"

    def measure(self, s):
        connections = s.many(self.size)
        options = self.options + ["--max-connections", str(max(16384, 2 * connections))]
        with path.Server(s.program, s.server_cpu if self.pinned else None, self.feed, options) as server:
            target = f"/v1/ws?symbols=*&snapshot=0&frame={self.frame}"
            load = start_bench(s if self.pinned else s.unpinned(), server.port, target, connections, self.timed)
            wait_subscribed(server, load, connections)
            spent, seconds = used_while(server, WARMUP_SECONDS / 2 + s.seconds)
            report = finish(load, s)
        if report["failed"]:
            raise Failed(f"the load: {report.get('first', 'a connection was lost')}")
        return self.figures(report, spent, seconds)

    def figures(self, report, spent, seconds):
        if spent["ticks"] == 0 or (self.timed and not report["latency_ns"]["samples"]):
            raise Failed("no tick came while it was measured")
        used = spent["user"] + spent["system"]
        out = {"rate": spent["ticks"] / seconds / 1000, "per_send": spent["ticks"] / spent["sends"],
               "cost": used / spent["ticks"] * 1e6, "cpu": used / seconds * 100, "client": report["cpu"] * 100}
        if self.timed:
            out.update({key: report["latency_ns"][key] / 1e6 for key in ("p50", "p99")})
        return out


class Spread:
    """Connections of each worker: the kernel's choice by SO_REUSEPORT, which is a hash. sigma: of a binomial distribution."""

    def __init__(self, workers, size):
        self.workers, self.size = workers, size
        self.label = f"{size} N over {workers} workers" if size != 1 else f"N over {workers} workers"

    def say(self, s):
        return f"serve --feed 'sim:?rate=100' --workers {self.workers}; bench --idle --connections {s.many(self.size)}"

    def measure(self, s):
        count, admin = s.many(self.size), free_port()
        options = ["--workers", str(self.workers), "--max-connections", str(max(16384, 2 * count)),
                   "--admin-listen", f"127.0.0.1:{admin}"]
        with path.Server(s.program, None, "sim:?rate=100", options) as server:
            load = start_idle(s.unpinned(), server, count, 600)
            try:
                wait_metric(server, "upgrades_total", count, load)
                each = list(of_workers(admin).values())
            finally:
                end_process(load, 20)
        share, each = count / self.workers, each + [0] * (self.workers - len(each))
        sigma = math.sqrt(share * (1 - 1 / self.workers))
        return {"least": min(each), "most": max(each), "even": share, "sigmas": max(abs(n - share) for n in each) / sigma}


def of_workers(port):
    """{worker: connections that have upgraded}, page by page."""
    count, after = collections.Counter(), ""
    while True:
        url = f"http://127.0.0.1:{port}/v1/connections?sort=id&top={PAGE}{after}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            page = json.load(answer)
        count.update(row["id"].split("-")[0] for row in page["connections"] if row["state"] != "http")
        if not page.get("more"):
            return count
        after = f"&after={page['connections'][-1]['id']}"


COLUMNS = {  # key: (head, form)
    "rate": ("delivered", "{:.0f} k/s"), "per_send": ("ticks a send", "{:.1f}"),
    "cost": ("server's CPU a tick", "{:.3f} us"), "cpu": ("server's CPU", "{:.0f} %"),
    "p50": ("p50", "{:.2f} ms"), "p99": ("p99", "{:.2f} ms"), "client": ("client's CPU", "{:.0f} %"),
    "least": ("least", "{:.0f}"), "most": ("most", "{:.0f}"),
    "even": ("even share", "{:.0f}"), "sigmas": ("farthest off", "{:.1f} sigma"),
}


class Choice:
    def __init__(self, name, title, note, ratio, variants):
        self.name, self.title, self.note, self.ratio, self.variants = name, title, note, ratio, variants


CLOSED = "sim:?rate=0&burst=16&pace=workers"
TWO_NEEDED = ("Neither side is pinned, for a worker spins only where there is a processor for each thread: on two processors the "
              "load competes with it, and what spinning costs the load is in the figures.")
TWO_SHARED = ("Nothing is pinned: on two processors both workers, the feed and the load share them, so a second worker gains "
              "what the load leaves.")
BATCH = "Frames are batches. Delivered less than N times the rate: it does not keep up."
COHORT = "A frame a tick. Rendering is shared by a cohort, a submission is not bound to it."
SPREAD = ("Each worker accepts from a socket of its own; the kernel chooses by a hash of the addresses. A binomial distribution "
          "is farther off than 3 sigma in 0.3 % of the draws.")
ALL = (
    *(Choice(f"batch{rate}", f"--batch-us: least time between two visits of a cohort, {rate} ticks/s", BATCH, "cost", [
        Variant(f"{us} us", ["--batch-us", str(us)], f"sim:?rate={rate}") for us in (0, 1000, 5000, 20000)])
      for rate in (500, 10000)),
    *(Choice(name, f"--spin-us: how long an idle worker spins before it sleeps, {words} readers, 50 ticks/s", TWO_NEEDED, "p50", [
        Variant(f"{us} us", ["--spin-us", str(us)], "sim:?rate=50", size=size, frame="tick", pinned=False)
        for us in (0, 50, 200)])
      for name, words, size in (("spin-few", "N / 100", 0.01), ("spin", "N", 1))),
    Choice("cohort", "--cohort-members, closed loop of 16 a burst", COHORT, "rate", [
        Variant(f"{k} members", ["--cohort-members", str(k)], CLOSED, frame="tick") for k in (64, 32, 16, 4, 1)]),
    Choice("cohort-late", "--cohort-members at 500 ticks/s", "A frame a tick.", "p50", [
        Variant(f"{k} members", ["--cohort-members", str(k)], "sim:?rate=500", frame="tick") for k in (64, 32, 16, 4, 1)]),
    Choice("workers", "--workers, closed loop of 16 a burst", TWO_SHARED, "rate", [
        Variant(f"{n} workers", [], CLOSED, frame="tick", workers=n, pinned=False) for n in (1, 2)]),
    Choice("spread", "Connections over workers", SPREAD, None, [Spread(w, size) for size in (1, 10) for w in (2, 4)]),
)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    s = Settings("choices", sys.argv[1], rounds=5)
    raise_descriptors()
    chosen = choose()
    run = {"begun": time.strftime("%Y-%m-%d %H:%M"), "load": os.getloadavg()[0], "machine": machine(), "commit": commit(ROOT),
           "rounds": s.rounds, "seconds": s.seconds, "n": s.connections}
    results = {choice.name: {variant.label: [] for variant in choice.variants} for choice in chosen}
    for number in range(s.rounds):
        for choice in chosen:
            for variant in choice.variants if number % 2 == 0 else choice.variants[::-1]:
                results[choice.name][variant.label].append(measure(choice, variant, s, number))
    folder = os.environ.get("BUILD") or os.path.join(ROOT, "build", "bench")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "choices.json"), "w", encoding="utf-8") as file:
        json.dump({"run": run, "results": results}, file, indent=1)
    out = os.environ.get("OUT") or os.path.join(ROOT, "docs", "choices-table.md")
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    with open(out, "w", encoding="utf-8") as file:
        file.write(page(s, run, chosen, results))
    bad = sum(all("failed" in r for r in rounds) for each in results.values() for rounds in each.values())
    print(f"choices: {sum(len(c.variants) for c in chosen)} variants, {bad} without a figure; {out}")
    return 1 if bad else 0


def choose():
    known = {choice.name: choice for choice in ALL}
    wanted = (os.environ.get("CHOICES") or "").replace(",", " ").split()
    if wanted == ["list"]:
        sys.exit("\n".join(f"{choice.name:14}{choice.title}" for choice in ALL))
    for name in wanted:
        if name not in known:
            sys.exit(f"choices: CHOICES: no choice {name}; there are: {', '.join(known)}")
    return [known[name] for name in wanted] or list(ALL)


def measure(choice, variant, s, number):
    try:
        figures = variant.measure(s)
    except (Failed, SystemExit, OSError, ValueError, subprocess.SubprocessError) as error:
        figures = {"failed": str(error)}
    shown = figures.get("failed") or "  ".join(f"{key} {COLUMNS[key][1].format(value)}" for key, value in figures.items())
    print(f"round {number + 1}  {choice.name:12}{variant.label:24}{shown}", flush=True)
    return figures


def page(s, run, chosen, results):
    text = HEAD.format(**run)
    for choice in chosen:
        text += f"\n## {choice.title}\n\n{choice.note}\n\n{table(choice, results[choice.name])}\n"
        text += "".join(f"- {variant.label}: `{variant.say(s)}`\n" for variant in choice.variants)
    return text


def table(choice, rounds):
    base = rounds[choice.variants[0].label]
    keys = next((list(r) for each in rounds.values() for r in each if "failed" not in r), [])
    heads = ["variant", *(COLUMNS[key][0] for key in keys)] + ([f"ratio of {COLUMNS[choice.ratio][0]}"] if choice.ratio else [])
    text = f"| {' | '.join(heads)} | rounds |\n|{' --- |' * (len(heads) + 1)}\n"
    for variant in choice.variants:
        each = rounds[variant.label]
        good = [r for r in each if "failed" not in r]
        cells = [spread([r[key] for r in good], COLUMNS[key][1]) for key in keys]
        if choice.ratio:
            both = [(r[choice.ratio], b[choice.ratio]) for r, b in zip(each, base) if choice.ratio in r and b.get(choice.ratio)]
            cells.append(spread([own / first for own, first in both], "{:.2f}"))
        text += f"| {variant.label} | {' | '.join(cells)} | {len(good)} of {len(each)} |\n"
    return text


def spread(values, form):
    if not values:
        return "no figure"
    text = form.format(statistics.median(values))
    return text + (f" ({form.format(min(values))} to {form.format(max(values))})" if len(values) > 1 else "")


if __name__ == "__main__":
    sys.exit(main())
