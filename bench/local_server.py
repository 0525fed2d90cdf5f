"""Servers on free ports of loopback, started and ended by whoever measures them."""
import socket
import subprocess
import time

START_SECONDS = 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


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
