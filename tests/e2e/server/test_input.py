"""Receive buffers are one ring for all connections of a worker. Whoever has sent half of something, or sends on while an answer to
it waits, keeps none of them: more such clients than there are buffers, and the others are read as before."""
import contextlib, json, resource, socket
import pytest
from rig import Server, read_http
from wire import BINARY, CLOSE, PING, PONG, TEXT, Wire, frame, request

BUFFERS = 1024            # worker_internal.h: RECEIVE_BUFFERS
MANY = BUFFERS + 100
# Room for all that is sent on here, however much of it has come before the server looks: a slow machine meets no limit.
ROOM = ["--workers", "1", "--max-connections", "40000", "--handshake-timeout", "600", "--keepalive-timeout", "600",
        "--message-timeout", "600", "--ping-interval", "600", "--close-timeout", "600"]  # until all the others have been read
QUIET = "sim:?symbols=20&rate=200&seed=7"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
SYMBOLS = b"GET /v1/symbols HTTP/1.1\r\nHost: localhost\r\n\r\n"  # an answer of more than a small socket takes
MANY_SYMBOLS = "sim:?symbols=800&rate=2000&seed=7"
NAMES = [f"nobody-{i:04}-has-such-a-name" for i in range(500)]  # the same of a command
ECHOES = 8                # more than two small sockets hold
SMALL = 2304              # the least that a socket's buffer can be


