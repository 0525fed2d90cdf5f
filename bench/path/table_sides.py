"""What a row of the performance table puts side by side: each side is a server and a load, measured once a round.

A side is called with the settings (machine.Settings) and returns figures:

    ticks      delivered a second                       p50, p99   ms from the intended time of a tick
    user       user share of the server's processor time  wall     user share of the measured time
    client     processor share of the load's thread     full       share of sends that met a full socket
    cpu        share of its processor that the server took, and with it a publisher that stands beside it
    bytes      a tick                                   per_send   ticks
    cost       us of the server a send                  bytes_each of an idle connection

`say` is the same as two commands, for the page. The load is `tickcast bench --any`: it counts messages and looks into none (but
for the sampled ones where latency is taken), which is the cheapest client there is here.
"""
import json
import os
import subprocess
import time

import local_server
import path
from local_server import end_process, free_port, pinned, wait_answers
from table_words import shown

WARMUP_SECONDS = 0.5
EACH_TIMED = 100  # connections up to which every message is timed
LATE_SHARE, LATE_SECONDS = 0.01, 0.04  # what may be under way at either end; at a rate most are read every 20 ms


class Failed(Exception):
    """A side has no figure this time; the text says why."""


class Floor:
    """What the kernel allows: bench/floor."""
    label = "floor"

    def __init__(self, burst=1, frame="tick", rate=0, size=1, cohort=0, label=None):
        self.burst, self.frame, self.rate, self.size, self.cohort = burst, frame, rate, size, cohort
        self.label = label or ("floor in turns" if cohort else self.label)

    def options(self, s):
        out = ["--clients", str(s.many(self.size))]
        if self.rate:
            return out + ["--rate", str(self.rate)] + (["--cohort", str(s.many(self.size))] if self.cohort else [])
        return out + ["--burst", str(self.burst)] + (["--frame", self.frame] if self.frame != "tick" else [])

    def command(self, s, port):
        return pinned(s.server_cpu) + [s.floor, "--port", str(port), *self.options(s)]

    def say(self, s):
        return shown(self.command(s, "P")), bench_words(s, self.size, "/", timed=self.rate > 0)

    def measure(self, s):
        port = free_port()
        process = subprocess.Popen(self.command(s, port), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        try:
            if not wait_answers(process, port):
                raise Failed(f"floor: {process.stderr.read().strip()[-200:]}")
            load = start_bench(s, port, "/", s.many(self.size), timed=self.rate > 0)
            s.watch([process.pid], load.pid, s.many(self.size), WARMUP_SECONDS)
            cpu = processor_share([process.pid], load, s.many(self.size), s)
            report = finish(load, s)
        finally:
            end_process(process, 10)
            out = process.stdout.read()
            process.stdout.close()
            process.stderr.close()
        said = json.loads(out)
        figures = of_report(report, 1 if self.frame == "tick" else self.burst)
        figures.update(cpu=cpu, full=(said["full"] + said["part"]) / max(said["sends"], 1), per_send=self.burst)
        if self.rate:
            figures["per_send"] = said["ticks"] * s.many(self.size) / max(said["sends"], 1)
        return figures


class Tickcast:
    label = "tickcast"

    def __init__(self, burst=1, frame="tick", rate=0, size=1, binary=False, kinds="", label=None):
        self.frame, self.size, self.binary, self.timed = frame, size, binary, rate > 0
        self.feed = f"sim:?rate={rate}&arrivals=even" if rate else f"sim:?rate=0&burst={burst}&pace=workers"
        self.feed += f"&kinds={kinds}" if kinds else ""
        self.target = f"/v1/ws?symbols=*&snapshot=0&frame={frame}"
        self.label = label or self.label

    def options(self, s):
        return ["--workers", "1", "--max-connections", str(max(16384, 2 * s.many(self.size)))]

    def say(self, s):
        server = path.serve_command(s.program, s.server_cpu, "P", self.feed, self.options(s))
        return shown(server), bench_words(s, self.size, self.target, self.timed, self.binary)

    def measure(self, s):
        with path.Server(s.program, s.server_cpu, self.feed, self.options(s)) as server:
            load = start_bench(s, server.port, self.target, s.many(self.size), self.timed, self.binary)
            s.watch([server.process.pid], load.pid, s.many(self.size), WARMUP_SECONDS)
            wait_subscribed(server, load, s.many(self.size))
            spent, seconds = used_while(server, WARMUP_SECONDS / 2 + s.seconds)
            report = finish(load, s)
        if spent["ticks"] == 0:
            raise Failed("tickcast sent no tick while it was measured")
        figures = of_report(report)
        if self.frame == "batch":  # how many ticks a frame has may change, but hardly how many bytes a tick
            figures["bytes"] = spent["bytes"] / spent["ticks"]
            figures["ticks"] = report["readers"]["bytes_per_second"] / figures["bytes"]
        figures["full"] = spent["full"] / max(spent["sends"], 1)
        figures["per_send"] = spent["ticks"] / max(spent["sends"], 1)
        figures["user"] = spent["user"] / max(spent["user"] + spent["system"], 1e-9)
        figures["wall"] = spent["user"] / seconds
        figures["cpu"] = (spent["user"] + spent["system"]) / seconds
        return figures


class SelfFed:
    """A server of bench/compare that makes its bursts itself, under the load that tickcast and the floor have."""

    def __init__(self, peer, burst, frame="tick"):
        self.peer, self.burst, self.frame, self.label = peer, burst, frame, peer.name

    def load(self, s):
        return {"kind": "self", "burst": self.burst, "connections": s.connections}

    def say(self, s):
        return shown(pinned(s.server_cpu) + self.peer(s.server_cpu).command(self.load(s))), bench_words(s, 1, "/", False)

    def measure(self, s):
        peer = self.peer(s.server_cpu)
        why = peer.absent()
        if why:
            raise Failed(why)
        import peers  # bench/compare, found by table.py
        try:
            peer.start(self.load(s))
            load = start_bench(s, peer.port, "/", s.connections, timed=False)
            s.watch(peer.pids(), load.pid, s.connections, WARMUP_SECONDS)
            cpu = processor_share(peer.pids(), load, s.connections, s)
            return {**of_report(finish(load, s), self.burst if self.frame == "batch" else 1), "cpu": cpu}
        except peers.Failed as error:
            raise Failed(str(error)) from error
        finally:
            peer.stop()


class Peer:
    """A server of bench/compare under its load: ticks come as lines from a publisher beside the server."""

    def __init__(self, peer, burst=1, rate=0):
        self.peer, self.label = peer, peer.name
        self.load = {"kind": "rate", "rate": rate} if rate else {"kind": "closed", "burst": burst}

    def load_of(self, s):
        return {"name": "table", "connections": s.connections, "stuck": 0, **self.load}

    def say(self, s):
        import run as compare  # bench/compare, found by table.py; a build without it needs none of it
        peer, load = self.peer(s.server_cpu), self.load_of(s)
        server = shown(pinned(s.server_cpu) + peer.command(load)).replace(f":{peer.port}", ":P").replace(f"={peer.ingest}", "=Q")
        peer.port, peer.ingest = "P", "Q"
        return server, shown(compare.client_command(peer, load, s.seconds, s.client_cpu, ["PID"]))

    def measure(self, s):
        import run as compare
        peer = self.peer(s.server_cpu)
        why = peer.absent()
        if why:
            raise Failed(why)
        r = compare.measure(peer, self.load_of(s), s.seconds, s.client_cpu, s.watch)
        why = r.get("failed") or undelivered(r, self.load)
        if why:
            raise Failed(why)
        cpu = (r["server_user_s"] + r["server_system_s"]) / r["seconds"] + r["publisher_cpu"]
        return {"ticks": r["ticks"] / r["seconds"], "client": r["client_cpu"], "cpu": cpu, "p50": r["p50_ms"], "p99": r["p99_ms"],
                "version": peer.version()}


def undelivered(r, load):
    """Why what came is not what was published, so that the round has no figure; or None."""
    for key, words in (("lost", "ticks were lost"), ("duplicated", "subscribers got ticks twice"), ("closed", "connections ended"),
                       ("stalls", "times nothing was delivered for a second")):
        if r[key] > 0:
            return f"{r[key]} {words}"
    if "rate" in load:
        share = r["ticks"] / r["seconds"] / (load["rate"] * r["connections"])
        if share < 1 - LATE_SHARE - LATE_SECONDS / r["seconds"]:
            return f"{share * 100:.1f} % of what was published was delivered"
    return None


def processor_share(pids, load, connections, s):
    """That a server takes from when all are connected until the load is nearly done. Each connection is a descriptor of the first."""
    end = time.monotonic() + 60
    while len(os.listdir(f"/proc/{pids[0]}/fd")) < connections:
        wait_for_load(load, end)
    began, before = time.monotonic(), processor_seconds(pids)
    time.sleep(WARMUP_SECONDS / 2 + s.seconds)
    return (processor_seconds(pids) - before) / (time.monotonic() - began)


def processor_seconds(pids):
    return sum(sum(path.process_times(pid)) for pid in pids)


def used_while(server, seconds):
    """What it used and sent meanwhile, and how long it was. The clock is looked at before and after all the rest: whenever this
    process is held up, no share of the processor is more than there was."""
    began, before = time.monotonic(), usage(server)
    time.sleep(seconds)
    after = usage(server)
    return {key: after[key] - before[key] for key in after}, time.monotonic() - began


def usage(server):
    user, system = path.process_times(server.process.pid)
    text = server.metrics()
    full = path.metric(text, "sends_full_total") + path.metric(text, "sends_part_total")
    return {"user": user, "system": system, "full": full, "sends": path.metric(text, "sends_total"),
            "ticks": path.metric(text, "ticks_total"), "bytes": path.metric(text, "sent_bytes_total")}


def of_report(report, ticks_a_message=1):
    readers, latency = report["readers"], report["latency_ns"]
    if report["failed"] or readers["messages"] == 0:
        raise Failed(f"the load: {report.get('first', 'no message came')}")
    figures = {"ticks": readers["messages_per_second"] * ticks_a_message, "client": report["cpu"],
               "bytes": readers["bytes"] / (readers["messages"] * ticks_a_message)}
    if latency["samples"]:
        figures.update(p50=latency["p50"] / 1e6, p99=latency["p99"] / 1e6)
    return figures


def bench_options(s, target, port, connections, timed, binary):
    out = ["--any", "--url", f"ws://127.0.0.1:{port}{target}", "--connections", str(connections), "--duration", f"{s.seconds:g}",
           "--warmup", f"{WARMUP_SECONDS:g}"]
    if timed:
        out += ["--ts-key", "ts", "--sample", "1" if connections <= EACH_TIMED else "16"]
    return out + (["--subprotocol", "tickcast.v1.bin"] if binary else [])


def bench_words(s, size, target, timed=False, binary=False):
    words = bench_options(s, target, "P", s.many(size), timed, binary)
    return shown(local_server.bench_command(s.program, s.client_cpu, words))


def start_bench(s, port, target, connections, timed=False, binary=False):
    return start(s, bench_options(s, target, port, connections, timed, binary))


def start_idle(s, server, connections, seconds):
    return start(s, idle_options(server.port, connections, seconds))


def idle_options(port, connections, seconds):
    return ["--url", f"ws://127.0.0.1:{port}/v1/ws", "--idle", "--connections", str(connections), "--duration", f"{seconds:g}",
            "--warmup", "0"]


def start(s, options):
    return local_server.start_bench(s.program, s.client_cpu, options)


def finish(process, s):
    return local_server.bench_report(process, s.seconds)


def wait_subscribed(server, load, count):
    end = time.monotonic() + 60
    while path.metric(server.metrics(), "subscribers") < count:
        wait_for_load(load, end)


def wait_for_load(load, end):
    """A moment, while it still comes up."""
    if load.poll() is not None or time.monotonic() > end:
        load.kill()
        raise Failed(f"the load did not get going: {load.communicate()[1].strip()[-200:]}")
    time.sleep(0.05)


def wait_metric(server, name, least, load=None):
    end = time.monotonic() + 120
    while path.metric(server.metrics(), name) < least:
        if load is not None and load.poll() is not None:
            raise Failed(f"the load ended: {load.communicate()[1].strip()[-200:]}")
        if time.monotonic() > end:
            raise Failed(f"/metrics: {name} did not come to {least}")
        time.sleep(0.05)
