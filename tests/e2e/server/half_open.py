"""Run inside a network namespace of its own (`unshare -n`): clients connect, then every packet between them and the server is
dropped. Exit status 77 with the reason where this machine cannot do it. Words: the io, and who finds out, `pings` or `kernel`."""
import subprocess, sys
from crowd import Crowd
from rig import Server, wait_for

# Only what has gone through the port of the clients: this script asks for /metrics over the same loopback.
RULES = """
table inet half_open {{
  chain in {{
    type filter hook input priority 0; policy accept;
    tcp sport {{ {ports} }} drop
    tcp dport {{ {ports} }} drop
  }}
}}
"""


def tried(words, **options):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, **options)
    except FileNotFoundError:
        skip(f"no {words[0]}")
    if done.returncode != 0:
        skip(f"{words[0]}: {done.stderr.strip()}")


def skip(why):
    print(f"half-open peers cannot be made here: {why}")
    sys.exit(77)


def pings(io):
    """Who is quiet and who is in the middle of a stream: both are gone after a ping without an answer."""
    args = ["--ping-interval", "0.5", "--pong-timeout", "3"]  # long enough for the others, who are on a busy machine
    with Server(*args, io=io, feed="sim:?symbols=20&rate=2000&seed=7") as s:
        vanish(s, [s.client("/v1/ws") for _ in range(5)] + [s.client("/v1/ws?symbols=*") for _ in range(5)])


def kernel(io):
    """A heartbeat now and then: the socket takes each, which starts the time of our ping anew, and it would be a long time until the
    socket is full. Only TCP_USER_TIMEOUT (--ping-interval and --pong-timeout together) knows that nothing of it arrives."""
    args = ["--ping-interval", "0.5", "--pong-timeout", "1.5", "--heartbeat", "0.2"]
    with Server(*args, io=io, feed="sim:?symbols=20&rate=2000&seed=7") as s:
        vanish(s, [s.client("/v1/ws?symbols=NOBODY&heartbeat=0.2") for _ in range(5)])
        assert s.metrics()["closed_timeout_total"] == 0, "no timer of the program's own"


def vanish(s, clients):
    for c in clients:
        c.until_type("hello")
    ports = ", ".join(str(c.socket.getsockname()[1]) for c in clients)
    tried(["nft", "-f", "-"], input=RULES.format(ports=ports))
    with Crowd(s, 5, "/v1/ws?symbols=*&policy=complete") as others:
        wait_for(lambda: s.metrics()["connections"] <= 6, 60, "half-open peers are still there")
        wait_for(lambda: s.metrics()["subscribers"] == 5, say="not only they are gone")
        others.wait_complete(s)


tried(["ip", "link", "set", "lo", "up"])
{"pings": pings, "kernel": kernel}[sys.argv[2]](sys.argv[1])
