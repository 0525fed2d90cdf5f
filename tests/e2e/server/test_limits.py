"""At each limit of config/limit.h: the answer that docs/operations.md promises, a counter, a line in the log; and who keeps to the
limits notices nothing."""
import contextlib, json, resource, socket, struct, subprocess, time
import pytest
from crowd import Crowd
from rig import TICKCAST, Client, Closed, Server, read_http
from wire import PING, frame

QUIET = "sim:?symbols=20&rate=200&seed=7"


def wait_met(s, word, least=1):
    """Counted, and said in the log; waits for the connections that this takes to be free again."""
    end = time.monotonic() + 15
    while True:
        try:
            if s.limits().get(word, 0) >= least:
                break
        except (AttributeError, ConnectionError, IndexError):
            pass  # the limit is still met: this request was refused as well
        assert time.monotonic() < end, (word, s.text())
        time.sleep(0.02)
    s.wait_log(rf"level=warn event=limit worker=\d+ limit={word} ")


def refused(s, word, source="127.0.0.1"):
    """The next connection gets 503 with Retry-After and the limit's name, before it has asked for anything."""
    with socket.create_connection(("127.0.0.1", s.port), timeout=5, source_address=(source, 0)) as c:
        status, head, body = read_http(c)
    assert status == 503 and "Retry-After: " in head and word in body.decode(), (status, head, body)


def wait_room(s):
    """Until connections that were closed are gone from the server too."""
    end = time.monotonic() + 15
    while s.http("GET", "/healthz")[0] != 200:
        assert time.monotonic() < end
        time.sleep(0.01)


def raw_socket(s, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", s.port), timeout=10, source_address=(source, 0))


def closed_with(c):
    with pytest.raises(Closed) as e:
        c.until(lambda m: False)
    return e.value.code


def test_connections_of_all_workers_together(io):
    with Server("--max-connections", "8", "--workers", "2", io=io, feed=QUIET) as s:
        held = [s.client("/v1/ws?symbols=*") for _ in range(8)]
        refused(s, "max-connections")
        for c in held:
            c.until_type("ticks")
        held.pop().close()
        wait_met(s, "max-connections")  # and there is room for the one that asks


def test_connections_of_one_address(io):
    with Server("--max-connections-per-ip", "3", "--workers", "2", io=io, feed=QUIET) as s:
        held = [s.client() for _ in range(3)]
        refused(s, "max-connections-per-ip")
        other = raw_socket(s, source="127.0.0.2")
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_http(other)[0] == 200
        held.pop().close()
        wait_met(s, "max-connections-per-ip")
        for i in range(200):  # addresses that go leave nothing behind
            with raw_socket(s, source=f"127.0.1.{i + 1}") as c:
                c.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert read_http(c)[0] == 200


def test_handshakes_a_second(io):
    with Server("--max-handshakes", "5", "--workers", "2", io=io, feed=QUIET) as s:
        start, taken, turned_away = time.monotonic(), 0, 0
        while turned_away < 20:
            with raw_socket(s) as c:
                c.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                status = read_http(c)[0]
            taken += status == 200
            turned_away += status == 503
            assert status in (200, 503)
        assert 1 <= taken <= 5 * (int(time.monotonic() - start) + 2)
        wait_met(s, "max-handshakes")


def test_decision_29_a_quarter_may_be_without_upgrade(io):
    with Server("--max-connections", "16", "--workers", "1", io=io, feed=QUIET) as s:  # one takes them in their order
        idle = [raw_socket(s) for _ in range(5)]
        refused(s, "handshaking")
        for c in idle[:2]:
            c.close()
        wait_room(s)
        streams = [s.client("/v1/ws?symbols=*") for _ in range(8)]  # one by one: each upgrades and makes room
        for c in streams:
            c.until_type("ticks")
        idle[-1].close()
        wait_met(s, "handshaking")


def test_open_files_bound_connections_with_an_answer(io):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (90, 90))

    with Server("--workers", "1", io=io, feed=QUIET, preexec_fn=few) as s:
        s.wait_log("event=few_descriptors")
        held = []
        while (c := s.client("/v1/ws?symbols=*")).status == 101:
            held.append(c)
        assert c.status == 503 and 5 < len(held) < 90
        for c in held:
            c.until_type("ticks")
        for c in held[:3]:
            c.close()
        wait_met(s, "open-files")
        assert s.metrics()["accept_errors_total"] == 0


def test_a_head_that_never_ends_is_408(io):
    with Server("--handshake-timeout", "0.4", io=io, feed=QUIET) as s:
        c = raw_socket(s)
        c.settimeout(0.05)
        c.sendall(b"GET / HTTP/1.1\r\n")
        answer, end = b"", time.monotonic() + 15
        while not answer:
            assert time.monotonic() < end
            try:
                answer = c.recv(4096)
            except TimeoutError:
                c.sendall(b"a: b\r\n")  # byte by byte does not start the time anew
        assert answer.startswith(b"HTTP/1.1 408 ")
        wait_met(s, "handshake-timeout")


