"""The opening handshake (RFC 6455 4.1, 4.2; RFC 9110, 9112): every way in that is right, every wrong one with its own status."""
import base64, os
import pytest
from rig import Server
from wire import KEY, PING, PONG, TEXT, Wire, accept_of, close_frame, frame, request

RIGHT = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"}


@pytest.fixture(scope="module", params=["uring", "epoll"])
def port(request):
    with Server("--echo", "--host", "prices.example", "--origins", "https://app.example", io=request.param) as s:
        yield s.port


def head(first="GET /v1/echo HTTP/1.1", more=(), **changes):
    """The right request with some fields changed (None: left out)."""
    fields = {**RIGHT, **{k.replace("_", "-"): v for k, v in changes.items()}}
    lines = [first] + [f"{k}: {v}" for k, v in fields.items() if v is not None] + list(more)
    return "\r\n".join([*lines, "", ""]).encode()


def lines(text, change):
    return b"\r\n".join(change(line) for line in text.split(b"\r\n"))


def by_name(change):
    return lambda line: line if b": " not in line else change(line.split(b": ")[0]) + b": " + line.split(b": ", 1)[1]


ACCEPTED = {
    "plain": head(),
    "lower-case-names": lines(head(), by_name(bytes.lower)),
    "upper-case-names": lines(head(), by_name(bytes.upper)),
    "no-blank-after-the-colon": lines(head(), lambda line: line.replace(b": ", b":", 1)),
    "many-blanks": lines(head(), lambda line: line.replace(b": ", b":  \t ", 1) + (b" \t " if b":" in line else b"")),
    "upgrade-WebSocket": head(Upgrade="WebSocket"), "upgrade-WEBSOCKET": head(Upgrade="WEBSOCKET"),
    "upgrade-in-a-list": head(Upgrade="h2c, websocket"), "upgrade-list-no-blank": head(Upgrade="websocket,foo/2"),
    "connection-lower": head(Connection="upgrade"), "connection-UPPER": head(Connection="UPGRADE"),
    "connection-keep-alive-Upgrade": head(Connection="keep-alive, Upgrade"), "connection-list": head(Connection="foo ,Upgrade, bar"),
    "connection-empty-elements": head(Connection=", ,Upgrade,"),
    "connection-in-two-lines": head(Connection="keep-alive", more=["Connection: Upgrade"]),
    "upgrade-in-two-lines": head(Upgrade="foo", more=["Upgrade: websocket"]),
    "query": head("GET /v1/echo?a=b&c=%20 HTTP/1.1"), "empty-query": head("GET /v1/echo? HTTP/1.1"),
    "absolute-target": head("GET http://127.0.0.1/v1/echo HTTP/1.1"), "ws-target": head("GET ws://localhost:1/v1/echo HTTP/1.1"),
    "http-1.2": head("GET /v1/echo HTTP/1.2"),
    "host-with-port": head(Host="localhost:8080"), "host-ipv6": head(Host="[::1]:8080"), "host-upper": head(Host="LOCALHOST"),
    "host-allowed": head(Host="prices.example"), "empty-line-first": b"\r\n" + head(),
    "origin-loopback": head(more=["Origin: http://localhost:3000"]), "origin-listed": head(more=["Origin: https://app.example"]),
    "origin-same": head(Host="prices.example", more=["Origin: http://prices.example"]),
    "cookies-and-more": head(more=["Cookie: a=b; c=d", "User-Agent: x/1 (y; z)", "Pragma: no-cache", "DNT: 1", "X-Latin: café and 価"]),
    "94-more-fields": head(more=[f"X-{i}: {i}" for i in range(94)]), "8-KB-field": head(more=["X: " + "y" * 8000]),
    "long-target": head("GET /v1/echo?" + "x" * 8000 + " HTTP/1.1"), "content-length-0": head(more=["Content-Length: 0"]),
    "key-with-plus-and-slash": head(Sec_WebSocket_Key="++//++//++//++//++//+w=="),
    "unknown-protocol": head(more=["Sec-WebSocket-Protocol: chat, superchat"]),
    "version-with-blanks": head(Sec_WebSocket_Version=" 13 "), "empty-field": head(more=["X-Empty:"]),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED.keys())
