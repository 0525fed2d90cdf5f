"""docs/profiles.md from what was recorded. Only what was run is written; the section of a row that was not run this time stays if the
page was made on a like machine, for each section says when it was measured."""
import os
import re

import profile_samples as samples
import profile_sum
from profile_record import HZ
from table_rows import thousand

TOP = 8  # own functions that are named
ALWAYS_TOLD = 3  # categories of a difference that are named, the largest ones; others from this share of the time on
TOLD = 0.02

HEAD = """# Where the time goes

Made by `make bench-profile`; not edited by hand. `make bench-profile ROWS=NAME` makes the section of a row anew; the others stay.
Machine: {machine}. N = {n} subscribers on loopback{pinned}.

Each side of a row runs as for [the table](performance-table.md), and `perf record -e cpu-clock -F {hz} -g -a` looks at server and load
meanwhile. Shares are of samples; times are those shares of the processor time that the kernel accounts to the threads, by ticks
delivered and by sends. *A send* is what the server counts; beside other servers it is a TCP segment with data (of the whole machine, which has to be
quiet), and sends that waited in a full socket are merged in one. Samples of all rounds are put together; in brackets the least and
the most of a round. Where interrupts are off a sample falls on the function that lets them in again, mostly of the same category.

| category | what is in it |
| --- | --- |
{categories}
"""
SECTION = re.compile(r"^## ([\w-]+)\n.*?(?=^## |\Z)", re.M | re.S)
MACHINE = re.compile(r"^Machine: (.*)\. N = (\d+) ", re.M)
UNITS = {"tick": "ns a tick", "send": "ns a send"}
NAMES = {"server": "Server", "load": "Load", "publisher": "Publisher (threads of the load, on the server's processor)"}


def write(out, rows, s, run, results, table):
    kept = former(out, run)
    pinned = ", server on one processor, load on another" if run["pinned"] else "; one processor: nothing is pinned"
    categories = "\n".join(f"| {kind} | {samples.WHAT[kind]} |" for kind in samples.CATEGORIES)
    text = HEAD.format(machine=run["machine"], n=run["n"], pinned=pinned, hz=HZ, categories=categories)
    for row in rows:
        if row.name in results:
            text += "\n" + section(row, s, run, results[row.name], table)
        elif row.name in kept:
            text += "\n" + kept[row.name]
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


