"""Servers on free ports of loopback, started and ended by whoever measures or tests them."""
import json
import random
import socket
import subprocess
import time

START_SECONDS = 20
LEAST_PORT = 10240  # below are ports of services


def free_port():
    """One that the kernel gives to nobody: on a port of the ephemeral range, an outgoing connection of any program may sit before
    the server starts, or while it is started again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low, high = map(int, f.read().split())
    ports = [port for port in range(LEAST_PORT, 65536) if not low <= port <= high]
    for port in random.sample(ports, min(100, len(ports))):
        if is_free(port):
            return port
    raise SystemExit(f"no free port of loopback outside {low} to {high} (net.ipv4.ip_local_port_range)")


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a server: what ended a moment ago holds nothing
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_answers(process, port):
    """False: it ended, or did not come up in time."""
    end = time.monotonic() + START_SECONDS
    while not answers(port):
        if process.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(0.02)  # a poll of a port, ended by the condition
    return True


def pinned(cpu):
    """Words before a command; cpu None: wherever it likes."""
    return [] if cpu is None else ["taskset", "-c", str(cpu)]


def end_process(process, seconds):
    """By its process id; by force if it does not go."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def bench_command(program, cpu, options):
    return pinned(cpu) + [program, "bench", "--json=-", *options]


def start_bench(program, cpu, options):
    """`tickcast bench` on a processor; bench_report takes its report."""
    return subprocess.Popen(bench_command(program, cpu, options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def bench_report(process, seconds):
    """What it measured in so many seconds; SystemExit says why there is no report."""
    try:
        out, err = process.communicate(timeout=seconds + 120)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise SystemExit("tickcast bench did not end") from error
    if not out.strip():
        raise SystemExit(f"tickcast bench: status {process.returncode}: {err.strip()[-300:]}")
    return json.loads(out)
