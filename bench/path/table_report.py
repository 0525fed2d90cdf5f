"""docs/performance-table.md from the rounds. Only what was run is written; a line of a row that was not run this time stays if
the page was made on a like machine, for each line says when it was measured."""
import os
import re
import statistics

import report  # bench/compare

HEAD = """# The performance table

Made by `make bench-table`; not edited by hand. `make bench-table ROWS=NAME` makes the lines of a row anew; the others stay.
Machine: {machine}. N = {n} subscribers on loopback{pinned}.

A figure is the median over the rounds; in brackets the least and the most. Where two sides are named it is the ratio of the row's
own side to what it is beside, within one round; the columns behind are medians of what each did. Absolute figures move by 20 %
and more between rounds: read the ratios. *Floor* is [bench/floor](../bench/floor/floor.h), the least a server can do: what the kernel
allows. *Client* is the processor share of the load on both sides, and *full* the share of sends that met a full socket: with both
high, the client was the limit, and the servers are further apart than the figure says. *A send*: ticks in one; a side that puts
more into it than a burst saves sends that the other makes, and the figure is then not of the same work. In the rows bun-rate and ws-rate
the load waits for one subscriber in {waited}, evenly spread, and times these; the others it reads every 20 ms, counting their ticks as
well: waiting for each it would be the limit itself. That is so for every server.

| line | row | figure | wanted | verdict | own side | beside | client; full | rounds | measured |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
LINE = re.compile(r"^\| ([\w-]+)((?: \w+)?) \| .* \|$", re.M)
MACHINE = re.compile(r"^Machine: (.*)\. N = (\d+) ", re.M)


def write(out, rows, s, run, results):
    kept = former(out, run)
    pinned = ", server on one processor, client on another" if run["pinned"] else "; one processor: nothing is pinned"
    text = HEAD.format(waited=report.WAITED, machine=run["machine"], n=run["n"], pinned=pinned)
    shown = []
    for row in rows:
        lines = lines_of(row, run, results[row.name]) if row.name in results else kept.get(row.name, [])
        if lines:
            shown.append(row)
            text += "".join(line + "\n" for line in lines)
    text += "\n## What each row runs\n\nP is a free port.\n\n| row | side | server | load |\n| --- | --- | --- | --- |\n"
    for row in shown:
        for side in row.sides:
            text += f"| {row.name} | {side.label} | {' | '.join(code(words) for words in side.say(s))} |\n"
    for name, why in failures(results, run).items():
        text += f"\n{name} has no figure this time: {why}\n"
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


def code(words):
    return words if "`" in words else f"`{words}`"


def former(path, run):
    """{row name: its lines} of the page as it is, if of the same machine and N."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        text = file.read().split("\n## ")[0]
    said = MACHINE.search(text)
    if not said or said.groups() != (run["machine"], str(run["n"])):
        return {}
    kept = {}
    for match in LINE.finditer(text):
        if match.group(1) != "line":
            kept.setdefault(match.group(1), []).append(match.group(0))
    return kept


def lines_of(row, run, rounds):
    good = [r for r in rounds if "failed" not in r]
    return [line_text(row, line, run, good, len(rounds)) for line in row.lines] if good else []


def line_text(row, line, run, good, count):
    values = [line.figure(r) for r in good]
    figure = statistics.median(values)
    verdict = ("met" if line.met(figure) else "**not met**") if line.sign else ""
    shown = line.form.format(figure)
    if len(values) > 1:
        shown += f" ({line.form.format(min(values))} to {line.form.format(max(values))})"
    rounds = str(len(good)) if len(good) == count else f"{len(good)} of {count}"
    when = f"{run['begun']}, {run['commit']}, {run['seconds']:g} s, load {run['load']:.1f}"
    cells = [line.title, row.what, shown, line.wanted(), verdict,
             side_text(line, row.own, good), side_text(line, row.beside, good), client_text(row, good), rounds, when]
    return "| " + " | ".join(cells) + " |"


def side_text(line, side, good):
    if side is None or line.absolute is None:
        return ""
    text = line.absolute(medians([r[side.label] for r in good]))
    return f"{side.label} {text}" if text else ""


def medians(figures):
    keys = [k for k, v in figures[0].items() if isinstance(v, (int, float))]
    return {key: statistics.median(f[key] for f in figures if key in f) for key in keys}


def client_text(row, good):
    sides = [medians([r[side.label] for r in good]) for side in (row.own, row.beside) if side]
    parts = [" / ".join(f"{f[key] * 100:.{digits}f}" for f in sides if key in f) for key, digits in (("client", 0), ("full", 1))]
    return "; ".join(f"{part} %" for part in parts if part)


def failures(results, run):
    out = {name: rounds[-1]["failed"] for name, rounds in results.items() if all("failed" in r for r in rounds)}
    return {**run["not_run"], **out}
