"""permessage-deflate once per cohort frame (tickcast) against once per connection (npm ws): the same ticks, one processor.

usage: deflate.py PROGRAM [--connections N] [--drained N] [--rounds R] [--seconds S] [--burst B] [--loads L,L]
                  [--servers "NAME; NAME"] [--json FILE]
       PROGRAM   bench/tickcast_lines of a release build: tickcast with a feed that takes a publisher's lines
       --loads   ticks a second, in bursts of B ticks; what a server cannot deliver of a load is told as its limit
       --drained so many of the subscribers only read away what comes (drain.py). To unpack and understand a tick costs more than
                 to send one that was packed for all: else the subscribers are at their limit first. For tickcast alone, whose
                 own count of what it sent to all is taken then

Each server gets the bursts over one TCP connection and sends each to every subscriber as one message (tickcast: as one batch
frame). Rounds are interleaved: in each, every load runs on every server, just started. The subscribers are `tickcast bench`, on
another processor; they unpack all they get. Processor time is the server's process alone, its threads together; "clients": that
of subscribers and publisher, which share the other processor.
"""
import argparse
import json
import os
import shutil
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [BENCH, os.path.join(BENCH, "compare")]
import peers  # noqa: E402
from local_server import bench_report, free_port, pinned, start_bench  # noqa: E402

WARMUP = 1.0  # s of ticks before the measurement
EDGE = 0.1    # s at either end of it in which the server's processor time is not read
PROBES = 2    # descriptors that may still stand for who asked whether the server's ports answer


