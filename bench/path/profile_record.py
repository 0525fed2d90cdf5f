"""Records one side of a row while its load runs: where the processor's time goes (perf) and how much of it there was (/proc).

The recorder is called through Settings.watch, in a thread of its own, so that the side runs exactly as it does for the table.
perf takes shares; times are the kernel's own account of each thread. Parts of a side:

    server      every thread of the server's processes        load    the load; of a peer's load the thread that reads
    publisher   the other threads of a peer's load: they hand it the lines, on the server's processor
"""
import os
import re
import select
import shutil
import subprocess
import threading
import time

import profile_samples as samples

HZ = 1999  # no divisor of the kernel's own tick
RECORD = ("perf", "record", "-q", "-e", "cpu-clock", "-F", str(HZ), "-g")
PATIENCE_SECONDS = 30  # for an answer of perf, on a machine that is busy with others
SPARE_SECONDS = 1  # that the load runs on for: it must still be there when it is looked at last, on a busy machine too
PARTS = ("server", "load", "publisher")


class Unable(Exception):
    """perf cannot do it here; the text says what to do."""


def check():
    """Raises Unable."""
    if shutil.which("perf") is None:
        raise Unable("perf is not installed: tools/deps.sh profile (Debian's linux-perf)")
    done = subprocess.run([*RECORD, "-a", "-o", os.devnull, "--", "true"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:300]
        raise Unable(f"perf record -e cpu-clock fails: {said}; run as root, or sysctl kernel.perf_event_paranoid=-1")
    if not kernel_symbols():
        raise Unable("the kernel hides its symbols, and every kernel sample would be without a name: run as root, or "
                     "sysctl kernel.kptr_restrict=0")


def kernel_symbols(path="/proc/kallsyms"):
    """Whether addresses are told: hidden ones are all zero."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return any(int(line.split()[0], 16) != 0 for _, line in zip(range(100), file))
    except OSError:
        return False


class Recorder:
    """One side, once: `with` it the side runs, for SPARE_SECONDS longer than it is looked at; `watch` is what Settings.watch becomes,
    `result` gives what was seen."""

    def __init__(self, data, seconds, with_publisher):
        self.data, self.seconds, self.with_publisher = data, seconds, with_publisher
        self.perf, self.thread, self.failed, self.seen = None, None, None, None

    def __enter__(self):
        self.perf = Perf(self.data)
        return self

    def __exit__(self, *_error):
        if self.thread is not None:
            self.thread.join()
        self.perf.end()

    def watch(self, servers, load, connections, warmup):
        self.thread = threading.Thread(target=self.run, args=(servers, load, connections, warmup))
        self.thread.start()

    def run(self, servers, load, connections, warmup):
        try:
            wait_connected(load, connections)
            end = time.monotonic() + warmup + self.seconds + SPARE_SECONDS / 2
            time.sleep(warmup)  # as the load itself does before it measures
            self.perf.say("enable")
            before, began = self.account(servers, load), time.monotonic()
            time.sleep(max(min(self.seconds, end - began), 0.1))
            after, seconds = self.account(servers, load), time.monotonic() - began
            self.perf.say("disable")
            self.seen = (before, after, seconds)
        except (Unable, OSError, subprocess.SubprocessError) as error:
            self.failed = str(error)

    def account(self, servers, load):
        threads = {(part, tid): times for part, pids in (("server", servers), ("load", [load]))
                   for pid in pids for tid, times in threads_of(pid).items()}
        if self.with_publisher:
            threads = {("publisher" if part == "load" and tid != load else part, tid): v for (part, tid), v in threads.items()}
        return {"threads": threads, "processors": processors(), "segments": segments()}

    def result(self):
        """{seconds, segments, processors: {number: {idle, stolen}}, parts: {name: Part}}; raises Unable."""
        if self.thread is None:
            raise Unable("this side has no load that runs long enough to be looked at")
        if self.failed:
            raise Unable(self.failed)
        before, after, seconds = self.seen
        parts = {}
        for (part, tid), times in after["threads"].items():
            into = parts.setdefault(part, Part())
            into.add_times(times, before["threads"].get((part, tid), (0, 0, 0)))
        part_of = {tid: part for part, tid in after["threads"]}
        for sample in read(self.data):
            if sample.tid in part_of:
                parts[part_of[sample.tid]].shares.add(sample)
        for name in ("server", "load"):
            if name not in parts or parts[name].shares.count == 0:
                raise Unable(f"perf saw nothing of the {name}: it did not run, or ended before; a longer SECONDS, or a quieter machine")
        spent = {number: {key: (now[key] - before["processors"][number][key]) / seconds for key in now}
                 for number, now in after["processors"].items() if number in before["processors"]}
        return {"seconds": seconds, "segments": after["segments"] - before["segments"], "processors": spent, "parts": parts}


class Perf:
    """perf record of the whole machine, from `enable` to `disable`. It is there before the side is started: on a busy machine it
    takes seconds to come up. Raises Unable."""

    def __init__(self, data):
        ours, self.control, self.answers, theirs = *os.pipe(), *os.pipe()
        try:
            self.process = subprocess.Popen([*RECORD, "-o", data, "-a", "--delay", "-1", "--control", f"fd:{ours},{theirs}"],
                                            pass_fds=(ours, theirs), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.PIPE, text=True)
        finally:
            os.close(ours)
            os.close(theirs)
        try:
            self.say("ping")
        except Unable:
            self.end()
            raise

    def say(self, word):
        """Returns when perf has done it."""
        try:
            os.write(self.control, f"{word}\n".encode())
        except BrokenPipeError:
            pass  # what it said is told below
        if not select.select([self.answers], [], [], PATIENCE_SECONDS)[0]:
            raise Unable(f"perf record does not answer to `{word}` for {PATIENCE_SECONDS} s")
        if not os.read(self.answers, 64):
            _, err = self.process.communicate()
            raise Unable(f"perf record ended before `{word}`: {err.strip()[-200:]}")

    def end(self):
        self.process.terminate()
        self.process.communicate()
        os.close(self.control)
        os.close(self.answers)


class Part:
    def __init__(self):
        self.user = self.system = 0.0
        self.sleeps, self.shares = 0, samples.Shares()

    def add_times(self, now, before):
        self.user += now[0] - before[0]
        self.system += now[1] - before[1]
        self.sleeps += now[2] - before[2]

    def merge(self, other):
        self.user, self.system, self.sleeps = self.user + other.user, self.system + other.system, self.sleeps + other.sleeps
        self.shares.merge(other.shares)

    @property
    def cpu(self):
        return self.user + self.system


def read(data):
    script = subprocess.Popen(["perf", "script", "-i", data, "--no-inline", "-F", "comm,pid,tid,period,ip,sym,dso"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
    with script:
        yield from samples.parse(script.stdout)


def wait_connected(load, connections):
    """A connection is an open file of the load."""
    end = time.monotonic() + 120
    while len(os.listdir(f"/proc/{load}/fd")) < connections:
        if time.monotonic() > end:
            raise Unable(f"the load did not open {connections} connections")
        time.sleep(0.02)


def threads_of(pid):
    """{tid: (user, system, times it went to sleep)}."""
    tick, out = os.sysconf("SC_CLK_TCK"), {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{pid}/task/{tid}/status", encoding="ascii", errors="replace") as file:
                sleeps = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
        except OSError:
            continue  # it ended meanwhile
        out[int(tid)] = (int(fields[11]) / tick, int(fields[12]) / tick, sleeps)
    return out


def processors():
    """{number: {idle, stolen}} in seconds."""
    tick, out = os.sysconf("SC_CLK_TCK"), {}
    with open("/proc/stat", encoding="ascii") as file:
        for number, rest in re.findall(r"^cpu(\d+) (.*)$", file.read(), re.M):
            values = [int(v) / tick for v in rest.split()]
            out[int(number)] = {"idle": values[3] + values[4], "stolen": values[7]}
    return out


def segments():
    """Segments with data that this machine's TCP has sent: on loopback one for each send, if it was not merged with a waiting one."""
    with open("/proc/net/netstat", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("TcpExt:")]
    return int(dict(zip(names, values))["TCPOrigDataSent"])