@pytest.mark.parametrize("cut", [None, 1])
def test_right_ones(port, data, cut):
    with Wire(port, handshake=False) as w:
        w.send(data, cut if len(data) < 600 else None)
        assert w.head() == 101, w.text
        key = next(line.split(b":", 1)[1].strip() for line in data.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        assert w.text.startswith("HTTP/1.1 101 ")
        assert w.header("Upgrade").lower() == "websocket" and w.header("Connection").lower() == "upgrade"
        assert w.header("Sec-WebSocket-Accept") == accept_of(key.decode())
        assert w.header("Sec-WebSocket-Extensions") is None and w.header("Sec-WebSocket-Protocol") is None
        assert w.header("Content-Length") is None
        w.bye()


def test_the_rfc_s_own_example(port):
    with Wire(port) as w:
        assert w.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_hundred_keys(port):
    for _ in range(100):
        key = base64.b64encode(os.urandom(16)).decode()
        with Wire(port, handshake=False) as w:
            w.send(request(port, key=key))
            assert w.head() == 101 and w.header("Sec-WebSocket-Accept") == accept_of(key)


ECHO = "/v1/echo HTTP/1.1"
REFUSED = {
    **{f"version-{v or 'empty'}": (head(Sec_WebSocket_Version=v), 426)
       for v in ("0", "4", "5", "6", "7", "8", "9", "10", "11", "12", "14", "25", "255", "130", "113", "-13", "+13", "13.0", "13a",
                 "0013", "13, 8", "8, 13", "thirteen", "")},
    "version-missing": (head(Sec_WebSocket_Version=None), 426),
    "two-versions": (head(more=["Sec-WebSocket-Version: 13"]), 400),
    **{f"key-{name}": (head(Sec_WebSocket_Key=key), 400) for name, key in {
        "missing": None, "empty": "", "short": "short", "15-bytes": base64.b64encode(b"x" * 15).decode(), "8-bytes": "MTIzNDU2Nzg=",
        "17-bytes": base64.b64encode(b"x" * 17).decode(), "32-bytes": base64.b64encode(b"x" * 32).decode(),
        "no-padding": KEY[:-2], "one-padding": KEY[:-1], "three-padding": KEY[:-3] + "===", "url-alphabet": "--__" * 5 + "-w==",
        "blank-inside": "dGhlIHNhbXBs ZSBub25jZ==", "star-inside": "dGhlIHNhbXBsZSBub25j*Q==", "padding-inside": "dGhl=HNhbXBsZSBub25jZQ==",
    }.items()},
    "two-keys": (head(more=[f"Sec-WebSocket-Key: {KEY}"]), 400),
    "no-upgrade": (head(Upgrade=None), 426), "upgrade-h2c": (head(Upgrade="h2c"), 426), "upgrade-empty": (head(Upgrade=""), 426),
    "upgrade-websockets": (head(Upgrade="websockets"), 426), "upgrade-web-socket": (head(Upgrade="web socket"), 426),
    "no-connection": (head(Connection=None), 426), "connection-keep-alive": (head(Connection="keep-alive"), 426),
    "connection-close": (head(Connection="close"), 426), "connection-upgraded": (head(Connection="Upgraded"), 426),
    **{f"method-{m}": (head(f"{m} {ECHO}"), 405) for m in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE")},
    "method-unknown": (head(f"FETCH {ECHO}"), 400), "method-lower": (head(f"get {ECHO}"), 400),
    "http-1.0": (head("GET /v1/echo HTTP/1.0"), 400), "http-2.0": (head("GET /v1/echo HTTP/2.0"), 505),
    "http-0.9": (head("GET /v1/echo HTTP/0.9"), 505), "http-missing": (head("GET /v1/echo"), 400),
    "http-wrong": (head("GET /v1/echo HTTPS/1.1"), 400), "two-blanks": (head("GET  /v1/echo HTTP/1.1"), 400),
    "a-word-more": (head("GET /v1/echo HTTP/1.1 x"), 400), "target-missing": (head("GET HTTP/1.1"), 400),
    "target-without-slash": (head("GET v1/echo HTTP/1.1"), 400), "target-with-a-fragment": (head("GET /v1/echo#x HTTP/1.1"), 400),
    "host-missing": (head(Host=None), 400), "two-hosts": (head(more=["Host: 127.0.0.1"]), 400),
    "host-with-a-blank": (head(Host="local host"), 400), "host-with-a-path": (head(Host="localhost/x"), 400),
    "host-of-another": (head(Host="evil.example"), 421), "host-that-begins-alike": (head(Host="localhost.evil.example"), 421),
    "absolute-target-of-another": (head("GET http://evil.example/v1/echo HTTP/1.1"), 421),
    **{f"origin-{o}": (head(more=[f"Origin: {o}"]), 403) for o in
       ("http://evil.example", "null", "https://app.example.evil", "https://app.example:444", "http://app.example",
        "http://localhost.evil.example", "file://")},
    "body": (head(more=["Content-Length: 5"]) + b"hello", 400), "chunked": (head(more=["Transfer-Encoding: chunked"]), 411),
    "two-lengths": (head(more=["Content-Length: 0", "Content-Length: 1"]), 400), "length-minus": (head(more=["Content-Length: -1"]), 400),
    "length-of-1-gb": (head(more=["Content-Length: 1000000000"]), 413),
    "length-too-long": (head(more=["Content-Length: 99999999999999999999"]), (400, 413)),
    "105-fields": (head(more=[f"X-{i}: {i}" for i in range(100)]), 431), "17-KB-field": (head(more=["X: " + "y" * 17000]), 431),
    "long-target": (head("GET /v1/echo?" + "x" * 8300 + " HTTP/1.1"), 414), "20-KB-target": (head("GET /" + "x" * 20000 + " HTTP/1.1"), 414),
    "name-not-ascii": (head(more=["X-Ümlaut: a"]), 400), "folded": (head(more=["X: a", " folded"]), 400), "blank-before-the-colon": (head(more=["X : a"]), 400),
    "no-colon": (head(more=["no colon here"]), 400), "no-name": (head(more=[": value"]), 400), "nul": (head(more=["X: a\0b"]), 400),
    "bare-line-feeds": (head().replace(b"\r\n", b"\n"), 400), "bare-carriage-return": (head(more=["X: a\rb"]), 400),
    "control-character": (head(more=["X: a\x01b"]), 400), "name-with-a-blank": (head(more=["X Y: a"]), 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400), "a-frame-first": (frame(TEXT, b"hello") + head(), 400),
    "http-2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    **{f"path-{p}": (head(f"GET {p} HTTP/1.1"), 404) for p in
       ("/v1/echo/", "/v1/echoo", "/v1/ech", "/V1/ECHO", "/v1//echo", "/v1/ws/", "/v1/%65cho", "/v2/ws", "/v1/../v1/echo")},
}


@pytest.mark.parametrize("data,status", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("cut", [None, 1])
def test_wrong_ones(port, data, status, cut):
    with Wire(port, handshake=False) as w:
        try:
            w.send(data, cut if len(data) < 600 else 4000 if cut else None)
        except (BrokenPipeError, ConnectionResetError):
            assert cut, "it answered before all was sent, and has left"
        got = w.head()
        assert got in (status if isinstance(status, tuple) else (status,)), w.text
        assert "101" not in w.text.split("\r\n")[0]
        if got == 426:
            assert w.header("Sec-WebSocket-Version") == "13" and w.header("Upgrade") == "websocket"
            assert "upgrade" in w.header("Connection").lower()
        if got == 405:
            assert w.header("Allow") == "GET", "neither HEAD nor anything else makes a WebSocket"


@pytest.mark.parametrize("refused", [head(Sec_WebSocket_Version="8"), head(Upgrade=None), head(f"HEAD {ECHO}"), head("GET /x HTTP/1.1")],
                         ids=["version", "no-upgrade", "head", "path"])
def test_a_second_try_on_the_same_connection(port, refused):
    with Wire(port, handshake=False) as w:
        w.send(refused)
        w.head()
        if not refused.startswith(b"HEAD"):
            while len(w.buffer) < int(w.header("Content-Length")):
                assert w.fill()
        w.buffer.clear()
        w.send(head())
        assert w.head() == 101
        w.bye()


@pytest.mark.parametrize("asked,chosen", [
    ("tickcast.v1.json", "tickcast.v1.json"), ("chat, tickcast.v1.json", "tickcast.v1.json"), ("tickcast.v1.json,chat", "tickcast.v1.json"),
    ("chat", None), ("tickcast.v2.json", None), ("tickcast", None),
])
def test_a_protocol_of_ours_is_chosen_from_those_asked_for(port, asked, chosen):
    with Wire(port, handshake=False) as w:
        w.send(request(port, "/v1/ws", f"Sec-WebSocket-Protocol: {asked}"))
        assert w.head() == 101 and w.header("Sec-WebSocket-Protocol") == chosen
        assert w.event()[1].startswith(b'{"type":"hello"')


@pytest.mark.parametrize("cut", [None, 1, 3, 50])
@pytest.mark.parametrize("frames,events", [
    (frame(TEXT, b"early"), [(TEXT, b"early")]),
    (frame(PING, b"early") + frame(TEXT, b"bird"), [(PONG, b"early"), (TEXT, b"bird")]),
    (frame(TEXT, b"ear", fin=False) + frame(0, b"ly"), [(TEXT, b"early")]),
    (frame(2, b"x" * 3000) * 3, [(2, b"x" * 3000)] * 3),
    (frame(2, b"x" * 70, fin=False) * 1 + frame(0, b"y" * 20000), [(2, b"x" * 70 + b"y" * 20000)]),
    (b"", []),
], ids=["text", "ping-text", "fragments", "3-messages", "long", "nothing"])
def test_frames_that_come_with_the_handshake(port, frames, events, cut):
    with Wire(port, handshake=False) as w:
        w.send(head() + frames + close_frame(1000), cut if len(frames) < 1000 else None)
        assert w.head() == 101
        w.expect(*events)
        w.expect_close(1000)


@pytest.mark.parametrize("extra", range(1, 8))
def test_a_frame_cut_by_the_handshake_s_segment(port, extra):
    data = frame(TEXT, b"hello")
    with Wire(port, handshake=False) as w:
        w.send(head() + data[:extra])
        assert w.head() == 101
        w.send(data[extra:])
        w.expect((TEXT, b"hello"))
        w.bye()


def test_wrong_frames_that_come_with_the_handshake(port):
    with Wire(port, handshake=False) as w:
        w.send(head() + frame(TEXT, b"x", masked=False))
        assert w.head() == 101
        w.expect_close(1002)


def test_echo_is_only_there_when_asked_for():
    with Server() as s:
        with Wire(s.port, handshake=False) as w:
            w.send(request(s.port))
            assert w.head() == 404
