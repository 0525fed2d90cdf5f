"""docs/performance-table.md from the rounds. Only what was run is written; a line of a row that was not run this time stays if
the page was made on a like machine, for each line says when it was measured."""
import os
import re
import statistics

import report  # bench/compare
import table_words

FULL = 0.9  # of a processor: a load above it holds back a server below it
HEAD = """# The performance table

Made by `make bench-table`; not edited by hand. `make bench-table ROWS=NAME` makes the lines of a row anew; the others stay.
Machine: {machine}. N = {n} subscribers on loopback{pinned}.

A figure is the median over the rounds; in brackets the least and the most. Where two sides are named it is the ratio of the row's
own side to what it is beside, within one round; the columns behind are medians of what each did. Absolute figures move by 20 %
and more between rounds: read the ratios. *Floor* is [bench/floor](../bench/floor/floor.h), the least a server can do: what the kernel
allows. *Bun* stands for uWebSockets, which its WebSockets are, because uWebSockets itself is in no package registry; in the rows where each server makes its
bursts itself (bun-single to bun-batch64) Bun builds its ticks in JavaScript.

*Server* is the share of its processor that the server of each side took, with the publisher's where lines come from one, for that stands on the
same processor; *client* is the load's share of its own, and *full* the share of sends that met a full socket. *Client full* in a verdict: on a side that
the figure is of, the load is over 90 % of its processor and the server's under 90 %, so the load was the limit, and the servers may be further apart
than the figure says. A round in which a server beside a publisher lost a tick, or delivered less than was published, has no figure.
*Measured* ends with what was busy in the second before, in processors. *A send*: ticks in one; a side that puts more into it than a
burst saves sends that the other makes, and the figure is then not of the same work. In the rows bun-rate
the load waits for one subscriber in {waited}, evenly spread, and times these; the others it reads every 20 ms, counting their ticks as
well: waiting for each it would be the limit itself. That is so for every server.

| line | row | figure | wanted | verdict | own side | beside | server | client; full | rounds | measured |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
COMMANDS = """
## What each row runs

For a shell in the project's folder, where `make bench-table ROWS=list` builds the programs, and a row with `build/compare/load` that one. P and Q are
free ports, PID is the server's process. `build/compare/load` pins itself (`-c`) and its publisher (`-C`).
"""
LINE = re.compile(r"^\| ([\w-]+)((?: \w+)?) \| .* \|$", re.M)
SECTION = re.compile(r"^### ([\w-]+)\n.*?(?=^##|\Z)", re.M | re.S)
COLUMNS = 11
SERVER_COLUMN = 7
MACHINE = re.compile(r"^Machine: (.*)\. N = (\d+) ", re.M)


def write(out, rows, run, results):
    lines, sections = former(out, run)
    for row in rows:
        if row.name in results:
            lines[row.name] = lines_of(row, run, results[row.name])
            sections[row.name] = table_words.section(row.name, run)
    shown = [row.name for row in rows if lines.get(row.name)]
    pinned = ", server on one processor, client on another" if run["pinned"] else "; one processor: nothing is pinned"
    text = HEAD.format(waited=report.WAITED, machine=run["machine"], n=run["n"], pinned=pinned)
    text += "".join(line + "\n" for name in shown for line in lines[name])
    for name, why in run["not_run"].items():
        text += f"\n{name} was not run this time: {why}\n"
    text += COMMANDS + "".join("\n" + sections.get(name, f"### {name}\n\n{table_words.NOT_KEPT}\n") for name in shown)
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


def former(path, run):
    """({row name: its lines}, {row name: what it ran}) of the page as it is, if of the same machine and N."""
    if not os.path.exists(path):
        return {}, {}
    with open(path, encoding="utf-8") as file:
        text = file.read()
    said = MACHINE.search(text)
    if not said or said.groups() != (run["machine"], str(run["n"])):
        return {}, {}
    lines = {}
    for match in LINE.finditer(text.split("\n## ")[0]):
        if match.group(1) != "line":
            lines.setdefault(match.group(1), []).append(widened(match.group(0)))
    return lines, {match.group(1): match.group(0).rstrip() + "\n" for match in SECTION.finditer(text)}


def widened(line):
    """A line of a page that had no column for the server's processor."""
    cells = line[2:-2].split(" | ")
    return "| " + " | ".join(cells[:SERVER_COLUMN] + [""] + cells[SERVER_COLUMN:]) + " |" if len(cells) == COLUMNS - 1 else line


def lines_of(row, run, rounds):
    good = [r for r in rounds if "failed" not in r]
    if not good:
        return [no_figure(row, line, run, rounds) for line in row.lines]
    return [line_text(row, line, run, good, len(rounds)) for line in row.lines]


def no_figure(row, line, run, rounds):
    """A line that is wanted does not go away because nobody could measure it."""
    return cells(line.title, row.what, f"none: {rounds[-1]['failed']}".replace("|", "/"), line.wanted(), "no figure" if line.sign else "",
                 "", "", "", "", f"0 of {len(rounds)}", when(run))


def cells(*texts):
    return "| " + " | ".join(" ".join(text.split()) for text in texts) + " |"


def line_text(row, line, run, good, count):
    values = [line.figure(r) for r in good]
    figure = statistics.median(values)
    shown = line.form.format(figure)
    if len(values) > 1:
        shown += f" ({line.form.format(min(values))} to {line.form.format(max(values))})"
    rounds = str(len(good)) if len(good) == count else f"{len(good)} of {count}"
    return cells(line.title, row.what, shown, line.wanted(), verdict(row, line, figure, good), side_text(line, row.own, good),
                 side_text(line, row.beside, good), shares(row, good, ("cpu", 0)), shares(row, good, ("client", 0), ("full", 1)), rounds,
                 when(run))


def verdict(row, line, figure, good):
    words = [("met" if line.met(figure) else "**not met**")] if line.sign else []
    sides = [row.own if name == "own" else row.beside for name in line.paced]
    if any(client_full(medians([r[side.label] for r in good])) for side in sides if side):
        words.append("client full")
    return ", ".join(words)


def client_full(figures):
    """False where it is not known: earlier runs kept no share of the server."""
    return figures.get("client", 0) > FULL > figures.get("cpu", 1)


def when(run):
    before = f"busy {run['busy']:.2f}" if "busy" in run else f"load {run['load']:.1f}"
    return f"{run['begun']}, {run['commit']}, {run['seconds']:g} s, {before}"


def side_text(line, side, good):
    if side is None or line.absolute is None:
        return ""
    text = line.absolute(medians([r[side.label] for r in good]))
    return f"{side.label} {text}" if text else ""


def medians(figures):
    keys = [k for k, v in figures[0].items() if isinstance(v, (int, float))]
    return {key: statistics.median(f[key] for f in figures if key in f) for key in keys}


def shares(row, good, *columns):
    sides = [medians([r[side.label] for r in good]) for side in (row.own, row.beside) if side]
    parts = [" / ".join(f"{f[key] * 100:.{digits}f}" for f in sides if key in f) for key, digits in columns]
    return "; ".join(f"{part} %" for part in parts if part)
