"""The same load on tickcast and on others: `make compare`. Writes docs/compare.md and docs/compare-*.svg.

Interleaved: in each round every kind of load runs on every peer before the next kind begins, each on a server of its
own, just started. Server (and publisher) on one processor, the subscribers on another. Environment:

    ROUNDS=3 SECONDS=3 N=1000 PEERS=tickcast,ws,...   what to run
    OUT=docs                                          where to write
    LOADS=idle,closed,rate,stuck                      which kinds
    IDLE=4000                                         idle subscribers; memory is that of the last three quarters
"""
import json
import os
import shutil
import subprocess
import sys
import time

import peers
import report

CLIENT = os.path.join(peers.BUILD, "load")
WARMUP_SECONDS = 1
SAMPLE = 16  # every so manieth tick of a subscriber is timed; where only one subscriber in WAITED is timed, the more of its ticks


def main():
    rounds, seconds = int(os.environ.get("ROUNDS", "3")), float(os.environ.get("SECONDS", "3"))
    connections = int(os.environ.get("N", "1000"))
    idle = int(os.environ.get("IDLE", "4000"))
    if rounds < 1 or seconds < 0.5 or connections < 10 or idle < 20:
        sys.exit("compare: ROUNDS >= 1, SECONDS >= 0.5, N >= 10 and IDLE >= 20 are wanted")
    cpus = sorted(os.sched_getaffinity(0))
    server_cpu, client_cpu = (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)
    build()
    absent = {}
    run = choose(absent, server_cpu)
    loads = choose_loads(connections, idle)
    results, began = [], time.monotonic()
    for number in range(rounds):
        for load in loads:
            if load["kind"] == "idle" and number > 0:
                continue
            for peer in run:
                result = measure(peer, load, seconds, client_cpu)
                result.update(peer=peer.name, load=load["name"], round=number)
                results.append(result)
                print(line_of(result), flush=True)
    facts = {"rounds": rounds, "seconds": seconds, "connections": connections, "took": time.monotonic() - began,
             "absent": absent, "pinned": client_cpu is not None,
             "peers": {p.name: {"version": p.version(), "what": p.what} for p in run}}
    out = os.environ.get("OUT", os.path.join(peers.ROOT, "docs"))
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(peers.BUILD, "results.json"), "w", encoding="utf-8") as file:
        json.dump({"facts": facts, "results": results}, file, indent=1)
    report.write(out, facts, loads, results)
    failed = [r for r in results if "failed" in r]
    print(f"compare: {len(results)} runs, {len(failed)} failed, {facts['took']:.0f} s; {out}/compare.md")
    return 1 if len(failed) == len(results) else 0


def build():
    os.makedirs(peers.BUILD, exist_ok=True)
    source = os.path.join(peers.HERE, "load")
    files = sorted(os.path.join(source, name) for name in os.listdir(source) if name.endswith(".c"))
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-o", CLIENT] + files + ["-lpthread"], check=True)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libwebsockets"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True, check=False)
    if flags.returncode == 0:
        subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-o", os.path.join(peers.BUILD, "lws"),
                        os.path.join(peers.HERE, "servers", "lws.c")] + flags.stdout.split() + ["-lpthread"], check=True)
    foreign = [w for w in wanted_names() if not w.startswith("tickcast")]
    if (foreign or not wanted_names()) and shutil.which("npm") and packages_are_old():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=peers.HERE, check=False)


def packages_are_old():
    """Not installed, or before the lock file last changed."""
    installed = os.path.join(peers.HERE, "node_modules", ".package-lock.json")
    lock = os.path.join(peers.HERE, "package-lock.json")
    return not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(lock)


def wanted_names():
    """Of PEERS; empty: all."""
    return [w.strip().lower() for w in os.environ.get("PEERS", "").split(",") if w.strip()]


