"""A tickcast server of one's own for a test, and a plain WebSocket client over a blocking socket: it reads only when asked, so that
a test decides who is slow. Loopback only; every wait has an end."""
import base64, contextlib, json, os, re, shutil, signal, socket, struct, subprocess, sys, tempfile, time, zlib
from decimal import Decimal
from bin_codec import Decoder
from wire import request

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "..", "..", "bench"))
from local_server import free_port  # noqa: E402, F401 (tests take it from here)

TICKCAST = os.environ.get("TICKCAST", "build/release/tickcast")
PORT_WAIT_SECONDS = 20


class Server:
    """port: one that a second server will be started on as well (free_port); a start waits while another program holds it."""

    def __init__(self, *args, command="serve", io="uring", feed="sim:?symbols=20&rate=2000&seed=7", files=(), port=0, **popen):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log", delete=False)
        words = [TICKCAST, command, "--listen", f"127.0.0.1:{port}", "--io", io, "--max-connections", "2048"]
        if command == "serve" and feed:
            words += ["--feed", feed]
        self.folder = tempfile.mkdtemp(prefix="tickcast-run-")  # of the administration socket
        popen["env"] = {**popen.get("env", os.environ), "RUNTIME_DIRECTORY": self.folder}
        self.call = lambda: subprocess.Popen(words + list(args) + list(files), stderr=self.log, stdin=subprocess.DEVNULL, **popen)
        self.process = self.call()
        self.port = int(self.wait_listening())

    def wait_listening(self):
        end = time.monotonic() + PORT_WAIT_SECONDS
        while True:
            try:
                return self.wait_log(r"event=listening address=127\.0\.0\.1:(\d+)")
            except AssertionError:
                if self.process.poll() is None or " is in use; choose" not in self.text() or time.monotonic() > end:
                    raise
            time.sleep(0.1)  # until the port is free
            self.log.seek(0)
            self.log.truncate()
            self.process = self.call()

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def wait_log(self, pattern, seconds=15):
        end = time.monotonic() + seconds
        while True:
            over = self.process.poll() is not None or time.monotonic() > end  # before the look: what it wrote last is seen
            found = re.search(pattern, self.text())
            if found:
                return found.group(found.lastindex or 0)
            assert not over, f"not in the log: {pattern}\n{self.text()}"
            time.sleep(0.01)  # a poll of a file, ended by the condition

    def metrics(self):
        status, _, body = self.http("GET", "/metrics")
        assert status == 200, (status, body)
        return {k: int(v) for k, v in re.findall(r"^tickcast_(\w+) (\d+)$", body.decode(), re.M)}

    def limits(self):
        """How often each limit was met, by its word."""
        _, _, body = self.http("GET", "/metrics")
        return {k: int(v) for k, v in re.findall(r'^tickcast_limit_total\{limit="([\w-]+)"\} (\d+)$', body.decode(), re.M)}

    def ages(self, text=None):
        """Ages of ticks by stage: count, sum (seconds), untimed, and how many are at or under each edge (seconds)."""
        text = text or self.http("GET", "/metrics")[2].decode()
        out = {}
        for name, stage, edge, value in re.findall(r'^tickcast_tick_age_(\w+)\{stage="(\w+)"(?:,le="([^"]+)")?\} (\S+)$', text, re.M):
            of = out.setdefault(stage, {"under": {}})
            if name == "seconds_bucket":
                of["under"][float(edge)] = int(value)
            else:
                of[{"seconds_sum": "sum", "seconds_count": "count", "untimed_total": "untimed"}[name]] = float(value)
        return out

    def wait_metric(self, name, test, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.metrics()[name]
            if test(value):
                return value
            time.sleep(0.01)
        raise AssertionError(f"{name} is {self.metrics()[name]}")

    def raw(self, data, seconds=15):
        """Sends bytes on a new connection; returns what comes until the server closes or an answer is whole."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as s:
            s.sendall(data)
            return read_http(s)

    def http(self, method, path, headers=()):
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close", *headers, "", ""]
        return self.raw("\r\n".join(lines).encode())

    def admin(self, method, path, headers=()):
        """A request on the default administration socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(15)
            s.connect(f"{self.folder}/admin-{self.port}.sock")
            with contextlib.suppress(BrokenPipeError):  # refused at once, for there is no place: the answer is there already
                s.sendall("\r\n".join([f"{method} {path} HTTP/1.1", "Host: admin", "Connection: close", *headers, "", ""]).encode())
            return read_http(s)

    def connections(self, query="?top=4096"):
        """Administration's list; None: a worker did not answer in time."""
        status, _, body = self.admin("GET", "/v1/connections" + query)
        assert status in (200, 503), (status, body)
        return json.loads(body) if status == 200 else None

    def wait_full(self, count=1):
        """Until so many sockets are full: the gauge `behind` also counts who is on the way into step, and left_step_total does not
        count whose socket was full before it came there."""
        wait_for(lambda: (found := self.connections("?top=1")) and found["totals"]["full"] >= count)

    def client(self, path="/v1/ws", **options):
        return Client(self.port, path, **options)

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        text = self.text()
        os.unlink(self.log.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert "assertion failed" not in text and "Sanitizer" not in text, text


def wait_for(test, seconds=30, say=""):
    """What test() says, once that is true."""
    end = time.monotonic() + seconds
    while not (value := test()):
        assert time.monotonic() < end, say
        time.sleep(0.02)  # ended by the condition
    return value


def stand_still(pid):
    """Stops a process, and waits until all its threads have: SIGSTOP takes effect once one of them gets a processor, and until then
    the others go on. SIGCONT ends it."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(thread_state(pid, tid) == "T" for tid in os.listdir(f"/proc/{pid}/task")), say="it goes on")


def thread_state(pid, tid):
    with open(f"/proc/{pid}/task/{tid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


def read_http(s):
    """status, head, body of one response (by Content-Length, or to the end)."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            break
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.M)
    while length and len(body) < int(length.group(1)):
        more = s.recv(65536)
        if not more:
            break
        body += more
    status = int(head.split(b" ")[1]) if head else 0
    return status, head.decode(), body


class Closed(Exception):
    def __init__(self, code, reason):
        super().__init__(f"closed {code} {reason}")
        self.code, self.reason = code, reason


class Client:
    """Checks the chain of positions on the way: from == position, always."""

    def __init__(self, port, path="/v1/ws", headers=(), rcvbuf=0, seconds=15, binary=False):
        self.decoder = Decoder() if binary else None
        if binary:
            headers = [*headers, "Sec-WebSocket-Protocol: tickcast.v1.bin"]
        self.socket = socket.socket()
        if rcvbuf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(seconds)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(request(port, path, *headers, key=key))
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(4096)
            if not more:
                break
            self.buffer += more
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.head = head.decode()
        self.status = int(self.head.split(" ")[1])
        self.position = None
        self.epoch = None
        self.last_seq = 0
        self.answer_pings = True
        self.taken = 0  # bytes of whole frames so far
        self.deflate = "permessage-deflate" in self.head
        self.packed = self.packed_bytes = self.unpacked_bytes = 0

    def _need(self, n):
        while len(self.buffer) < n:
            more = self.socket.recv(262144)
            if not more:
                raise Closed(1006, "end of file")
            self.buffer += more

    def frame(self):
        self._need(2)
        first, size = self.buffer[0], self.buffer[1]
        assert size < 128, "a server's frame is not masked"
        at = 2
        if size == 126:
            self._need(4)
            size, at = struct.unpack(">H", self.buffer[2:4])[0], 4
            assert size >= 126, "lengths are minimal"
        elif size == 127:
            self._need(10)
            size, at = struct.unpack(">Q", self.buffer[2:10])[0], 10
        self._need(at + size)
        payload, self.buffer = self.buffer[at:at + size], self.buffer[at + size:]
        self.taken += at + size
        assert first & 0x30 == 0 and (self.deflate or first & 0x40 == 0), "no reserved bit that was not agreed on"
        if first & 0x40:
            assert first & 15 < 8, "control frames are never packed"
            self.packed += 1
            self.packed_bytes += len(payload)
            payload = zlib.decompressobj(wbits=-15).decompress(payload + b"\0\0\xff\xff")  # no context taken over
            self.unpacked_bytes += len(payload)
        return first & 15, payload

    def send_frame(self, opcode, payload=b"", rsv1=False):
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
        size = bytes([128 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        self.socket.sendall(bytes([128 | opcode | (64 if rsv1 else 0)]) + size + mask + masked)

    def send(self, **command):
        self.send_frame(1, json.dumps(command).encode())

    def next(self):
        """The next message, checked against the chain."""
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                raise Closed(code, payload[2:].decode())
            if opcode == 9:
                if self.answer_pings:
                    self.send_frame(10, payload)
                continue
            if opcode == 10:
                return {"type": "PONG", "payload": payload}
            assert opcode == (2 if self.decoder else 1)
            message = self.decoder.message(payload) if self.decoder else json.loads(payload, parse_float=Decimal)
            self.check(message)
            return message

    def check(self, m):
        kind = m["type"]
        if kind == "hello":
            self.epoch = m["epoch"]
        elif kind in ("subscribed", "unsubscribed"):
            assert self.position in (None, m["seq"]), (self.position, m)
            self.position = m["seq"]
        elif kind in ("ticks", "gap", "covered"):
            assert m["from"] == self.position, (self.position, m["from"], kind)
            assert m["to"] > m["from"] or (kind == "gap" and "epoch" in m), m  # of another epoch, while this log is empty
            self.position = m["to"]
            for t in m.get("ticks", ()):
                assert m["from"] < t["seq"] <= m["to"]
                assert t["seq"] > self.last_seq
                self.last_seq = t["seq"]
        elif kind == "snapshot":
            assert m["seq"] == self.position, (self.position, m["seq"])
            assert all(t["seq"] <= m["seq"] for t in m["ticks"])
        elif kind == "heartbeat":
            assert self.position is None or m["seq"] >= self.position

    def until(self, test, most=200000):
        """Messages up to and including the first that test holds for."""
        seen = []
        for _ in range(most):
            seen.append(self.next())
            if test(seen[-1]):
                return seen
        raise AssertionError("not seen")

    def until_type(self, kind):
        return self.until(lambda m: m["type"] == kind)[-1]

    def close(self):
        self.socket.close()


def ticks_of(messages):
    """All ticks delivered in messages, batch or single."""
    kinds = ("trade", "quote", "bar", "book", "status", "feed")
    return [t for m in messages for t in (m.get("ticks", []) if m["type"] == "ticks" else [m] if m["type"] in kinds else [])]
