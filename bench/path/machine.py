"""What make bench-table, make bench-profile and make bench-choices are measured with, and on what: said in every report."""
import copy
import os
import platform
import resource
import subprocess
import sys
import time

QUIET = 0.1  # of one processor, all together: more in a second, and somebody else uses the machine


class Settings:
    """From the environment: ROUNDS, SECONDS, N. path.py's functions take it for their arguments."""

    def __init__(self, name, program, rounds):
        self.program = os.path.abspath(program)
        self.rounds, self.seconds = int(os.environ.get("ROUNDS") or rounds), float(os.environ.get("SECONDS") or 2)
        self.connections = int(os.environ.get("N") or 1000)
        if self.rounds < 1 or self.seconds < 0.2 or self.connections < 10:
            sys.exit(f"{name}: ROUNDS >= 1, SECONDS >= 0.2 and N >= 10 are wanted")
        cpus = sorted(os.sched_getaffinity(0))
        self.server_cpu, self.client_cpu = (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)

    def many(self, size):
        """Connections where `size` times N are wanted."""
        return max(1, int(self.connections * size))

    def watch(self, servers, load, connections, warmup):
        """Called once the load of a side was started; pids. Who wants to look at the processes meanwhile puts a function here."""

    def unpinned(self):
        out = copy.copy(self)
        out.server_cpu = out.client_cpu = None
        return out


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def wait_quiet(name, most):
    """Until the machine is, or for `most` seconds; says so. Returns what was busy last, in processors: the load average would still
    tell of the build that ended a minute ago."""
    end, busy = time.monotonic() + most, busy_processors(1)
    if busy > QUIET and most > 0:
        print(f"{name}: {busy:.2f} of {os.cpu_count()} processors are busy: waits at most {most:g} s for a quiet machine", flush=True)
    while busy > QUIET and time.monotonic() < end:
        busy = busy_processors(1)
    print(f"{name}: {'quiet' if busy <= QUIET else 'NOT quiet, the figures will show it'}: {busy:.2f} processors busy", flush=True)
    return busy


def busy_processors(seconds):
    """Of the whole machine, over so long from now."""
    before, began = busy_ticks(), time.monotonic()
    time.sleep(seconds)
    return (busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def busy_ticks():
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return user + nice + system + irq + softirq + steal


def commit(root):
    said = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return said.stdout.strip() or "no commit"


def raise_descriptors():
    """To the hard limit, which is returned; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else os.sysconf("SC_OPEN_MAX")
