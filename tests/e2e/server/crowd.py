"""Many clients at once (tests/e2e/tools/crowd.c), the server's memory, its sockets in the kernel, and a thread taken off its
processor: what tests of pressure need beside the rig."""
import contextlib, ctypes, json, os, re, subprocess, time

CROWD = os.environ.get("CROWD", "build/release/tests/e2e/tools/crowd")


class Crowd:
    """mode: read (and check every position), hold (subscribe, then never read), trickle (1 KiB each half second)."""

    def __init__(self, server, count, path="/v1/ws", mode="read", rcvbuf=0):
        words = [CROWD, str(server.port), path, str(count), mode] + ([str(rcvbuf)] if rcvbuf else [])
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.count = count
        self.ready = json.loads(self.process.stdout.readline() or "{}").get("ready")

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def report(self):
        self.say("report")
        return json.loads(self.process.stdout.readline())

    def wait_report(self, test, seconds=30):
        end = time.monotonic() + seconds
        while True:
            r = self.report()
            if test(r):
                return r
            assert time.monotonic() < end, {k: v for k, v in r.items() if k != "closes"}
            time.sleep(0.05)

    def wait_complete(self, server, seconds=60):
        """Each one has got everything up to a head of now, every position followed the one before, nothing was lost."""
        head = server.metrics()["head_seq"]
        r = self.wait_report(lambda r: r["position_least"] >= head or r["broken"] or r["gaps"] or r["gone"], seconds)
        assert (r["broken"], r["gaps"], r["gone"]) == (0, 0, 0), (r["broken_text"], r["gaps"], r["gone"], r["closes"][:3])
        return r

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def anonymous_kib(pid):
    """Resident memory of the program's own (no file pages)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


def send_queue(server_port, client_port):
    """Bytes in the kernel on the server's side of one connection, sent and unsent (tx_queue)."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file:
            if re.search(rf"^\s*\d+: [0-9A-F]{{8}}:{server_port:04X} [0-9A-F]{{8}}:{client_port:04X} ", line):
                return int(line.split()[4].split(":")[0], 16)
    raise AssertionError("no such connection")


def thread_id(pid, name):
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                return int(tid)
    raise AssertionError(f"no thread {name}")


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000


@contextlib.contextmanager
def thread_stopped(pid, name):
    """One thread of the server stands still, as when it loses its processor; the others go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    tid = thread_id(pid, name)
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        assert libc.ptrace(request, tid, None, None) == 0, os.strerror(ctypes.get_errno())
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        assert libc.ptrace(PTRACE_DETACH, tid, None, None) == 0, os.strerror(ctypes.get_errno())
