"""One port: the page, health, the right status for each wrong request; hosts and origins (decision 26)."""
import email.utils, re, socket, time
import pytest
from rig import Server, read_http, wait_for


@pytest.fixture(scope="module", params=["uring", "epoll"])
def server(request):
    with Server("--echo", io=request.param) as s:
        yield s


def test_the_page_and_its_parts(server):
    status, head, body = server.http("GET", "/")
    assert status == 200 and b"<" in body and "text/html" in head
    etag = [l.split(": ", 1)[1] for l in head.split("\r\n") if l.lower().startswith("etag")][0]
    assert server.http("GET", "/", [f"If-None-Match: {etag}"])[0] == 304
    status, head, body = server.http("HEAD", "/")
    assert status == 200 and body == b"" and "ontent-Length: 0" not in head


def test_every_answer_has_a_date(server):
    """RFC 9110 6.6.1: 2xx, 3xx and 4xx of a server with a clock."""
    etag = re.search(r"(?i)\netag: (\S+)", server.http("GET", "/")[1]).group(1)
    for method, path, headers, status in (("GET", "/", [], 200), ("GET", "/", [f"If-None-Match: {etag}"], 304), ("GET", "/healthz", [], 200),
                                          ("GET", "/nothing", [], 404), ("DELETE", "/", [], 405), ("GET", "/v1/ws", [], 426)):
        before = int(time.time())
        got, head, _ = server.http(method, path, headers)
        dates = re.findall(r"(?m)^Date: (.*?)\r?$", head)
        assert got == status and len(dates) == 1, head
        assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", dates[0])
        assert before - 1 <= email.utils.parsedate_to_datetime(dates[0]).timestamp() <= time.time()


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"\x00\x01\x02 / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", 413),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(200)) + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 20000 + b"\r\n\r\n", 431),
    (b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\n\r\n", 426),
    (b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n", 426),
    (b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     b"Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
])
def test_statuses(server, request_bytes, status):
    assert server.raw(request_bytes)[0] == status


def test_a_request_that_does_not_come_is_408(io):
    """On a server of its own: those that come, come as late as a busy machine sends them."""
    with Server("--handshake-timeout", "0.5", io=io) as server, socket.create_connection(("127.0.0.1", server.port), timeout=15) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHo")
        assert read_http(s)[0] == 408


def test_byte_by_byte_and_keep_alive(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as s:
        for _ in range(3):
            for b in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n":
                s.sendall(bytes([b]))
            assert read_http(s)[0] == 200


def test_pipelined_requests_are_answered_in_order(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        data = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            data += more
        statuses = [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [200, 404, 200]


def test_decision_26_hosts_and_origins(server):
    def status(*headers):
        return server.client(headers=headers).status
    assert status() == 101
    assert status("Origin: http://localhost:3000") == 101
    assert status("Origin: http://evil.example") == 403
    assert status("Origin: null") == 403
    with Server("--host", "prices.example", "--origins", "https://app.example") as s:
        assert s.raw(b"GET /healthz HTTP/1.1\r\nHost: Prices.Example:80\r\n\r\n")[0] == 200
        assert s.client(headers=["Origin: https://app.example"]).status == 101


def test_limits_of_connections():
    with Server("--max-connections", "16", io="uring") as s:
        held = [s.client() for _ in range(16)]
        status, head, _ = s.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status == 503 and "etry-After" in head
        s.wait_log("event=limit .*limit=max-connections")
        held.pop().close()
        wait_for(lambda: s.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 200)
    with Server("--max-connections-per-ip", "2") as s:
        held = [s.client(), s.client()]
        assert s.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 503


def test_symbols(server):
    server.wait_metric("read_seq", lambda n: n > 100)  # every worker knows all 20
    status, _, body = server.http("GET", "/v1/symbols?prefix=A&limit=2")
    import json
    answer = json.loads(body)
    assert status == 200 and len(answer["symbols"]) == 2 and answer["more"] and all(n[0] == "A" for n in answer["symbols"])


def test_echo_of_every_size(server):
    c = server.client("/v1/echo")
    for size in (0, 1, 125, 126, 4000, 5000, 16380, 16384, 20000, 65000):
        payload = bytes(i & 0x7f for i in range(size))
        c.send_frame(2, payload)
        assert c.frame() == (2, payload)
    c.send_frame(9, b"hello")
    assert c.frame() == (10, b"hello")
    c.send_frame(8, b"\x03\xe8bye")
    assert c.frame()[1][:2] == b"\x03\xe8"
