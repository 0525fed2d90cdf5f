"""docs/compare.md and its plots, from the runs. Only what was run is written."""
import os
import platform
import statistics

import svg

WINDOW = 8  # bursts under way in a closed loop: the load's -x
WAITED = 8  # at a fixed rate the client waits for one subscriber in so many, and times these: the load's -E

HEAD = """# tickcast beside others

Made by `make compare`; not edited by hand. {rounds} interleaved rounds of {seconds:g} s for each load and server, N = {n} subscribers on loopback, in
{took:.0f} s, on: {machine}. {pinned}

A neutral client ([bench/compare/load](../bench/compare/load/load.h)) counts ticks in the bytes that arrive, whatever framing is around them, and takes
latency from the time a tick was due. Every server gets the same ticks from the same publisher beside it, as lines over TCP or in its own protocol;
tickcast is the whole program with [one more feed](../bench/compare/servers/tickcast_lines.c) for that. Nobody compresses, nobody encrypts.
*At a fixed rate* the client is woken for one subscriber in {waited}, evenly spread over the order in which they connected, reads these at once and takes
latency from them alone; the others are read in a sweep every 20 ms, count every tick and are checked for holes. Woken for each it would be out of
processor before the servers are, and its own queue would be what is timed. It is so for every server, and every server's sends save waking the client.
*Closed loop*: the next burst is published when
deliveries made room in a window of {window} bursts: up to so many may wait in the server, and share a send
where it joins them. Figures are medians of the rounds, in brackets least and most; a ratio is the
median of the ratios to tickcast within the same round. Absolute figures move by 20 % and more between runs: read the ratios.

"""


def write(out, facts, loads, results):
    text = HEAD.format(window=WINDOW, waited=WAITED, rounds=facts["rounds"], seconds=facts["seconds"], n=facts["connections"], took=facts["took"],
                       machine=machine(), pinned="Server and publisher on one processor, subscribers on another."
                       if facts["pinned"] else "One processor only: nothing is pinned, and the client competes with the server.")
    text += peers_table(facts)
    for load in loads:
        rows = [r for r in results if r["load"] == load["name"]]
        text += {"idle": idle, "closed": closed, "rate": rate, "stuck": stuck}[load["kind"]](load, rows, results)
    text += plots(out, loads, results)
    text += failures(results)
    with open(os.path.join(out, "compare.md"), "w", encoding="utf-8") as file:
        file.write(text)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}, Linux {'.'.join(platform.release().split('.')[:2])}, load {os.getloadavg()[0]:.1f} at the end"


def peers_table(facts):
    text = "| server | version | how |\n| --- | --- | --- |\n"
    for name, peer in facts["peers"].items():
        text += f"| {name} | {peer['version']} | {peer['what']} |\n"
    for name, why in facts["absent"].items():
        text += f"| {name} | | not run: {why} |\n"
    return text + "\n"


def names(rows):
    return list(dict.fromkeys(r["peer"] for r in rows if "failed" not in r))


def of(rows, peer, figure):
    return {r["round"]: figure(r) for r in rows if r["peer"] == peer and "failed" not in r}


def spread(values, form):
    low, middle, high = min(values.values()), statistics.median(values.values()), max(values.values())
    return form.format(middle) + (f" ({form.format(low)}..{form.format(high)})" if len(values) > 1 else "")


def ratio(rows, peer, figure):
    base, own = of(rows, "tickcast", figure), of(rows, peer, figure)
    ratios = [own[i] / base[i] for i in own if base.get(i)]
    return f"{statistics.median(ratios):.2f}" if ratios else "-"


def deliveries(r):
    return r["ticks"] / r["seconds"] / 1000


def cpu_us(r):
    return (r["server_user_s"] + r["server_system_s"]) / max(r["ticks"], 1) * 1e6


def user_share(r):
    return r["server_user_s"] / r["seconds"] * 100


def table(title, head, rows):
    return f"## {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}\n" + "".join(
        f"| {' | '.join(row)} |\n" for row in rows) + "\n"


def idle_bytes(r):
    """Of one more subscriber, once the first ones have touched what all share."""
    return (r["rss_connected"] - r["rss_first"]) / (r["connections"] - r["first"])


def idle(load, rows, _):
    body = []
    for peer in names(rows):
        each = of(rows, peer, idle_bytes)
        body.append([peer, spread(each, "{:.0f}"), spread(of(rows, peer, lambda r: r["rss_start"] / 2**20), "{:.1f}")])
    quarter = load["connections"] // 4
    return table("Memory of an idle subscriber", ["server", "bytes each", "MiB before the first"], body) + \
        f"Growth of the resident memory of the server's processes from {quarter} to {load['connections']} subscribers, by their number: what the\n" \
        "first ones make it touch for all is not in it, nor what the kernel holds for a socket.\n\n"