def former(path, run):
    """{row name: its section} of the page as it is, if of the same machine and N."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        text = file.read()
    said = MACHINE.search(text)
    if not said or said.groups() != (run["machine"], str(run["n"])):
        return {}
    return {match.group(1): match.group(0).rstrip() + "\n" for match in SECTION.finditer(text)}


def short(row, s, rounds):
    """For the terminal."""
    beside, own = profile_sum.sides(row, rounds)
    return figure(row.lines[0], rounds) + "; " + made_of(beside, own, "server", unit_of(row))


def section(row, s, run, rounds, table):
    beside, own = profile_sum.sides(row, rounds)
    when = (f"{run['begun']}, {run['commit']}, {run['rounds']} x {run['seconds']:g} s, {run['busy']:.2f} processors busy before, "
            f"congestion control {run['congestion']}")
    text = f"## {row.name}\n\n{row.what}. Measured {when}.\n\n"
    for line in row.lines:
        if not line.title.endswith((" user", " size")):
            said = of_table(table, line.title)
            text += f"- {figure(line, rounds)} while it was looked at{'; in the table ' + said if said else ''}\n"
    text += "".join(f"- {sentence}\n" for sentence in arithmetic(row, s, beside, own)) + "\n" + pace(s, beside, own)
    for part in own.parts:
        if part in beside.parts:
            text += f"\n### {row.name}: {NAMES[part].split(' (')[0].lower()}\n\n" + part_table(beside, own, part)
            text += "\n" + functions(beside, own, part) if part != "publisher" else ""
    return text


def figure(line, rounds):
    values = [line.figure({label: seen["figures"] for label, seen in r.items()}) for r in rounds]
    text = f"{line.title} {line.form.format(profile_sum.median(values))}"
    return text + (f" ({line.form.format(min(values))} to {line.form.format(max(values))})" if len(values) > 1 else "")


def of_table(table, title):
    """Figure, what is wanted and verdict of a line of the performance table."""
    if not os.path.exists(table):
        return ""
    with open(table, encoding="utf-8") as file:
        match = re.search(rf"^\| {re.escape(title)} \|(.*)$", file.read(), re.M)
    cells = [cell.strip() for cell in match.group(1).split("|")] if match else []
    return f"{cells[1]}, wanted {cells[2]}, {cells[3].replace('*', '')}" if len(cells) > 4 and cells[2] else cells[1] if cells else ""


def unit_of(row):
    """What the figure of a row is about: a send where it is latency or the price of a send."""
    return "tick" if any(line.title == row.name and line.absolute is thousand for line in row.lines) else "send"


def arithmetic(row, s, beside, own):
    """Sentences, all of them computed."""
    unit = unit_of(row)
    if unit == "tick":
        limit = max(("server side", "load"), key=lambda name: min(busy_of(beside, name), busy_of(own, name)))
        yield (f"all rounds together, {own.a_second('tick') / beside.a_second('tick'):.2f} times the ticks: " +
               "; ".join(factors(beside, own, name) for name in ("server side", "load")) + f"; the busier is the {limit}")
    elif row.lines[0].title != row.name:
        yield rounds_of(s, row, beside, own)
    for one in (unit, "send" if unit == "tick" else "tick"):
        for part in ("server", "load"):
            yield f"{NAMES[part]}, {made_of(beside, own, part, one)}"


def factors(beside, own, name):
    """Ticks/s of a processor = ticks a send x busy / ns a send."""
    send = [cost_of(side, name) for side in (own, beside)]
    busy = [busy_of(side, name) for side in (own, beside)]
    more = own.per_send() / beside.per_send()
    return (f"{name} {more:.2f} (ticks a send, {own.per_send():.1f} by {beside.per_send():.1f}) x {send[1] / send[0]:.2f} (ns a send, "
            f"{send[1]:.0f} by {send[0]:.0f}) x {busy[0] / busy[1]:.2f} (how busy, {percent(busy[0])} by {percent(busy[1])})")


def parts_of(side, name):
    """The server's side is its processor: server and publisher."""
    return [part for part in (("load",) if name == "load" else ("server", "publisher")) if part in side.parts]


def cost_of(side, name):
    return sum(side.ns(part, "send") for part in parts_of(side, name))


def busy_of(side, name):
    return sum(side.busy(part) for part in parts_of(side, name))


def rounds_of(s, row, beside, own):
    """What a round over all subscribers takes, beside the latency: the median waits half of it where nothing else is in the way."""
    connections, out = s.many(getattr(row.own, "size", 1)), []
    for side in (own, beside):
        ms = side.ns("server", "send") * connections / 1e6
        out.append(f"{side.label} {ms:.2f} ms, half of it {ms / 2:.2f}, p50 {side.p50:.2f}")
    return f"a round of {connections} sends takes of the server's own processor time: {'; '.join(out)}"


def made_of(beside, own, part, unit):
    a, b = beside.ns(part, unit), own.ns(part, unit)
    text = f"{UNITS[unit]}: {beside.label} {a:.1f}, {own.label} {b:.1f}: {signed(b - a)}"
    changes = profile_sum.difference(beside, own, part, unit)
    told = [(kind, ns) for number, (kind, ns) in enumerate(changes) if number < ALWAYS_TOLD or abs(ns) >= TOLD * max(a, b)]
    rest = b - a - sum(ns for _, ns in told)
    text += " = " + ", ".join([f"{kind} {signed(ns)}" for kind, ns in told] + [f"the rest {signed(rest)}"])
    (a_low, a_high), (b_low, b_high) = beside.spread(part, unit), own.spread(part, unit)
    return text + ("; the rounds of the two overlap" if a_low <= b_high and b_low <= a_high else "")


def percent(share, digits=0):
    return f"{share * 100:.{digits}f} %"


