"""Every row of the performance table, here: `make bench-table`. Writes docs/performance-table.md and build/bench/table.json.

usage: table.py PROGRAM FLOOR [LINES]     LINES: tickcast_lines, for the rows beside other servers

Interleaved: in each round every row's sides run one after the other (in odd rounds the other way round), each on a server of its
own, just started, on one processor, the load on another. Only ratios within a round count. Environment:

    ROUNDS=7 SECONDS=2 N=1000     how often, how long, how many subscribers (rows of other sizes follow N)
    ROWS="single burst64"         which rows; without: all. ROWS=list prints them
    OUT=docs/performance-table.md where to write; lines of rows that were not run stay, if they are of a like machine
    BUILD=build/bench             where table.json goes: every figure of every round, and the commands
    WAIT=120                      seconds to wait for a quiet machine at most
    FROM=build/bench/table.json   measures nothing: writes the page anew from these figures
"""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "compare")]
import table_report  # noqa: E402
import table_rows  # noqa: E402
import table_words  # noqa: E402
from machine import commit, machine, raise_descriptors, wait_quiet  # noqa: E402
from table_costs import descriptors_needed  # noqa: E402
from table_sides import Failed  # noqa: E402

WAIT_SECONDS = 120


def main():
    s = table_rows.settings("table", __doc__, rounds=7)
    if os.environ.get("FROM"):
        return print_again(s, os.environ["FROM"])
    rows, not_run = choose(s)
    table_rows.build_peers(rows)
    busy = wait_quiet("table", float(os.environ.get("WAIT") or WAIT_SECONDS))
    run = {"begun": time.strftime("%Y-%m-%d %H:%M"), "busy": busy, "machine": machine(), "commit": commit(ROOT),
           "rounds": s.rounds, "seconds": s.seconds, "n": s.connections, "pinned": s.client_cpu is not None, "not_run": not_run,
           "commands": table_words.of_rows(rows, s)}
    results = {row.name: [] for row in rows}
    for number in range(s.rounds):
        for row in rows:
            results[row.name].append(measure(row, s, number))
            print(line_of(row, number, results[row.name][-1]), flush=True)
    keep_json(run, results)
    out = write(run, results)
    bad = [name for name, rounds in results.items() if all("failed" in r for r in rounds)]
    print(f"table: {len(rows)} rows, {len(bad)} without a figure{': ' + ', '.join(bad) if bad else ''}; {out}")
    return 1 if bad else 0


def write(run, results):
    out = os.environ.get("OUT") or os.path.join(ROOT, "docs", "performance-table.md")
    table_report.write(out, table_rows.ALL, run, results)
    return out


def print_again(s, path):
    """Of a run that kept no commands they are those of today, with its own duration, and said to be."""
    with open(path, encoding="utf-8") as file:
        kept = json.load(file)
    run, results = kept["run"], kept["results"]
    if "commands" not in run:
        s.seconds, s.connections = run["seconds"], run["n"]
        run["commands"] = table_words.of_rows([row for row in table_rows.ALL if row.name in results], s)
        run["commands_of"] = "today"
    print(f"table: nothing is measured; {write(run, results)}")
    return 0


def choose(s):
    """(rows to run, {name: why not} of those that cannot)."""
    known = {row.name: row for row in table_rows.ALL}
    wanted = (os.environ.get("ROWS") or "").replace(",", " ").split()
    if wanted == ["list"]:
        for row in table_rows.ALL:
            print(f"{row.name:16}{row.what}")
        sys.exit(0)
    for name in wanted:
        if name not in known:
            sys.exit(f"table: ROWS: no row {name}; there are: {', '.join(known)}")
    rows, not_run = [known[name] for name in wanted] or list(table_rows.ALL), {}
    files = raise_descriptors()
    for row in rows:
        need = descriptors_needed(row, s)
        if need > files:
            not_run[row.name] = f"{need} open files are needed, the hard limit is {files} (ulimit -Hn)"
    for name, why in not_run.items():
        print(f"table: {name} is not run: {why}", flush=True)
    return [row for row in rows if row.name not in not_run], not_run


def measure(row, s, number):
    """{label: figures} of a round, or {"failed": why}."""
    sides, round_ = row.sides, {}
    for side in sides if number % 2 == 0 else sides[::-1]:
        try:
            round_[side.label] = side.measure(s)
        except (Failed, SystemExit, OSError, ValueError, subprocess.SubprocessError) as error:
            return {"failed": f"{side.label}: {error}"}
    return round_


def line_of(row, number, round_):
    head = f"round {number + 1}  {row.name:16}"
    if "failed" in round_:
        return head + f"failed: {round_['failed']}"
    return head + "  ".join(f"{line.title} {line.form.format(line.figure(round_))}" for line in row.lines)


def keep_json(run, results):
    folder = os.environ.get("BUILD") or os.path.join(ROOT, "build", "bench")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "table.json"), "w", encoding="utf-8") as file:
        json.dump({"run": run, "results": results}, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
