"""Sides that measure a cost, not a stream: what a send costs with many watch lists, what memory an idle connection takes."""
import local_server
import path
from local_server import end_process
from table_sides import finish, idle_options, start_idle, wait_metric
from table_words import shown

IDLE_FIRST = 4000  # comings and goings before memory is looked at: they touch what handshakes need
IDLE_LAST = 15  # times N connections in all, when it is looked at again


class Lists:
    """What a send costs the server at 10 000 ticks/s, many lists against one: path.py."""

    def __init__(self, size, many):
        self.size, self.many = size, many
        self.label = "as many lists" if many else "one list"

    def say(self, s):
        connections = s.many(self.size)
        options = path.lists_options("P", connections, connections if self.many else 1, s.seconds)
        return (shown(path.serve_command(s.program, s.server_cpu, "P", path.LISTS_FEED)),
                shown(local_server.bench_command(s.program, s.client_cpu, options)))

    def measure(self, s):
        connections = s.many(self.size)
        cost, per_send, ticks, client = path.send_cost(s, connections, connections if self.many else 1)
        return {"cost": cost, "ticks_a_send": per_send, "ticks": ticks, "client": client, "cpu": cost * ticks / per_send / 1e6}


class Memory:
    """Growth of the server's own resident memory (RssAnon: no file pages, nothing of the kernel's) by idle connections."""
    label = "tickcast"

    feed = "sim:?symbols=20&rate=1000"

    def options(self, s):
        return ["--workers", "1", "--log-capacity", "1024", "--max-connections", str(max(16384, s.many(IDLE_LAST) + 100))]

    def counts(self, s):
        """(those that come and go, and come again to stay; how many more then)."""
        first = min(IDLE_FIRST, s.many(4))
        return first, s.many(IDLE_LAST) - first

    def say(self, s):
        first, count = self.counts(s)
        loads = [shown(local_server.bench_command(s.program, s.client_cpu, idle_options("P", *load)))
                 for load in ((first, 0.1), (first, 600), (count, 600))]
        server = path.serve_command(s.program, s.server_cpu, "P", self.feed, self.options(s))
        return shown(server), f"{loads[0]}; {loads[1]} & {loads[2]}"

    def measure(self, s):
        first, count = self.counts(s)
        with path.Server(s.program, s.server_cpu, self.feed, self.options(s)) as server:
            wait_metric(server, "head_seq", 1500)  # every page of the log is touched
            finish(start_idle(s, server, first, 0.1), s)
            stay = start_idle(s, server, first, 600)
            try:
                wait_metric(server, "upgrades_total", 2 * first, stay)
                before = resident(server.process.pid)
                more = start_idle(s, server, count, 600)
                try:
                    wait_metric(server, "upgrades_total", 2 * first + count, more)
                    after = resident(server.process.pid)
                finally:
                    end_process(more, 20)
            finally:
                end_process(stay, 20)
        return {"bytes_each": (after - before) / count, "from": first, "to": first + count}


def resident(pid):
    """Bytes of the process's own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) * 1024


def descriptors_needed(row, s):
    """Of one process, with room to spare."""
    sizes = [s.many(getattr(side, "size", 1)) for side in row.sides] + ([s.many(IDLE_LAST)] if row.name == "memory" else [])
    return max(sizes) + 500
