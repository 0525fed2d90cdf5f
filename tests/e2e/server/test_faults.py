"""Faults of clients, of the network and of the machine, made for real: what is lost is told, what is not told is not lost, and
nobody else notices (docs/reliability.md)."""
import contextlib, os, signal, socket, struct, subprocess, sys, time
import pytest
from crowd import Crowd, send_queue, thread_stopped
from rig import Closed, Server, free_port, stand_still, ticks_of, wait_for
from wire import request

STEADY = "sim:?symbols=20&rate=2000&seed=7"
FAST = "sim:?symbols=20&rate=50000&seed=3"
STOPPED_FOR_TICKS = 12000


def wait_ticks(s, count):
    head = s.metrics()["head_seq"]
    s.wait_metric("head_seq", lambda n: n >= head + count, 60)


def test_stopped_clients_go_on_where_they_were(io):
    """SIGSTOP and SIGCONT, a log that holds it all: not one tick is missing."""
    with Server("--log-capacity", "1048576", io=io, feed="sim:?symbols=20&rate=8000&seed=3") as s, \
            Crowd(s, 20, "/v1/ws?symbols=*&policy=complete&snapshot=0", rcvbuf=32768) as crowd, \
            Crowd(s, 5, "/v1/ws?symbols=*&policy=complete&rate=10") as others:
        crowd.wait_complete(s)
        stand_still(crowd.process.pid)
        try:
            s.wait_metric("behind", lambda n: n >= 20)
            wait_ticks(s, STOPPED_FOR_TICKS)
            others.wait_complete(s)
        finally:
            os.kill(crowd.process.pid, signal.SIGCONT)
        crowd.wait_complete(s)


def test_stopped_clients_are_told_what_a_small_log_lost(io):
    with Server("--log-capacity", "4096", io=io, feed=FAST) as s, \
            Crowd(s, 20, "/v1/ws?symbols=*&policy=complete", rcvbuf=8192) as crowd:
        stand_still(crowd.process.pid)
        try:
            s.wait_metric("behind", lambda n: n >= 20)
            wait_ticks(s, STOPPED_FOR_TICKS)
        finally:
            os.kill(crowd.process.pid, signal.SIGCONT)
        head = s.metrics()["head_seq"]
        r = crowd.wait_report(lambda r: r["position_least"] >= head)
        assert r["gaps"] >= 20 and r["broken"] == 0, r["broken_text"]


@pytest.mark.parametrize("workers,most,count", [(1, 200, 100), (4, 310, 300)])
def test_a_crowd_at_the_door_of_a_stopped_server_is_let_in_whole(io, workers, most, count):
    """Their requests have come with them: more than the quarter of all connections that may be in their handshake (decision 29), but
    not one that keeps it waiting."""
    with Server("--workers", str(workers), "--max-connections", str(most), io=io, feed=STEADY) as s, contextlib.ExitStack() as crowd:
        stand_still(s.process.pid)
        try:
            clients = [crowd.enter_context(socket.create_connection(("127.0.0.1", s.port), timeout=20)) for _ in range(count)]
            for c in clients:
                c.sendall(request(s.port, "/v1/ws?symbols=*&kinds=status"))
        finally:
            os.kill(s.process.pid, signal.SIGCONT)
        assert [c.recv(12) for c in clients] == [b"HTTP/1.1 101"] * count
        assert s.limits()["handshaking"] == 0


