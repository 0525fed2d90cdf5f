"""The rows of the performance table: what stands beside what, which figures are to be reached, and what they are run with."""
import os
import sys

import peers
from machine import Settings
from table_costs import Lists, Memory
from table_sides import Floor, Peer, SelfFed, Tickcast


class Line:
    """One line of the table. figure(round): round is {label: figures}; absolute: what each column shows of a side.
    paced: the sides whose load, where it is full, holds the figure back."""

    def __init__(self, title, figure, form, target, absolute=None, paced=("own", "beside")):
        self.title, self.figure, self.form, self.absolute, self.paced = title, figure, form, absolute, paced
        self.sign, self.bound = target if target else (None, None)

    def met(self, value):
        return value >= self.bound if self.sign == ">=" else value <= self.bound

    def wanted(self):
        return f"{'≥' if self.sign == '>=' else '≤'} {self.form.format(self.bound)}" if self.sign else ""


class Row:
    def __init__(self, name, what, own, beside, lines):
        self.name, self.what, self.own, self.beside, self.lines = name, what, own, beside, lines

    @property
    def sides(self):
        return ([self.beside] if self.beside else []) + [self.own]


def thousand(figures):
    text = f"{figures['ticks'] / 1000:.0f} k/s"
    return text + (f", {figures['per_send']:.1f} a send" if "per_send" in figures else "")


def milliseconds(key):
    return lambda figures: f"{figures[key]:.1f} ms"


def ratio(own, beside, key):
    return lambda r: r[own.label][key] / r[beside.label][key]


def closed(name, what, burst=1, frame="tick", size=1, user=None):
    """Throughput beside the floor, and what of the server's processor was its own."""
    own, beside = Tickcast(burst, frame, size=size), Floor(burst, frame, size=size)
    lines = [Line(name, ratio(own, beside, "ticks"), "{:.2f}", (">=", 0.95), thousand)]
    if user:
        lines.append(Line(f"{name} user", lambda r: r[own.label]["user"] * 100, "{:.1f} %", ("<=", user),
                          lambda f: f"{f['wall'] * 100:.1f} % of wall" if "wall" in f else "", paced=("own",)))
    return Row(name, what, own, beside, lines)


def binary():
    own = Tickcast(64, "batch", binary=True, kinds="trade", label="binary")
    beside = Tickcast(64, "batch", kinds="trade", label="JSON")
    return Row("binary64", "64 trades a burst, a batch: binary beside JSON", own, beside, [
        Line("binary64", ratio(own, beside, "ticks"), "{:.2f}", (">=", 1.3), thousand),
        Line("binary64 size", lambda r: r["binary"]["bytes"], "{:.0f} B", ("<=", 40), lambda f: f"{f['bytes']:.0f} B a tick",
             paced=())])


def floor_binary():
    """What the kernel gives for the bytes that the row binary64 saves."""
    own, beside = Floor(64, "binary", label="floor, binary"), Floor(64, "batch", label="floor, JSON")
    return Row("floor-binary64", "the same, the floor beside itself", own, beside, [
        Line("floor-binary64", ratio(own, beside, "ticks"), "{:.2f}", None, thousand)])


def fixed(name, rate, turns):
    own, beside = Tickcast(rate=rate), Floor(rate=rate, cohort=1 if turns else 0)
    what = f"{rate} ticks/s beside the floor" + (" in turns" if turns else ", which rolls in cohorts of 16")
    return Row(name, what, own, beside, [
        Line(f"{name} {key}", ratio(own, beside, key), "{:.2f}", None, milliseconds(key)) for key in ("p50", "p99")])


def peer_closed(name, beside, burst, bound, frame="tick"):
    """As beside the floor: each server makes its bursts itself."""
    own, other = Tickcast(burst, frame), SelfFed(beside, burst, frame)
    what = f"{burst} a burst, {'a batch' if frame == 'batch' else 'a frame a tick'}, beside {beside.name}"
    return Row(name, what, own, other, [Line(name, ratio(own, other, "ticks"), "{:.2f}", (">=", bound), thousand)])