@pytest.mark.parametrize("word,status,request_bytes", [
    ("request-head", 431, b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 17000 + b"\r\n\r\n"),
    ("request-head", 431, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 101 + b"\r\n"),
    ("request-target", 414, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("request-body", 413, b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n"),
])
def test_requests_too_large(io, word, status, request_bytes):
    with Server(io=io, feed=QUIET) as s:
        assert s.raw(request_bytes)[0] == status
        wait_met(s, word)


def test_a_message_too_large_is_1009_whole_or_in_fragments(io):
    with Server("--max-message", "1000", io=io, feed=QUIET) as s:
        c = s.client()
        c.socket.sendall(b"\x81\xfe" + struct.pack(">H", 1001) + b"mask")  # the head is enough
        assert closed_with(c) == 1009
        d = s.client()
        d.send_frame(1, b"x")
        d = s.client()
        d.socket.sendall(b"\x01\xfe" + struct.pack(">H", 600) + b"\0\0\0\0" + b"x" * 600)
        d.socket.sendall(b"\x80\xfe" + struct.pack(">H", 600) + b"\0\0\0\0")
        assert closed_with(d) == 1009
        wait_met(s, "max-message", 2)


def test_fragments_without_end_are_1009(io):
    with Server("--max-message", "4096", io=io, feed=QUIET) as s:
        c = s.client()
        c.socket.sendall(b"\x01\x81\0\0\0\0x")
        for _ in range(4096):
            try:
                c.socket.sendall(b"\x00\x81\0\0\0\0x")
            except ConnectionError:
                break
        assert closed_with(c) == 1009
        wait_met(s, "max-message")


FRAGMENT = b"\x01\x81\0\0\0\0x"
ASSEMBLIES = 16  # of so few connections


def end_of(c):
    with pytest.raises(Closed) as e:
        c.until(lambda m: False)
    return e.value.code, e.value.reason


def two_segments(c, number):
    """A command that is cut; the ping before it, in the first segment, is answered when that was read."""
    text = json.dumps({"op": "ping", "id": number}).encode()
    c.socket.sendall(frame(PING, b"first") + bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text[:5])
    c.until_type("PONG")
    c.socket.sendall(text[5:])
    assert c.until_type("pong")["id"] == number


@pytest.mark.parametrize("piece", [b"\x81\xfe\x0f\xff\0\0\0\0" + b"x" * 4095, b"\x81\x8a\0\0\0"], ids=["frame", "head"])
def test_a_message_that_never_ends_is_1008(io, piece):
    """A byte now and then does not start the time anew; a message in time is answered."""
    with Server("--message-timeout", "2", io=io, feed=QUIET) as s:
        c, i, end = s.client(), 0, time.monotonic() + 15
        c.until_type("hello")
        c.socket.settimeout(0.05)
        with pytest.raises(Closed) as e:
            while time.monotonic() < end:
                c.socket.sendall(piece[i:i + 1])
                i += 1
                with contextlib.suppress(TimeoutError):
                    c.next()
        assert (e.value.code, e.value.reason) == (1008, "message-timeout")
        wait_met(s, "message-timeout")
        two_segments(s.client(), 1)


def begun(s):
    """Has sent the beginning of a message, and it was read; or was turned away for it."""
    c = s.client()
    c.socket.sendall(FRAGMENT + frame(PING, b"within a message"))
    with contextlib.suppress(Closed):
        c.until_type("PONG")
    return c


def test_messages_in_pieces_at_the_same_time_are_1013(io):
    """So many at once that nobody has held his memory for a second; where the machine took longer than that, once more."""
    with Server("--max-connections", "64", "--workers", "1", "--message-timeout", "6", io=io, feed=QUIET) as s:
        end, code = time.monotonic() + 60, None
        while code != 1013:
            assert time.monotonic() < end
            clients = [begun(s) for _ in range(ASSEMBLIES)]
            one_more = s.client()
            one_more.socket.sendall(FRAGMENT)
            code, reason = end_of(one_more)
            if code == 1013:
                clients[0].socket.sendall(b"\x80\x80\0\0\0\0")
                assert reason == "memory" and clients[0].until_type("error")["code"] == "bad_json"
            for c in [*clients, one_more]:
                c.close()
            s.wait_metric("connections", lambda n: n == 1)
        wait_met(s, "message-memory")


def test_who_sends_bytes_slowly_locks_nobody_out(io):
    """Twice as many as there is memory for, each with a message that never ends: a client whose commands come in two segments is
    served, each time at the cost of the one whose message has been there for longest."""
    with Server("--max-connections", "100", "--message-timeout", "60", "--workers", "1", io=io, feed=QUIET) as s:
        loris = [begun(s) for _ in range(2 * ASSEMBLIES)]
        honest = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0&heartbeat=1&kinds=status")
        for _ in range(2):
            honest.until_type("heartbeat")  # a second apart: they have had their grace
        before = s.limits()["message-memory"]
        for number in range(10):
            two_segments(honest, number)
            loris.append(begun(s))  # takes what that gave back
            for c in loris:
                with contextlib.suppress(OSError):
                    c.socket.sendall(b"\0\x81\0\0\0\0x")
        assert s.limits()["message-memory"] == before + 10


def test_commands_and_pings_a_second_are_1008(io):
    with Server("--max-commands", "20", io=io, feed=QUIET) as s:
        for flood in (lambda c: c.send(op="ping"), lambda c: c.send_frame(9, b"ping")):
            c = s.client()
            with pytest.raises(Closed) as e:
                while True:
                    for _ in range(50):
                        flood(c)
                    c.next()
            assert e.value.code == 1008 and e.value.reason == "max-commands"
        wait_met(s, "max-commands", 2)


def test_rules_and_patterns_are_too_many(io):
    with Server("--max-rules", "100", io=io, feed=QUIET) as s:
        c = s.client("/v1/ws?symbols=A")
        c.until_type("subscribed")
        c.send(op="subscribe", id=1, symbols=[f"S{i}" for i in range(100)])
        assert c.until_type("error")["code"] == "too_many"
        wait_met(s, "max-rules")
        c.send(op="subscribe", id=2, symbols=[f"S{i}" for i in range(4097)])
        assert c.until_type("error")["code"] == "too_many"
        wait_met(s, "command-patterns")
        c.send(op="subscribe", id=3, symbols=["B"])
        assert [r["symbols"] for r in c.until_type("subscribed")["rules"]] == [["A", "B"]], "nothing had changed"


def test_filters_in_all_are_1008_and_leave_others_alone(io):
    with Server("--filter-memory", "1m", "--workers", "1", io=io) as s:
        honest = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")
        honest.until_type("subscribed")
        held = []
        for k in range(200):
            c = s.client()
            c.send(op="subscribe", symbols=[f"{k}-{i}" for i in range(1000)], snapshot=False)
            held.append(c)
            try:
                c.until_type("subscribed")
            except Closed as e:
                assert e.code == 1008 and e.reason == "memory"
                break
        else:
            raise AssertionError("200 sets of 1000 rules fit 1 MiB")
        assert s.metrics()["filter_bytes"] <= 1 << 20
        honest.until_type("ticks")
        head = s.metrics()["head_seq"]
        honest.until(lambda m: honest.position > head)
        for c in held:
            c.close()
        wait_met(s, "filter-memory")
        s.wait_metric("subscribers", lambda n: n == 1)
        again = s.client()
        again.send(op="subscribe", symbols=[f"again-{i}" for i in range(1000)], snapshot=False)
        again.until_type("subscribed")


def test_a_slow_reader_with_policy_close_is_counted(io):
    with Server("--slow-after", "0.2", io=io, feed="sim:?symbols=20&rate=50000&seed=3") as s:
        c = s.client("/v1/ws?symbols=*&policy=close", rcvbuf=4096)
        wait_met(s, "slow-after")
        c.close()


def test_rests_that_have_no_room(io):
    """Two blocks for six that are stuck within a frame: who has been stuck for longest is reset, the others are as before."""
    with Server("--rest-memory", "32k", "--workers", "1", io=io, feed="sim:?symbols=20&rate=20000&seed=3") as s, \
            contextlib.ExitStack() as held:
        honest = s.client("/v1/ws?symbols=*&kinds=status&heartbeat=0.2")
        for _ in range(6):
            held.callback(s.client("/v1/ws?symbols=*&snapshot=0", rcvbuf=2304).close)
        wait_met(s, "rest-memory")
        m = s.metrics()
        assert m["closed_rest_total"] >= 1 and m["rest_bytes"] <= 32768
        honest.until_type("heartbeat")
        honest.close()


def test_who_stalls_a_replay_is_counted(io):
    feed = "sim:?symbols=20&rate=0&seed=7&pace=complete"
    args = ["--stall-bound", "0.3", "--log-capacity", "4096", "--workers", "1", "--close-timeout", "60"]
    with Server(*args, io=io, feed=feed) as s:
        stuck = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0", rcvbuf=2304)
        wait_met(s, "stall-bound")
        assert s.metrics()["let_go_total"] == 1
        assert closed_with(stuck) == 4000


def test_an_unanswered_ping(io):
    with Server("--ping-interval", "0.2", "--pong-timeout", "3", io=io, feed=QUIET) as s, Crowd(s, 3, "/v1/ws?symbols=*") as answer:
        silent = s.client("/v1/ws?symbols=*")
        silent.answer_pings = False
        assert closed_with(silent) == 1001
        wait_met(s, "pong-timeout")
        assert answer.report()["pings"] >= 3 and answer.report()["gone"] == 0
        assert s.limits()["pong-timeout"] == 1


def test_more_memory_than_allowed_does_not_start():
    call = [TICKCAST, "serve", "--listen", "127.0.0.1:0", "--feed", QUIET, "--max-memory", "64m"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "--max-memory" in done.stderr and "--rest-memory" in done.stderr
    small = ["--max-connections", "100", "--log-capacity", "1024", "--filter-memory", "1m", "--symbols-max", "100", "--workers", "1"]
    with Server("--max-memory", "64m", *small, feed=QUIET) as s:
        assert int(s.wait_log(r"event=memory most_mib=(\d+)")) < 64
        assert isinstance(s.client("/v1/ws?symbols=*"), Client)