def test_resets_at_once_leave_nothing_behind(io):
    with Server(io=io, feed=STEADY) as s:
        first = s.client("/v1/ws?symbols=*")
        first.until_type("subscribed")
        first.close()
        s.wait_metric("connections", lambda n: n == 1)
        filters = s.metrics()["filter_bytes"]
        files = len(os.listdir(f"/proc/{s.process.pid}/fd"))
        with Crowd(s, 10, "/v1/ws?symbols=*&policy=complete") as others:
            for mode in ("read", "hold", "read"):
                with Crowd(s, 200, "/v1/ws?symbols=*", mode, rcvbuf=4096) as crowd:
                    crowd.say("reset")
                    crowd.wait_report(lambda r: r["gone"] == 200)
                s.wait_metric("connections", lambda n: n <= 11)
            others.wait_complete(s)
        s.wait_metric("connections", lambda n: n <= 1)
        wait_for(lambda: len(os.listdir(f"/proc/{s.process.pid}/fd")) <= files, say="descriptors are left")
        m = wait_for(lambda: none_left(s.metrics()), say="something is left")
        assert m["filter_bytes"] <= filters


def none_left(m):
    return m if m["subscribers"] == m["behind"] == m["rest_bytes"] == m["groups"] == 0 else None


def test_a_closed_window_ends_at_the_pong_timeout(io):
    """A peer whose kernel lives but that never reads (zero window) goes; one that reads slowly stays (test_pressure)."""
    with Server("--ping-interval", "1", "--pong-timeout", "1", io=io, feed=FAST) as s:  # long enough to be seen before it goes
        c = s.client("/v1/ws?symbols=*", rcvbuf=4096)
        s.wait_metric("behind", lambda n: n == 1)
        s.wait_metric("connections", lambda n: n == 1)  # the one that asks
        c.close()


@pytest.mark.parametrize("finder", ["pings", "kernel"])
def test_a_peer_that_vanished_without_a_word_is_dropped(io, finder):
    """Half-open: in a network of its own, nothing passes any more between the server and its clients."""
    script = os.path.join(os.path.dirname(__file__), "half_open.py")
    done = subprocess.run(["unshare", "-n", sys.executable, script, io, finder], capture_output=True, text=True, timeout=120)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr


def test_kill_and_restart_is_a_new_epoch_and_every_client_is_told(io):
    port = free_port()
    feed = "sim:?symbols=20&rate=2000&seed=7"
    with Server(port=port, io=io, feed=feed) as s:
        clients = [s.client("/v1/ws?symbols=*") for _ in range(5)]
        for c in clients:
            c.until_type("ticks")
        s.process.kill()
        s.process.wait()
        for c in clients:
            with pytest.raises((Closed, ConnectionError)) as e:
                c.until(lambda m: False)
            assert not isinstance(e.value, Closed) or e.value.code == 1006
    with Server(port=port, io=io, feed=feed) as s:
        s.wait_metric("symbols", lambda n: n == 20)
        s.wait_metric("read_seq", lambda n: n > 2000)
        for old in clients:
            c = s.client(f"/v1/ws?symbols=*&resume={old.epoch}-{old.position}")
            assert c.next()["epoch"] != old.epoch
            seen = c.until(lambda m: m["type"] == "snapshot" and not m.get("more"))
            gap = next(m for m in seen if m["type"] == "gap")
            assert (gap["reason"], gap["from"], gap["epoch"], gap["seq"]) == ("resume", 0, old.epoch, old.position)
            pieces = [m for m in seen if m["type"] == "snapshot"]
            assert all("since" not in m for m in pieces), "a whole one: nothing of the old epoch holds"
            assert len({t["symbol"] for m in pieces for t in m["ticks"]}) == 20
            c.until_type("ticks")
        crowd_path = f"/v1/ws?symbols=*&resume={clients[0].epoch}-{clients[0].position}"
        with Crowd(s, 100, crowd_path) as crowd:
            assert crowd.wait_report(lambda r: r["ticks_frames"] >= 100 and r["gap_resume"] >= 100)["gap_resume"] == 100