def signed(ns):
    shown = f"{abs(ns):.1f}"
    return shown if shown == "0.0" else f"{'−' if ns < 0 else '+'}{shown}"


def pace(s, *both):
    text = "| side | ticks/s | ticks a send | server's user, system | load's user, system | sleeps/s of server, load |\n" + "| --- " * 6 + "|\n"
    for side in both:
        server, load = side.parts["server"], side.parts["load"]
        cells = [side.label, f"{side.a_second('tick') / 1000:.0f} k", f"{side.per_send():.1f}{'' if side.exact_sends else ' a segment'}",
                 split(server, side), split(load, side), f"{server.sleeps / side.seconds:.0f}, {load.sleeps / side.seconds:.0f}"]
        text += "| " + " | ".join(cells) + " |\n"
    return text + ("\n" + processors(s, both) if s.client_cpu is not None else "")


def processors(s, both):
    """Who had the two processors."""
    columns = ("server", "publisher", "load", "others", "stolen", "idle")
    text = f"| processor of | side | {' | '.join(columns)} |\n" + "| --- " * 8 + "|\n"
    for title, number, parts in (("the server", s.server_cpu, ("server", "publisher")), ("the load", s.client_cpu, ("load",))):
        for side in both:
            shares = {part: side.busy(part) for part in parts if part in side.parts}
            shares.update(others=side.others(number, *parts), stolen=side.of_processor(number, "stolen"),
                          idle=side.of_processor(number, "idle"))
            text += f"| {title} | {side.label} | {' | '.join(percent(shares[c]) if c in shares else '' for c in columns)} |\n"
    return text


def split(part, side):
    return f"{percent(part.user / side.seconds)}, {percent(part.system / side.seconds)}"


def part_table(beside, own, part):
    head = "".join(f"{side.label} | ns a tick | ns a send | " for side in (beside, own))
    text = f"| | {head}more, ns a tick | more, ns a send |\n" + "| --- " * 9 + "|\n"
    for kind in samples.CATEGORIES:
        cells = [kind]
        for side in (beside, own):
            cells.append(percent(side.parts[part].shares.share(kind), 1))
            cells += [f"{side.ns(part, unit, kind):.1f}" for unit in UNITS]
        cells += [signed(own.ns(part, unit, kind) - beside.ns(part, unit, kind)) for unit in UNITS]
        text += "| " + " | ".join(cells) + " |\n"
    cells = ["all"]
    for side in (beside, own):
        cells.append(f"{side.parts[part].shares.count} samples")
        cells += [f"{side.ns(part, unit):.1f} ({low:.1f} to {high:.1f})" for unit in UNITS for low, high in [side.spread(part, unit)]]
    cells += [signed(own.ns(part, unit) - beside.ns(part, unit)) for unit in UNITS]
    return text + "| " + " | ".join(cells) + " |\n"


def functions(beside, own, part):
    """The program's own functions by name, the two sides beside each other."""
    columns = [named(side, part) for side in (beside, own)]
    head = "".join(f"{side.label}: own function | share | ns a send | " for side in (beside, own))
    text = f"| {head}\n".replace(" | \n", " |\n") + "| --- " * 6 + "|\n"
    for number in range(max(map(len, columns))):
        cells = [cell for column in columns for cell in (column[number] if number < len(column) else ["", "", ""])]
        text += "| " + " | ".join(cells) + " |\n"
    threads = "; ".join(f"{side.label}: " + ", ".join(f"{name} {percent(count / max(side.parts[part].shares.count, 1))}" for name, count in
                                                       side.parts[part].shares.threads.most_common(4)) for side in (beside, own))
    return text + f"\nThreads: {threads}.\n"


def named(side, part):
    shares = side.parts[part].shares
    return [[f"`{name}`" if re.match(r"[\w.:~]+$", name) else name, percent(count / shares.count, 1),
             f"{side.parts[part].cpu * count / shares.count / max(side.count['send'], 1e-9) * 1e9:.1f}"]
            for name, count in shares.own.most_common(TOP)]