def choose(absent, cpu):
    wanted = wanted_names()
    known = {kind.name.lower(): kind for kind in peers.ALL}
    for name in wanted:
        if name not in known:
            sys.exit(f"compare: PEERS: no peer {name}; there are: {', '.join(known)}")
    run = []
    for kind in peers.ALL:
        if wanted and kind.name.lower() not in wanted:
            continue
        peer = kind(cpu)
        why = peer.absent()
        if why:
            absent[peer.name] = why
        else:
            run.append(peer)
    if not run:
        sys.exit(f"compare: nobody can run here: {absent}")
    return run


def choose_loads(connections, idle):
    loads = [
        {"name": "idle", "kind": "idle"},
        {"name": "closed, 1 a burst", "kind": "closed", "burst": 1},
        {"name": "closed, 16 a burst", "kind": "closed", "burst": 16},
        {"name": "250 ticks/s", "kind": "rate", "rate": 250},
        {"name": "500 ticks/s", "kind": "rate", "rate": 500},
        {"name": "250 ticks/s, 1 % stuck", "kind": "stuck", "rate": 250},
    ]
    wanted = os.environ.get("LOADS", "idle,closed,rate,stuck").split(",")
    for load in loads:
        load["connections"] = idle if load["kind"] == "idle" else connections
        load["stuck"] = max(1, connections // 100) if load["kind"] == "stuck" else 0
    return [load for load in loads if load["kind"] in wanted]


def measure(peer, load, seconds, client_cpu, watch=None):
    """watch: as Settings.watch of bench/path/machine.py, called once the load was started."""
    process = None
    try:
        peer.start(load)
        process = subprocess.Popen(client_command(peer, load, seconds, client_cpu, peer.pids()), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        if watch is not None:
            watch(peer.pids(), process.pid, load["connections"], WARMUP_SECONDS)
        out, err = process.communicate(timeout=seconds + 90)
        if process.returncode != 0:
            return {"failed": err.strip().splitlines()[-1] if err.strip() else f"status {process.returncode}"}
        return json.loads(out)
    except (peers.Failed, subprocess.TimeoutExpired, OSError) as error:
        return {"failed": str(error)}
    finally:
        if process is not None and process.poll() is None:  # it took too long, or watch raised
            process.kill()
            process.communicate()
        peer.stop()


def client_command(peer, load, seconds, client_cpu, pids):
    command = [CLIENT] + peer.client_arguments() + ["-n", str(load["connections"]), "-k", str(load["stuck"])]
    for pid in pids:
        command += ["-I", str(pid)]
    if client_cpu is not None:
        command += ["-c", str(client_cpu), "-C", str(peer.cpu)]
    if load["kind"] == "idle":
        return command + ["-d", "0", "-i", "2", "-m", str(load["connections"] // 4)]
    return command + ["-d", str(seconds), "-W", str(WARMUP_SECONDS)] + load_arguments(load)


def load_arguments(load):
    """At a fixed rate the client would spend more on being woken for each tick than a server on sending it: it waits for one
    subscriber in WAITED, of whichever server. In a closed loop no time is asked for: as many are taken at any burst."""
    if "rate" in load:
        return ["-r", str(load["rate"]), "-E", str(report.WAITED), "-y", str(SAMPLE // report.WAITED)]
    burst = load.get("burst", 1)
    return ["-B", str(burst), "-y", str(SAMPLE * burst)]


def line_of(r):
    head = f"round {r['round'] + 1}  {r['load']:24}{r['peer']:16}"
    if "failed" in r:
        return head + f"failed: {r['failed']}"
    if r["load"] == "idle":
        return head + f"{report.idle_bytes(r):10.0f} bytes/connection"
    return head + (f"{r['ticks'] / r['seconds'] / 1000:10.1f} k/s  p50 {r['p50_ms']:7.2f}  p99 {r['p99_ms']:7.2f} ms"
                   f"  lost {r['lost']}  client {r['client_cpu']:.0%}")


if __name__ == "__main__":
    sys.exit(main())