class Tickcast(peers.Tickcast):
    """options: of bench. The feed is asked for lines every 5 ms, not all the time: latency is not measured here."""
    bench = ("--policy", "complete")
    ts_unit = 1000

    def __init__(self, name, cpu, program, options):
        super().__init__(cpu)
        self.name, self.program, self.options = name, program, [*self.bench, *options]

    def command(self, load):
        self.port, self.ingest = free_port(), free_port()
        return [self.program, "serve", "--listen", f"127.0.0.1:{self.port}", "--feed", f"lines:?port={self.ingest}",
                "--workers", "1", "--quiet", "--max-connections", "20000", "--ping-interval", "3600"]

    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def counters(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            found = re.findall(r"^tickcast_(\w+_total) (\d+)$", answer.read().decode(), re.M)
        return {name: int(value) for name, value in found}


class Ws(peers.Announced):
    ts_unit = 1

    def __init__(self, name, cpu, mode, options):
        super().__init__(cpu)
        self.name, self.mode, self.options = name, mode, ["--any", "--seq-key", "seq", *options]

    def absent(self):
        if shutil.which("node") is None:
            return "node is not installed"
        places = [os.path.join(BENCH, "compare"), os.path.join(os.path.dirname(BENCH), "web")]
        if any(os.path.isdir(os.path.join(place, "node_modules", "ws")) for place in places):
            return None
        return "the package ws is missing: npm ci in bench/compare"

    def command(self, load):
        return ["node", os.path.join(BENCH, "compare", "servers", "ws_deflate.mjs"), self.mode]

    def url(self):
        return f"ws://127.0.0.1:{self.port}/"

    def counters(self):
        return {}


def servers(a):
    deflate = ["--deflate"]
    return [Tickcast("tickcast", a.server_cpu, a.program, deflate),
            Ws("ws", a.server_cpu, "default", deflate),
            Ws("ws, level 1, no takeover", a.server_cpu, "like", deflate),
            Tickcast("tickcast, plain", a.server_cpu, a.program, []),
            Ws("ws, plain", a.server_cpu, "off", [])]


class Publisher:
    """Bursts at a fixed rate, from a thread; `with` ends it. unit: by what the times are divided (1: ns)."""

    def __init__(self, port, rate, burst, unit):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.step, self.burst, self.unit = burst / rate, burst, unit
        self.over, self.fault = threading.Event(), None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        begin, number = time.monotonic(), 0
        try:
            while not self.over.wait(max(0, begin + number * self.step - time.monotonic())):
                now = time.time_ns() // self.unit
                first = number * self.burst + 1
                self.socket.sendall("".join(tick(seq, now) for seq in range(first, first + self.burst)).encode())
                number += 1
        except OSError as error:
            self.fault = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.socket.close()


def tick(seq, ts):
    """As bench/compare/load/publisher.c makes them."""
    return (f'{{"type":"trade","seq":{seq},"symbol":"S{seq * 7919 % 500:03}","price":{100 + seq % 400}.{seq % 100:02},'
            f'"size":{1 + seq % 900},"ts":{ts}}}\n')


def main():
    a = arguments()
    cpus = sorted(os.sched_getaffinity(0))
    a.server_cpu, a.client_cpu = (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)
    if a.client_cpu is not None:
        os.sched_setaffinity(0, {a.client_cpu})  # the publisher's thread, beside the subscribers
    run, rows = chosen(a), []
    for number in range(a.rounds):
        for load in a.loads:
            for server in run:
                row = measure(a, server, load)
                row.update(server=server.name, load=load, round=number)
                rows.append(row)
                print(f"round {number + 1}  {line(row)}", flush=True)
    print(f"\nmedians of {a.rounds} rounds, {a.connections} subscribers, bursts of {a.burst} ticks\n{table(rows)}")
    if a.json:
        with open(a.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return 0


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--drained", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--burst", type=int, default=50)
    parser.add_argument("--loads", default="100,1000", type=lambda text: [float(word) for word in text.split(",")])
    parser.add_argument("--servers", help="of the names in the table; without: all")
    parser.add_argument("--json")
    a = parser.parse_args()
    if a.connections < 1 or a.rounds < 1 or a.burst < 1 or min(a.loads) <= 0:
        parser.error("--connections, --rounds and --burst of 1 or more, --loads above 0")
    if not 0 <= a.drained < a.connections:
        parser.error("--drained: fewer than --connections, for somebody must see that what comes is true")
    if a.seconds - 2 * EDGE < a.burst / min(a.loads):
        parser.error(f"--seconds: a burst of the smallest load takes {a.burst / min(a.loads):g} s; use {2 * EDGE:g} s more than that")
    a.program = os.path.abspath(a.program)
    return a


def chosen(a):
    run = servers(a)
    if a.servers:
        names = {server.name for server in run}
        wanted = [name.strip() for name in a.servers.split(";")]
        if not set(wanted) <= names:
            raise SystemExit(f"deflate: --servers: separated by ; there are: {'; '.join(sorted(names))}")
        run = [server for server in run if server.name in wanted]
    if a.drained and not all(isinstance(server, Tickcast) for server in run):
        raise SystemExit('deflate: --drained is for tickcast alone: --servers "tickcast; tickcast, plain"')
    for server in run:
        why = server.absent()
        if why:
            raise SystemExit(f"deflate: {server.name} cannot run here: {why}")
    return run


def measure(a, server, load):
    """What one server made of one load."""
    drain = process = None
    try:
        server.start(None)
        drain = start_drain(a, server)
        before = descriptors(server.process)
        readers = a.connections - a.drained
        process = start_bench(a.program, a.client_cpu, ["--url", server.url(), "--connections", str(readers), "--duration",
                                                        f"{a.seconds:g}", "--warmup", f"{WARMUP:g}", *server.options])
        wait_connected(server.process, process, before + readers - PROBES)
        with Publisher(server.ingest, load, a.burst, server.ts_unit) as publisher:
            time.sleep(WARMUP + EDGE)
            window = Window(server, [process] + ([drain] if drain else []))
            time.sleep(whole_steps(a.seconds - 2 * EDGE, a.burst / load))
            window.end()
            report = bench_report(process, a.seconds)
        if publisher.fault:
            raise SystemExit(f"deflate: {server.name} took no more ticks: {publisher.fault}")
    except peers.Failed as error:
        raise SystemExit(f"deflate: {server.name}: {error}") from error
    finally:
        for started in (process, drain):
            end(started)
        server.stop()
    return row_of(a, server, load, report, window)


def start_drain(a, server):
    if not a.drained:
        return None
    path = "/v1/ws?symbols=*&policy=complete&snapshot=0"
    fields = ["Sec-WebSocket-Extensions: permessage-deflate"] if "--deflate" in server.options else []
    command = [sys.executable, os.path.join(BENCH, "path", "drain.py"), str(server.port), path, str(a.drained), *fields]
    drain = subprocess.Popen(pinned(a.client_cpu) + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if not drain.stdout.readline():
        raise SystemExit("deflate: those that only read did not connect")
    return drain


def end(process):
    if process is None:
        return
    if process.poll() is None:
        process.kill()
    process.communicate()


class Window:
    """Processor time and the server's own counts, from its beginning to its end."""

    def __init__(self, server, clients):
        self.server, self.clients, self.began = server, clients, time.monotonic()
        self.at_first = self.now()

    def now(self):
        clients = sum(map(cpu_ns, self.clients)) + time.process_time_ns()
        return {"cpu": cpu_ns(self.server.process), "clients": clients, **self.server.counters()}

    def end(self):
        self.seconds = time.monotonic() - self.began
        self.memory = resident(self.server.process)
        last = self.now()
        self.rate = {name: (last[name] - value) / self.seconds for name, value in self.at_first.items()}
        self.share, self.clients_share = self.rate["cpu"] / 1e9, self.rate["clients"] / 1e9


def whole_steps(seconds, step):
    """As long as so many bursts take: whenever it begins, it has that many."""
    return max(1, int(seconds / step)) * step


def row_of(a, server, load, report, window):
    readers, share = report["readers"], window.share
    offered = load * a.connections
    ticks = window.rate["ticks_total"] if a.drained else readers["ticks_per_second"]
    slack = a.burst * a.connections / report["seconds"] + (offered / 100 if a.drained else 0)
    if ticks + slack >= offered:
        ticks = offered  # all: the measurement began or ended between two bursts; counts are not read at one moment either
    if ticks == 0 or report["failed"]:
        raise SystemExit(f"deflate: {server.name}: no ticks, or wrong ones: {report.get('first', 'nothing was delivered')}")
    return {"offered": offered, "delivered": ticks, "cpu": share, "ns_per_tick": share / ticks * 1e9,
            "bytes_per_tick": readers["bytes"] / readers["ticks"], "packed": readers["packed"], "messages": readers["messages"],
            "ratio": report.get("deflate", {}).get("ratio", 1), "takeover": report.get("deflate", {}).get("takeover", 0),
            "agreed": report.get("deflate", {}).get("agreed", 0), "memory": window.memory, "clients": window.clients_share,
            "for_each_packed": for_each_packed(window.rate)}


def for_each_packed(rate):
    """To how many a packed frame went; 0: none was packed, or the server does not say."""
    return rate["frames_total"] / rate["deflate_frames_total"] if rate.get("deflate_frames_total") else 0


def wait_connected(server, bench, wanted):
    """Until the server has descriptors for its subscribers; then their measurement begins after the warm-up."""
    end = time.monotonic() + 60
    while descriptors(server) < wanted:
        if time.monotonic() > end or bench.poll() is not None:
            bench.kill()
            raise SystemExit(f"deflate: the subscribers did not connect: {bench.communicate()[1].strip()[-300:]}")
        time.sleep(0.005)


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def cpu_ns(process):
    """Of all its threads; a clock tick of /proc/PID/stat would be too coarse for a server that is nearly idle."""
    total = 0
    for task in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def resident(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def line(r):
    limit = "" if r["delivered"] >= r["offered"] else "  at its limit"
    return (f"{r['load']:6g} ticks/s  {r['server']:26}{r['delivered'] / 1000:9.1f} of {r['offered'] / 1000:7.1f} k/s"
            f"{r['cpu'] * 100:7.1f} %{r['ns_per_tick']:9.0f} ns/tick{r['bytes_per_tick']:8.1f} bytes/tick"
            f"{r['memory'] / 1e6:7.0f} MB  clients {r['clients'] * 100:5.1f} %  packed for {r['for_each_packed']:4.1f}{limit}")


def table(rows):
    """Markdown. Beside each server that is not the first of its load: processor time a tick as a ratio to the first one's."""
    out = ["| ticks/s | server | delivered, thousand ticks/s | processor | ns a tick | to the first | bytes a tick | memory, MB | clients | packed for |",
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    groups = {}
    for row in rows:
        groups.setdefault(row["load"], {}).setdefault(row["server"], []).append(row)
    for load, by_server in groups.items():
        first = next(iter(by_server.values()))
        for name, own in by_server.items():
            middle = {key: statistics.median(r[key] for r in own) for key in
                      ("offered", "delivered", "cpu", "ns_per_tick", "bytes_per_tick", "memory",
                       "clients", "for_each_packed")}
            ratios = [x["ns_per_tick"] / y["ns_per_tick"] for x, y in zip(own, first)]
            short = "" if middle["delivered"] >= middle["offered"] else f" of {middle['offered'] / 1000:.0f}"
            out.append(f"| {load:g} | {name} | {middle['delivered'] / 1000:.1f}{short} | {middle['cpu']:.1%} | "
                       f"{middle['ns_per_tick']:.0f} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
                       f"{middle['bytes_per_tick']:.1f} | {middle['memory'] / 1e6:.0f} | {middle['clients']:.1%} | "
                       f"{middle['for_each_packed']:.1f} |")
    return "\n".join(out)


if __name__ == "__main__":
    sys.exit(main())
