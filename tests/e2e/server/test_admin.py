"""Administration: who may see and steer (decision 26), what is seen, and that it is true."""
import json, os, re, signal, socket, stat, subprocess
import pytest
from rig import TICKCAST, Closed, Server, read_http, wait_for

FAST = "sim:?symbols=20&rate=50000&seed=3"
TOKEN = "a-token-of-enough-characters"
BEARER = [f"Authorization: Bearer {TOKEN}"]


def listed(s, query=""):
    status, head, body = s.admin("GET", "/v1/connections" + query)
    assert status == 200 and "no-store" in head, (status, body)
    return json.loads(body)


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return str(path)


def subscribed(s, query, **options):
    c = s.client("/v1/ws?" + query, **options)
    c.until_type("subscribed")
    return c


def test_decision_26_the_public_port_has_no_administration(io):
    with Server(io=io) as s:
        for method, path in (("GET", "/v1/connections"), ("POST", "/v1/connections/0-0-1/kick")):
            assert s.http(method, path)[0] == 404
            assert s.http(method, path, BEARER)[0] == 404


def test_decision_26_the_token_opens_the_public_port_and_only_it_does(io, token):
    with Server("--admin-token", token, io=io) as s:
        c = subscribed(s, "symbols=*")
        wrong = ([], ["Authorization: Bearer " + TOKEN[:-1]], ["Authorization: Bearer " + TOKEN + "x"],
                 ["Authorization: Bearer"], ["Authorization: Basic " + TOKEN], ["Authorization: " + TOKEN],
                 ["Authorization: Bearer " + TOKEN[:-1] + "z"])
        for headers in wrong:
            status, head, _ = s.http("GET", "/v1/connections", headers)
            assert status == 401 and "WWW-Authenticate: Bearer" in head
            assert s.http("POST", "/v1/connections/0-0-1/kick", headers)[0] == 401
        def rows_of_one():
            status, _, body = s.http("GET", "/v1/connections", ["authorization: bearer " + TOKEN])
            assert status == 200
            rows = json.loads(body)["connections"]
            return rows if len(rows) == 1 else None  # those that were refused above are seen to have left a turn later
        rows = wait_for(rows_of_one)
        assert rows[0]["state"] == "subscribed"
        assert rows[0]["peer"] == "127.0.0.1:%d" % c.socket.getsockname()[1]
        assert s.http("GET", "/v1/connections", BEARER + ["Origin: http://evil.example"])[0] == 403
        with socket.create_connection(("127.0.0.1", s.port), timeout=15) as raw:  # a page that rebinds its name
            raw.sendall(f"GET /v1/connections HTTP/1.1\r\nHost: evil.example\r\n{BEARER[0]}\r\n\r\n".encode())
            assert read_http(raw)[0] == 421
        assert s.http("GET", f"/v1/connections/{rows[0]['id']}/kick", BEARER)[0] == 405
        assert s.http("POST", f"/v1/connections/{rows[0]['id']}/kick", BEARER)[0] == 200
        with pytest.raises(Closed) as e:
            c.until(lambda m: False)
        assert (e.value.code, e.value.reason) == (1008, "kicked")
        c.close()
        # A connection that was handed over is not the worker's any more, and the worker goes on.
        wait_for(lambda: s.metrics()["connections"] == 1)
        assert s.metrics()["kicked_total"] == 1


def test_decision_26_the_default_socket_is_this_users_alone_and_goes_at_exit(io):
    with Server(io=io) as s:
        path = f"{s.folder}/admin-{s.port}.sock"
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and stat.S_ISSOCK(os.stat(path).st_mode)
        for p in ("/metrics", "/healthz", "/readyz"):
            assert s.admin("GET", p)[0] == 200
        assert s.admin("GET", "/")[0] == 404 and s.admin("POST", "/v1/connections")[0] == 405
        assert s.admin("GET", "/v1/connections", ["Origin: http://evil.example"])[0] == 403
        for query in ("?top=0", "?top=4097", "?top=x", "?sort=size", "?after=1-2", "?after=0-0-1", "?colour=red"):
            assert s.admin("GET", "/v1/connections" + query)[0] == 400, query
        assert s.stop() == 0 and not os.path.exists(path)


