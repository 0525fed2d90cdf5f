"""Where the time of a row of the performance table goes: `make bench-profile`. Writes docs/profiles.md and build/bench/profile.json.

usage: profile.py PROGRAM FLOOR [LINES]     as table.py

Each side of a row is started and loaded as for the table; in the measured time perf samples server and load. Rounds are interleaved
and their samples put together. Needs perf and the kernel's symbols (root, most simply); exits 1 and says so without. Environment:

    ROWS="single binary64"        which rows; without: those not met in build/bench/table.json, or else in docs/performance-table.md
    ROUNDS=3 SECONDS=2 N=1000     how often, how long, how many subscribers
    WAIT=120                      seconds to wait at most until the machine is quiet
    OUT=docs/profiles.md          where to write; sections of rows that were not run stay, if they are of a like machine
    BUILD=build/bench             where table.json is and profile.json goes, and profile/, the data for `perf report -i`
"""
import copy
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "compare")]
import profile_record  # noqa: E402
import profile_report  # noqa: E402
import profile_sum  # noqa: E402
import table_rows  # noqa: E402
from machine import commit, machine, raise_descriptors, wait_quiet  # noqa: E402
from table_costs import Memory, descriptors_needed  # noqa: E402
from table_sides import Failed, Peer  # noqa: E402

WAIT_SECONDS = 120
TABLE = os.path.join(ROOT, "docs", "performance-table.md")
NOT_MET = re.compile(r"^\| ([\w-]+)(?: \w+)? \| .*\| \*\*not met\*\*(?:, client full)? \|", re.M)


def main():
    s = table_rows.settings("profile", __doc__, rounds=3)
    build = os.environ.get("BUILD") or os.path.join(ROOT, "build", "bench")
    rows = choose(os.path.join(build, "table.json"))
    try:
        profile_record.check()
    except profile_record.Unable as error:
        sys.exit(f"profile: {error}")
    files = raise_descriptors()
    table_rows.build_peers(rows)
    busy = wait_quiet("profile", float(os.environ.get("WAIT") or WAIT_SECONDS))
    run = {"begun": time.strftime("%Y-%m-%d %H:%M"), "busy": busy, "machine": machine(), "commit": commit(ROOT),
           "rounds": s.rounds, "seconds": s.seconds, "n": s.connections, "pinned": s.client_cpu is not None,
           "congestion": congestion_control()}
    results, failed = {}, {}
    for row in rows:
        if descriptors_needed(row, s) > files:
            failed[row.name] = f"{descriptors_needed(row, s)} open files are needed, the hard limit is {files} (ulimit -Hn)"
            continue
        try:
            results[row.name] = [one_round(row, s, number, os.path.join(build, "profile")) for number in range(s.rounds)]
            print(f"{row.name:16}{profile_report.short(row, s, results[row.name])}", flush=True)
        except (Failed, profile_record.Unable, SystemExit, OSError, ValueError, subprocess.SubprocessError) as error:
            failed[row.name] = str(error)
            print(f"{row.name:16}failed: {error}", flush=True)
    out = os.environ.get("OUT") or os.path.join(ROOT, "docs", "profiles.md")
    keep_json(build, run, results)
    profile_report.write(out, table_rows.ALL, s, run, results, TABLE)
    print(f"profile: {len(results)} rows, {len(failed)} without{': ' + ', '.join(failed) if failed else ''}; {out}")
    return 1 if failed else 0


def choose(table_json):
    known = {row.name: row for row in table_rows.ALL if not any(isinstance(side, Memory) for side in row.sides)}
    wanted = (os.environ.get("ROWS") or "").replace(",", " ").split()
    for name in wanted:
        if name not in known:
            sys.exit(f"profile: ROWS: no row {name} that takes time; there are: {', '.join(known)}")
    if not wanted:
        wanted = [name for name in not_met(table_json, TABLE, known) if name in known]
    if not wanted:
        print("profile: every row of the table is met, or there is no table; ROWS=\"...\" names others")
        sys.exit(0)
    return [known[name] for name in wanted]


def not_met(table_json, page, known):
    """Names, in the order of the table."""
    if os.path.exists(table_json):
        with open(table_json, encoding="utf-8") as file:
            results = json.load(file)["results"]
        return [name for name, row in known.items() if name in results and misses(row, results[name])]
    if not os.path.exists(page):
        return []
    with open(page, encoding="utf-8") as file:
        return list(dict.fromkeys(NOT_MET.findall(file.read())))


def misses(row, rounds):
    good = [r for r in rounds if "failed" not in r]
    return bool(good) and any(line.sign and not line.met(profile_sum.median(line.figure(r) for r in good)) for line in row.lines)


def one_round(row, s, number, folder):
    """{label: what was seen and the side's own figures}; in odd rounds the other way round, as the table does."""
    os.makedirs(folder, exist_ok=True)
    seen = {}
    for side in row.sides if number % 2 == 0 else row.sides[::-1]:
        data = os.path.join(folder, f"{row.name}-{side.label.replace(' ', '-')}-{number + 1}.data")
        if os.path.exists(data):
            os.remove(data)
        recorder = profile_record.Recorder(data, s.seconds, isinstance(side, Peer))
        longer = copy.copy(s)
        longer.seconds, longer.watch = s.seconds + profile_record.SPARE_SECONDS, recorder.watch
        with recorder:
            figures = side.measure(longer)
        seen[side.label] = {**recorder.result(), "figures": figures}
    return seen


def congestion_control():
    with open("/proc/sys/net/ipv4/tcp_congestion_control", encoding="ascii") as file:
        return file.read().strip()


def keep_json(build, run, results):
    os.makedirs(build, exist_ok=True)
    plain = {name: [{label: profile_sum.plain(seen) for label, seen in round_.items()} for round_ in rounds]
             for name, rounds in results.items()}
    with open(os.path.join(build, "profile.json"), "w", encoding="utf-8") as file:
        json.dump({"run": run, "results": plain}, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