def test_a_feed_thread_that_stands_still_is_told(io):
    """Heartbeats go on, and do not claim that all is complete."""
    with Server("--heartbeat", "0.2", io=io, feed=STEADY) as s:
        c = s.client("/v1/ws?symbols=*&heartbeat=0.2")
        c.until_type("heartbeat")
        with thread_stopped(s.process.pid, "feeds"):
            told = c.until(lambda m: m["type"] == "heartbeat" and m.get("stalled"))[-1]
            assert told["seq"] >= c.position
            again = c.until(lambda m: m["type"] == "heartbeat")[-1]
            assert again["stalled"] and again["ts"] == told["ts"], "the time stands still with the feed"
        after = c.until(lambda m: m["type"] == "heartbeat" and not m.get("stalled"))[-1]
        assert after["ts"] > told["ts"]


def test_a_worker_that_loses_its_processor_is_lapped_and_tells_it(io):
    """One of two workers stands still until the log has lapped it: its client is told a gap; what that gets afterwards is, tick for
    tick, what the other worker's client gets, which goes on meanwhile."""
    capacity = 16384
    with Server("--workers", "2", "--log-capacity", str(capacity), io=io, feed="sim:?symbols=20&rate=20000&seed=3") as s:
        lapped, going = one_on_each_of_two_workers(s, "/v1/ws?symbols=*&policy=complete")
        for c in (lapped, going):
            c.until_type("ticks")
        with thread_stopped(s.process.pid, "worker 0"):
            head = max(lapped.position, going.position)
            going.until(lambda m: going.position >= head + 3 * capacity)
        assert lapped.until_type("gap")["reason"] == "overrun"
        assert s.metrics()["lapped_total"] >= 1
        said, same, end = {}, 0, time.monotonic() + 60
        while same < 1000:  # whoever is back is read, so that both come over the same ticks however slow it goes
            assert time.monotonic() < end, (same, lapped.position, going.position)
            c = min(lapped, going, key=lambda c: c.position)
            for t in ticks_of([c.next()]):
                same += t["seq"] in said
                assert said.setdefault(t["seq"], t) == t, "two workers say different things of one tick"


def one_on_each_of_two_workers(s, path):
    """The kernel spreads connections by chance: as many as it takes."""
    first = {}
    while len(first) < 2:
        c = s.client(path)
        name = "127.0.0.1:%d" % c.socket.getsockname()[1]
        rows = wait_for(s.connections)["connections"]
        worker = next(row["id"] for row in rows if row["peer"] == name).split("-")[0]
        if first.setdefault(worker, c) is not c:
            c.close()
    return first["0"], first["1"]


@pytest.mark.parametrize("policy,kinds", [("latest", "trade,quote"), ("conflate", "quote")])
def test_a_stuck_reader_wakes_to_fresh_data(io, policy, kinds):
    """The kernel holds little for one that does not read; when it reads again, what comes after that little is of now."""
    lowat = 32768
    with Server("--notsent-lowat", str(lowat), "--log-capacity", "262144", io=io, feed=FAST) as s:
        c = s.client(f"/v1/ws?symbols=*&policy={policy}&kinds={kinds}", rcvbuf=4096)
        c.until_type("subscribed")
        s.wait_metric("behind", lambda n: n == 1)
        wait_ticks(s, 20000)
        queued = send_queue(s.port, c.socket.getsockname()[1])
        rest = s.metrics()["rest_bytes"]
        received = struct.unpack("i", fcntl_unread(c.socket))[0]
        bound = lowat + 2 * 16384  # what is not sent yet, a frame on top of it, and one in flight
        assert queued <= bound, queued
        before, head = c.position, s.metrics()["head_seq"]
        old = count = 0
        while c.position < head:  # whole frames, with their heads
            start = c.taken
            m = c.next()
            count += 1
            if m["type"] in ("ticks", "snapshot") and m.get("to", m.get("seq")) < head:
                old += c.taken - start
        stale = queued + received + rest + len(c.buffer) + 65536
        assert old <= stale, (old, stale)
        assert c.position - before > 10000, "it did not stand still"


def fcntl_unread(sock):
    import fcntl, termios
    return fcntl.ioctl(sock, termios.FIONREAD, b"\0\0\0\0")