@pytest.fixture(autouse=True)
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 4 * MANY:
        pytest.skip(f"the hard limit of open files is {before[1]}; this needs {4 * MANY} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Peer(Wire):
    """A Wire that takes little of what it does not read, and has stated so before it connects."""
    reset = False  # found while sending

    def __init__(self, port, path=None, rcvbuf=0, seconds=60):
        self.socket = socket.socket()
        if rcvbuf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(seconds)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        if path:
            self.send(request(port, path))
            self.head()
            assert self.status == 101, self.text
        if path and path.startswith("/v1/ws"):
            assert self.event()[1].startswith(b'{"type":"hello"')

    def answer(self, kind):
        """The next message that is neither data nor a heartbeat."""
        while True:
            event = self.event()
            assert event[0] != CLOSE, event
            if event[0] == PING:
                self.send(frame(PONG, event[1]))
            elif event[0] == TEXT:
                m = json.loads(event[1])
                if m["type"] == kind:
                    return m
                assert m["type"] in ("ticks", "snapshot", "heartbeat", "lag", "gap"), m


def peers(stack, count, *args, **options):
    out = []
    for _ in range(count):
        out.append(Peer(*args, **options))
        stack.callback(out[-1].socket.close)
    return out


def command(op, **fields):
    return frame(TEXT, json.dumps({"op": op, **fields}).encode())


def honest(server, streams):
    """Who was there before is answered; who comes now is let in; nobody met a limit."""
    for i, c in enumerate(streams):
        c.send(command("ping", id=i))
        assert c.answer("pong")["id"] == i
        c.send(command("subscribe", id=i, symbols=["*"]))
        assert c.answer("subscribed")["id"] == i
        c.send(frame(PING, b"there?"))
        while c.event() != (PONG, b"there?"):
            pass
    with Peer(server.port, "/v1/ws") as new:
        new.send(command("subscribe", id=9, symbols=["*"]))
        assert new.answer("subscribed")["id"] == 9
    assert server.http("GET", "/healthz")[0] == 200
    assert not any(server.limits().values()), server.limits()


def test_input_that_is_not_whole_keeps_no_receive_buffer(io):
    """Of each kind more than there are buffers: half a head, half a frame's head, half a payload or half a message."""
    with Server(*ROOM, io=io, feed=QUIET) as s, contextlib.ExitStack() as stack:
        streams = peers(stack, 5, s.port, "/v1/ws")
        heads = peers(stack, MANY, s.port)
        for c in heads:
            c.send(HEAD[:-8])
        frames = peers(stack, MANY, s.port, "/v1/ws")
        for c in frames:
            c.send(b"\x81")
        whole = command("ping", id=1)
        payloads = peers(stack, MANY // 2, s.port, "/v1/ws")  # these and the next share room for max-connections / 16
        for c in payloads:
            c.send(whole[:-5])
        pieces = peers(stack, BUFFERS + 60 - MANY // 2, s.port, "/v1/ws")
        for c in pieces:
            c.send(frame(TEXT, b'{"op":"ping"', fin=False))
        honest(s, streams)
        everyone = len(streams) + len(heads) + len(frames) + len(payloads) + len(pieces)
        s.wait_metric("connections", lambda n: n == everyone + 1)  # and the one that asks
        for c in heads:
            c.send(HEAD[-8:] + b"\r\n")
            assert read_http(c.socket)[0] == 200
        for c in frames:
            c.send(whole[1:])
        for c in payloads:
            c.send(whole[-5:])
        for c in pieces:
            c.send(frame(0, b',"id":1}'))
        for c in frames + payloads + pieces:
            assert c.answer("pong")["id"] == 1
        honest(s, streams)


def wide(c):
    """From now on it takes what comes."""
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)


def owe_commands(s, stack, count=MANY):
    """The first answer is more than the socket takes; two commands wait behind it."""
    out = peers(stack, count, s.port, "/v1/ws", rcvbuf=SMALL)
    for c in out:
        c.send(command("subscribe", id=1, symbols=NAMES))
        c.send(command("ping", id=2) + command("ping", id=3))
    return out


def take_commands(c):
    wide(c)
    assert c.answer("subscribed")["id"] == 1
    assert [c.answer("pong")["id"] for _ in range(2)] == [2, 3]


def owe_requests(s, stack, count=MANY):
    out = peers(stack, count, s.port, rcvbuf=SMALL)
    for c in out:
        c.send(SYMBOLS * 3)
    return out


def take_answers(c, count):
    wide(c)
    for _ in range(count):
        assert c.head() == 200
        body = int(c.header("Content-Length"))
        while len(c.buffer) < body:
            assert c.fill()
        del c.buffer[:body]


def take_requests(c):
    take_answers(c, 3)


def owe_echoes(s, stack, count=MANY):
    out = peers(stack, count, s.port, "/v1/echo", rcvbuf=SMALL)
    for c in out:
        for _ in range(ECHOES):
            c.send(frame(BINARY, b"x" * 3000))
        c.send(frame(PING, b"last"))
    return out


def take_echoes(c):
    wide(c)
    c.expect(*[(BINARY, b"x" * 3000)] * ECHOES, (PONG, b"last"))


@pytest.mark.parametrize("owe,take", [(owe_commands, take_commands), (owe_requests, take_requests), (owe_echoes, take_echoes)],
                         ids=["commands", "requests", "echoes"])
def test_input_that_waits_for_an_answer_keeps_no_receive_buffer(io, owe, take):
    """They do not read, so their answers do not go out, so what they sent behind is not handled; then they read, and get all."""
    args = ["--max-commands", "0", "--sndbuf", "2304", "--echo", *ROOM]
    with Server(*args, io=io, feed=MANY_SYMBOLS) as s, contextlib.ExitStack() as stack:
        streams = peers(stack, 5, s.port, "/v1/ws")
        s.wait_metric("head_seq", lambda n: n > 5000)
        owing = owe(s, stack)
        s.wait_metric("input_bytes", lambda n: n > 0)
        honest(s, streams)
        s.wait_metric("connections", lambda n: n == len(streams) + len(owing) + 1)
        for c in owing:
            take(c)
        s.wait_metric("input_bytes", lambda n: n == 0)
        honest(s, streams)


# ---- The end of that room. ----

LONG = 40  # messages of 3 KiB behind the first


def until_met(s, stack, path, burst, before=b""):
    """Peers that ask for an answer that fills their socket and send much behind it, in one breath, until the limit is met."""
    out = []
    while s.limits()["input-memory"] == 0:
        assert len(out) < 1500, "the limit was never met"
        out += peers(stack, 1, s.port, path, rcvbuf=SMALL)
        if before:
            out[-1].send(before)
            out[-1].answer("subscribed")
        try:
            out[-1].send(burst)
        except ConnectionError:  # told once: a receive will not tell it again
            out[-1].reset = True
        s.wait_metric("received_bytes_total", lambda n: n > 4096 * len(out))
    s.wait_log(r"level=warn event=limit worker=\d+ limit=input-memory ")
    return out


def code_or_all(c, last):
    """Reads on: the code it is closed with, or None once the last pong is there."""
    wide(c)
    while True:
        event = c.event()
        if event[0] == CLOSE:
            return int.from_bytes(event[1][:2], "big")
        if event[0] == TEXT and event[1].startswith(b'{"type":"pong"') and json.loads(event[1])["id"] == last:
            return None


def test_room_for_what_is_sent_on_ends_with_1013(io):
    """Who sends more than 4 KiB behind an answer that it does not read shares room with its like; who sends less is not cut."""
    args = ["--max-commands", "0", "--sndbuf", "2304", *ROOM, "--max-connections", "2048"]
    long = [frame(TEXT, b'{"op":"ping","id":%d' % i + b" " * 3000 + b"}") for i in range(LONG)]
    with Server(*args, io=io, feed=QUIET) as s, contextlib.ExitStack() as stack:
        modest = owe_commands(s, stack, 5)
        again = command("subscribe", id=1, symbols=["one-more"])  # short itself; its answer names all
        greedy = until_met(s, stack, "/v1/ws", again + b"".join(long), before=command("subscribe", symbols=NAMES))
        assert s.metrics()["input_bytes"] <= (len(modest) + len(greedy) + 1024) * 4096
        for c in modest:
            take_commands(c)
        codes = [code_or_all(c, LONG - 1) for c in greedy]
        assert set(codes) <= {None, 1013} and codes.count(1013) == s.limits()["input-memory"] > 0, codes


def test_room_for_requests_sent_on_ends_with_a_reset(io):
    """Where a receive is many at a time, a pause finds many blocks there already. With epoll there is one more and no end of room."""
    args = ["--sndbuf", "2304", *ROOM, "--max-connections", "2048"]
    long = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 3000 + b"\r\n\r\n"
    with Server(*args, io=io, feed=MANY_SYMBOLS) as s, contextlib.ExitStack() as stack:
        s.wait_metric("head_seq", lambda n: n > 5000)
        modest = owe_requests(s, stack, 5)
        if io == "epoll":
            greedy = peers(stack, 100, s.port, rcvbuf=SMALL)
            for c in greedy:
                c.send(SYMBOLS + long * 2)
            s.wait_metric("input_bytes", lambda n: n >= (len(modest) + len(greedy)) * 4096)
        else:
            greedy = until_met(s, stack, None, SYMBOLS + long * LONG)
        for c in modest:
            take_requests(c)
        resets = 0
        for c in greedy:
            try:
                if not c.reset:
                    take_answers(c, 1 + (2 if io == "epoll" else LONG))
            except ConnectionResetError:
                c.reset = True
            resets += c.reset
        assert resets == s.limits()["input-memory"]
        assert (resets > 0) == (io == "uring")