def test_two_servers_have_two_sockets_and_a_stale_one_is_replaced(io, tmp_path):
    path = tmp_path / "admin.sock"
    with Server("--admin-listen", f"unix:{path}", io=io) as s:
        second = subprocess.run([TICKCAST, "serve", "--listen", "127.0.0.1:0", "--admin-listen", f"unix:{path}"],
                                capture_output=True, text=True, timeout=30)
        assert second.returncode == 1 and "--admin-listen" in second.stderr and "is in use" in second.stderr
        with Server(io=io) as other:
            assert other.admin("GET", "/healthz")[0] == 200 and s.folder != other.folder
        s.stop(signal.SIGKILL)
        assert path.exists()
    with Server("--admin-listen", f"unix:{path}", io=io) as s:
        s.wait_log(rf"event=admin_listening address=unix:{re.escape(str(path))}")
        assert s.stop() == 0 and not path.exists()


def test_decision_26_a_tcp_listener_has_host_origin_and_token_rules(io, token):
    def ask(port, *headers, host=None):
        with socket.create_connection(("127.0.0.1", port), timeout=15) as raw:
            lines = ["GET /v1/connections HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close", *headers]
            raw.sendall("\r\n".join([*lines, "", ""]).encode())
            return read_http(raw)[0]
    with Server("--admin-listen", "127.0.0.1:0", io=io) as s:
        port = int(s.wait_log(r"event=admin_listening address=127\.0\.0\.1:(\d+)"))
        assert ask(port) == 200 and ask(port, host="evil.example") == 421
        assert ask(port, f"Origin: http://127.0.0.1:{s.port}") == 403 and ask(port, f"Origin: http://127.0.0.1:{port}") == 200
        assert not os.listdir(s.folder)
    with Server("--admin-listen", "127.0.0.1:0", "--admin-token", token, io=io) as s:
        port = int(s.wait_log(r"event=admin_listening address=127\.0\.0\.1:(\d+)"))
        assert ask(port) == 401 and ask(port, *BEARER) == 200
    with Server("--admin-listen", "none", io=io) as s:
        assert not os.listdir(s.folder) and "admin_listening" not in s.text()


@pytest.mark.parametrize("words, expected", [
    (["--admin-listen", "0.0.0.0:0"], "can be reached from other machines; give --admin-token FILE"),
    (["--admin-listen", "somewhere"], '--admin-listen: "somewhere" is not an address and a port'),
    (["--admin-token", "/nonexistent"], "--admin-token /nonexistent: No such file or directory; make one with `openssl rand"),
    (["--admin-token", "/dev/null"], "--admin-token /dev/null: cannot be read"),
    (["--admin-token", "SHORT"], "the token has 5 characters; use 16 to 256"),
    (["--admin-token", "ODD"], "character 9 is none that a token may have"),
])
def test_wrong_settings_are_one_line_with_the_remedy(words, expected, tmp_path):
    for name, text in (("SHORT", "short\n"), ("ODD", "12345678 0123456789\n")):
        (tmp_path / name).write_text(text)
        words = [str(tmp_path / name) if w == name else w for w in words]
    done = subprocess.run([TICKCAST, "serve", "--listen", "127.0.0.1:0", *words], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and expected in done.stderr, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("tickcast")]) == 1