def peer_lines(name, own, beside, burst):
    """Eight bursts are under way, and either server may put several into one send: no aim is set for that."""
    own, other = Peer(own, burst), Peer(beside, burst)
    what = f"{burst} a burst, lines from a publisher, 8 bursts under way, {own.label} beside {beside.name}"
    return Row(name, what, own, other, [Line(name, ratio(own, other, "ticks"), "{:.2f}", None, thousand)])


def peer_fixed(name, beside, rate):
    own, other = Peer(peers.Tickcast, rate=rate), Peer(beside, rate=rate)
    what = f"{rate} ticks/s, lines from a publisher, beside {beside.name}"
    return Row(name, what, own, other, [
        Line(f"{name} p50", ratio(own, other, "p50"), "{:.2f}", ("<=", 0.65), milliseconds("p50")),
        Line(f"{name} p99", ratio(own, other, "p99"), "{:.2f}", ("<=", 0.75), milliseconds("p99"))])


def lists(name, size, what):
    own, beside = Lists(size, True), Lists(size, False)
    return Row(name, what, own, beside, [
        Line(name, ratio(own, beside, "cost"), "{:.2f}", ("<=", 1.15), lambda f: f"{f['cost']:.2f} us a send")])


def memory():
    return Row("memory", "idle connection, the server's own memory", Memory(), None, [
        Line("memory", lambda r: r["tickcast"]["bytes_each"], "{:.0f} B", ("<=", 256), lambda f: f"{f['bytes_each']:.0f} B")])


ALL = (
    closed("single", "closed loop, a tick a burst", user=3),
    closed("burst16", "16 a burst, a frame a tick", 16, user=6),
    closed("burst64", "64 a burst, a frame a tick", 64, user=6),
    closed("batch64", "64 a burst, a batch", 64, "batch", user=6),
    binary(),
    floor_binary(),
    closed("few-single", "a tenth of N, a tick a burst", size=0.1),
    closed("few-burst16", "a tenth of N, 16 a burst", 16, size=0.1),
    closed("many-single", "5 N, a tick a burst", size=5),
    closed("many-burst16", "5 N, 16 a burst", 16, size=5),
    fixed("rate250", 250, False),
    fixed("rate500", 500, False),
    fixed("rate250-turns", 250, True),
    fixed("rate500-turns", 500, True),
    peer_closed("bun-single", peers.Bun, 1, 1.15),
    peer_closed("bun-burst16", peers.Bun, 16, 1.25),
    peer_closed("bun-burst64", peers.Bun, 64, 2.4),
    peer_closed("bun-batch64", peers.BunBatch, 64, 1.2, "batch"),
    peer_lines("bun-lines64", peers.Tickcast, peers.Bun, 64),
    peer_lines("bun-lines-batch64", peers.TickcastBatch, peers.BunBatch, 64),
    peer_fixed("bun-rate250", peers.Bun, 250),
    peer_fixed("bun-rate500", peers.Bun, 500),
    lists("lists", 1, "N watch lists of 20 of 500 symbols at 10 000 ticks/s, beside one list"),
    lists("lists-many", 10, "10 N watch lists, beside one list"),
    memory(),
)


def settings(name, usage, rounds):
    """Of a command `PROGRAM FLOOR [LINES]`; anything else ends with its usage."""
    if len(sys.argv) not in (3, 4):
        sys.exit(usage)
    s = Settings(name, sys.argv[1], rounds)
    s.floor = os.path.abspath(sys.argv[2])
    if len(sys.argv) == 4:
        peers.Tickcast.program = os.path.abspath(sys.argv[3])  # a peer runs in a folder of its own
    return s


def build_peers(rows):
    """What the rows beside other servers need; nothing where there are none."""
    if any(isinstance(side, (Peer, SelfFed)) for row in rows for side in row.sides):
        import run as compare  # a build without it needs none of it
        compare.build()