def closed(load, rows, _):
    body = []
    for peer in names(rows):
        body.append([peer, spread(of(rows, peer, deliveries), "{:.0f}"), ratio(rows, peer, deliveries),
                     spread(of(rows, peer, cpu_us), "{:.2f}"), spread(of(rows, peer, user_share), "{:.0f}"),
                     spread(of(rows, peer, lambda r: r["bytes"] / max(r["ticks"], 1)), "{:.0f}"),
                     spread(of(rows, peer, lambda r: r["client_cpu"] * 100), "{:.0f}"), lost(rows, peer)])
    burst = load["burst"]
    return table(f"Closed loop, {burst} tick{'s' if burst > 1 else ''} a burst, {WINDOW} bursts under way: a send may carry up to {WINDOW * burst}",
                 ["server", "thousand ticks delivered a second", "ratio", "server's CPU a tick, us", "user CPU %", "bytes a tick",
                  "client's CPU %", "lost"], body) + client_note(rows)


def client_note(rows):
    busy = [r["peer"] for r in rows if r.get("client_cpu", 0) > 0.9]
    return f"The client used over 90 % of its processor against {', '.join(dict.fromkeys(busy))}: those may go faster.\n\n" if busy else ""


def lost(rows, peer):
    return str(sum(r["lost"] for r in rows if r["peer"] == peer and "failed" not in r))


def rate(load, rows, _):
    body = []
    for peer in names(rows):
        body.append([peer, spread(of(rows, peer, lambda r: r["p50_ms"]), "{:.1f}"), ratio(rows, peer, lambda r: r["p50_ms"]),
                     spread(of(rows, peer, lambda r: r["p99_ms"]), "{:.1f}"), ratio(rows, peer, lambda r: r["p99_ms"]),
                     spread(of(rows, peer, lambda r: delivered_share(r, load)), "{:.0f}"), spread(of(rows, peer, cpu_us), "{:.2f}"),
                     lost(rows, peer)])
    return table(f"{load['rate']} ticks/s to {load['connections']} subscribers",
                 ["server", "p50 ms", "ratio", "p99 ms", "ratio", "delivered %", "server's CPU a tick, us", "lost"], body)


def delivered_share(r, load):
    return r["ticks"] / r["seconds"] / (load["rate"] * (r["connections"] - r["stuck"])) * 100


def stuck(load, rows, results):
    plain = [r for r in results if r["load"] == f"{load['rate']} ticks/s"]
    body = []
    for peer in names(rows):
        alone = of(plain, peer, lambda r: r["p99_ms"])
        beside = of(rows, peer, lambda r: r["p99_ms"])
        change = [beside[i] / alone[i] for i in beside if alone.get(i)]
        body.append([peer, spread(beside, "{:.1f}"), f"{statistics.median(change):.2f}" if change else "-",
                     spread(of(rows, peer, lambda r: (r["rss_end"] - r["rss_connected"]) / r["stuck"] / 1024), "{:.0f}"),
                     spread(of(rows, peer, lambda r: (r["rss_end"] - r["rss_begin"]) / r["seconds"] / 1024), "{:.0f}"),
                     spread(of(rows, peer, lambda r: delivered_share(r, load)), "{:.0f}"), lost(rows, peer)])
    return table(f"{load['stuck']} stuck readers among {load['connections']}, {load['rate']} ticks/s",
                 ["server", "p99 ms of the others", "to none stuck", "KiB grown for each stuck", "KiB/s still growing", "delivered %",
                  "lost"], body) + "Stuck: reads nothing after it subscribed.\n\n"


def plots(out, loads, results):
    text = ""
    for load in loads:
        rows = [r for r in results if r["load"] == load["name"]]
        peers = names(rows)
        if not peers or load["kind"] in ("idle", "stuck"):
            continue
        file = "compare-" + (f"burst-{load['burst']}" if load["kind"] == "closed" else f"rate-{load['rate']}") + ".svg"
        if load["kind"] == "closed":
            title = f"thousand ticks delivered a second, {load['burst']} a burst (more is better)"
            series = [(p, [statistics.median(of(rows, p, deliveries).values())]) for p in peers]
            legend = []
        else:
            title = f"latency at {load['rate']} ticks/s, ms (less is better)"
            series = [(p, [statistics.median(of(rows, p, lambda r, q=q: r[q]).values()) for q in ("p50_ms", "p99_ms")]) for p in peers]
            legend = ["p50", "p99"]
        with open(os.path.join(out, file), "w", encoding="utf-8") as handle:
            handle.write(svg.bars(title, series, legend))
        text += f"![{title}]({file})\n\n"
    return f"## Plots\n\n{text}" if text else ""


def failures(results):
    failed = list(dict.fromkeys((r["peer"], r["load"], r["failed"]) for r in results if "failed" in r))
    if not failed:
        return ""
    return "## Runs without a figure\n\n" + "".join(f"- {peer}, {load}: {why}\n" for peer, load, why in failed)