def test_decision_26_kick_says_its_code_and_an_id_is_never_anothers(io):
    with Server("--workers", "1", "--close-timeout", "60", io=io) as s:  # one: the next connection takes the slot of the last
        c = subscribed(s, "symbols=*")
        first = listed(s)["connections"][0]["id"]
        for query in ("?code=1005", "?code=1006", "?code=2999", "?code=5000", "?reason=%ff", "?reason=a%0ab", "?reason=" + "a" * 124,
                      "?why=x"):
            assert s.admin("POST", f"/v1/connections/{first}/kick{query}")[0] == 400, query
        for id in ("0-0-0", "0-9999-1", "63-0-1", "0-0-2", "x", "0-0", "0-0-1-1", "-1-0-1"):
            assert s.admin("POST", f"/v1/connections/{id}/kick")[0] == 404, id
        assert s.metrics()["kicked_total"] == 0
        status, _, body = s.admin("POST", f"/v1/connections/{first}/kick?code=4321&reason=too%20loud%20%E2%82%AC")
        assert status == 200 and json.loads(body) == {"id": first, "kicked": True, "code": 4321}
        with pytest.raises(Closed) as e:
            c.until(lambda m: False)
        assert (e.value.code, e.value.reason) == (4321, "too loud €")
        # The closing handshake is not answered: it stands as closing, and a second kick is a conflict.
        assert s.admin("POST", f"/v1/connections/{first}/kick")[0] == 409
        assert [r["state"] for r in listed(s)["connections"] if r["id"] == first] == ["closing"]
        c.close()
        wait_for(lambda: s.admin("POST", f"/v1/connections/{first}/kick")[0] == 404)
        d = subscribed(s, "symbols=*")  # takes the slot, with another generation
        second = wait_for(lambda: [r["id"] for r in listed(s)["connections"] if r["state"] == "subscribed"])[0]
        assert second != first and second.rsplit("-", 1)[0] == first.rsplit("-", 1)[0]
        assert s.admin("POST", f"/v1/connections/{first}/kick")[0] == 404
        d.until_type("ticks")


def test_decision_26_the_stuck_one_is_on_top_with_its_lag_and_can_be_kicked(io):
    # A log that a slow machine's reader is not lapped in; the connection without a request stays.
    args = ["--log-capacity", "1048576", "--handshake-timeout", "60", "--close-timeout", "0.5"]
    with Server(*args, io=io, feed=FAST) as s:
        fast = subscribed(s, "symbols=*&policy=complete")
        stuck = subscribed(s, "symbols=*", rcvbuf=4096)
        http = socket.create_connection(("127.0.0.1", s.port), timeout=15)
        name = "127.0.0.1:%d" % stuck.socket.getsockname()[1]

        def slow():
            for _ in range(20):
                fast.next()
            rows = listed(s, "?sort=lag")["connections"]
            return rows if len(rows) == 3 and rows[0]["slow"] and rows[0]["lag"] > 10000 else None
        rows = wait_for(slow)
        top = rows[0]
        assert top["peer"] == name and top["full"] and not top["in_step"] and top["lag_ms"] > 0 and top["full_ms"] > 0
        assert top["queue_bytes"] > 0 and top["policy"] == "conflate" and top["frame"] == "batch" and top["encoding"] == "json"
        assert [r["state"] for r in rows].count("http") == 1 and "lag" not in [r for r in rows if r["state"] == "http"][0]
        quick = next(r for r in rows if r.get("policy") == "complete")
        assert quick["ticks"] > 0 and quick["sent_bytes"] > 0 and quick["gaps"] == 0 and quick["lag"] < top["lag"]
        found = listed(s, "?sort=lag&top=1")
        assert [r["peer"] for r in found["connections"]] == [name] and found["more"] and found["shown"] == 1
        assert found["totals"]["full"] >= 1 and found["totals"]["slow"] >= 1 and found["totals"]["connections"] == 3
        assert s.admin("POST", f"/v1/connections/{top['id']}/kick")[0] == 200
        wait_for(lambda: name not in [r["peer"] for r in listed(s)["connections"]])  # reset, for it never read its close
        fast.next()
        http.close()


def test_decision_26_the_table_is_true_for_200_connections(io):
    """Each connection's own count of messages against the row that says so; by pages and by every order."""
    with Server("--workers", "2", "--close-timeout", "60", io=io, feed="sim:?symbols=20&rate=200&seed=7") as s:
        clients = [s.client(f"/v1/ws?symbols=A*,B*,S{i},T{i},U{i}&rate={1 + i % 5}" if i % 2 else "/v1/ws") for i in range(200)]
        for i, c in enumerate(clients):
            c.until_type("subscribed" if i % 2 else "hello")
        want = {"127.0.0.1:%d" % c.socket.getsockname()[1]: i for i, c in enumerate(clients)}
        assert len(want) == 200
        wait_for(lambda: listed(s, "?top=1")["totals"]["subscribers"] == 100)  # a worker tells its sums at the end of the turn
        by_peer = None
        for sort in ("lag", "bytes", "age", "queue", "id"):
            found = listed(s, f"?sort={sort}&top=4096")
            rows = found["connections"]
            assert found["shown"] == len(rows) == 200 and not found["more"] and found["sort"] == sort
            assert {r["peer"] for r in rows} == set(want) and len({r["id"] for r in rows}) == 200
            assert found["totals"]["connections"] == 200 and found["totals"]["subscribers"] == 100
            by_peer = {r["peer"]: r for r in rows}
            key = {"lag": lambda r: r.get("lag", 0), "bytes": lambda r: r["sent_bytes"], "age": lambda r: r["age_ms"],
                   "queue": lambda r: r["queue_bytes"] + r["rest_bytes"],
                   "id": lambda r: [-int(n) for n in r["id"].split("-")[:2]]}[sort]
            assert [key(r) for r in rows] == sorted((key(r) for r in rows), reverse=True), sort
        for peer, i in want.items():
            row = by_peer[peer]
            assert row["state"] == ("subscribed" if i % 2 else "open")
            if i % 2:
                assert row["rules"] == 5 and len(row["symbols"]) == 4 and row["rate"] == 1 + i % 5
        pages, after = [], ""
        while True:
            found = listed(s, f"?sort=id&top=37{after}")
            pages += [r["id"] for r in found["connections"]]
            assert len(found["connections"]) == 37 or not found["more"]
            if not found["more"]:
                break
            after = "&after=" + pages[-1]
        assert pages == [r["id"] for r in listed(s, "?sort=id&top=4096")["connections"]]
        # What a row says was sent is what its client gets, to the tick: kicked, it reads to the end and counts.
        c = clients[1]
        me = "127.0.0.1:%d" % c.socket.getsockname()[1]
        wait_for(lambda: next(r for r in listed(s)["connections"] if r["peer"] == me)["ticks"] > 0)
        s.admin("POST", f"/v1/connections/{by_peer[me]['id']}/kick")
        final = next(r for r in listed(s, "?top=4096")["connections"] if r["peer"] == me)
        got = 0
        with pytest.raises(Closed) as e:
            while True:
                m = c.next()
                got += len(m.get("ticks", ())) if m["type"] == "ticks" else 0
        assert e.value.code == 1008 and final["state"] == "closing" and got == final["ticks"] > 0


def test_keep_alive_pipelining_and_who_does_not_read(io):
    with Server(io=io) as s:
        path = f"{s.folder}/admin-{s.port}.sock"
        with socket.socket(socket.AF_UNIX) as c:
            c.settimeout(15)
            c.connect(path)
            c.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 40)
            data = b""
            while data.count(b"alive\n") < 40:
                more = c.recv(65536)
                assert more
                data += more
            assert data.count(b"HTTP/1.1 200 OK") == 40
        held = []
        for _ in range(16):  # all places taken by who says nothing
            c = socket.socket(socket.AF_UNIX)
            c.settimeout(15)
            c.connect(path)
            held.append(c)
        wait_for(lambda: refused(path))
        for c in held:
            c.close()
        wait_for(lambda: s.admin("GET", "/healthz")[0] == 200)


def refused(path):
    with socket.socket(socket.AF_UNIX) as c:
        c.settimeout(15)
        c.connect(path)
        status, head, _ = read_http(c)
        return status == 503 and "Retry-After" in head
