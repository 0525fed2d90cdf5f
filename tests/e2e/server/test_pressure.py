"""Backpressure: who is slow is told what it lost and how late it is; nobody else notices (decisions 5, 9, 14, 15, 19)."""
import socket
import time
import pytest
from rig import Closed, Server, ticks_of

FAST = "sim:?symbols=20&rate=50000&seed=3"


def stuck(s, query, rcvbuf=4096):
    c = s.client("/v1/ws?symbols=*&" + query, rcvbuf=rcvbuf)
    c.until_type("subscribed")
    s.wait_full()
    return c


def test_latest_skips_with_a_gap_and_a_snapshot_since(io):
    with Server("--log-capacity", "65536", io=io, feed=FAST) as s:
        c = stuck(s, "policy=latest")
        head = s.metrics()["head_seq"]
        s.wait_metric("head_seq", lambda n: n > head + 20000)
        seen = c.until(lambda m: m["type"] == "snapshot" and "since" in m and not m.get("more"))
        gap = [m for m in seen if m["type"] == "gap"][-1]
        assert gap["reason"] == "policy" and seen[-1]["since"] == gap["from"]
        assert all(gap["from"] < t["seq"] <= gap["to"] for t in seen[-1]["ticks"])


def test_conflate_keeps_every_event_and_the_newest_state(io):
    with Server("--log-capacity", "1048576", io=io, feed="sim:?symbols=5&rate=20000&seed=3") as s:
        fast = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")
        start = fast.until_type("subscribed")["seq"]
        slow = s.client(f"/v1/ws?symbols=*&policy=conflate&resume={fast.epoch}-{start}", rcvbuf=4096)
        slow.until_type("subscribed")
        truth = {t["seq"]: t for t in ticks_of(fast.until(lambda m: fast.position > start + 40000))}  # 2 s of the feed
        last = fast.position
        # It has been slow; with a window of 4 KiB for ever, TCP's own timers may let it crawl until the log has lapped it.
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        seen = slow.until(lambda m: slow.position >= last)
        got = {t["seq"]: t for t in ticks_of(seen) if t["seq"] <= last}
        assert all(truth[q] == t for q, t in got.items())
        assert not any(m["type"] == "gap" for m in seen)
        for q, t in truth.items():
            assert q in got or t["type"] == "quote", "events are never conflated"
        conflated = sum(m.get("conflated", 0) for m in seen if m["type"] == "ticks")
        assert conflated >= len(truth) - len(got) > 0


def test_a_lapped_client_gets_its_gap_and_goes_on(io):
    with Server("--log-capacity", "4096", io=io, feed=FAST) as s:
        c = stuck(s, "policy=complete")
        head = s.metrics()["head_seq"]
        s.wait_metric("head_seq", lambda n: n > head + 20000)
        seen = c.until(lambda m: m["type"] == "snapshot" and "since" in m)
        gap = next(m for m in seen if m["type"] == "gap")
        assert gap["reason"] == "overrun" and seen[-1]["since"] == gap["from"]


def test_decision_15_close_and_lag(io):
    with Server("--slow-after", "0.2", "--log-capacity", "65536", io=io, feed=FAST) as s:
        c = s.client("/v1/ws?symbols=*&policy=close", rcvbuf=4096)
        s.wait_metric("closed_slow_total", lambda n: n == 1)
        with pytest.raises((Closed, ConnectionError)) as e:
            c.until(lambda m: False)
        if isinstance(e.value, Closed):
            assert e.value.code in (4000, 1006)
        d = s.client("/v1/ws?symbols=*&policy=conflate", rcvbuf=4096)
        d.until_type("subscribed")
        head = s.metrics()["head_seq"]
        s.wait_metric("head_seq", lambda n: n > head + 15000)
        d.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)  # it has been slow, and now keeps up
        lag = d.until_type("lag")
        assert lag["behind"] > 0 and lag["policy"] == "conflate" and lag["ms"] >= 0
        d.until(lambda m: m["type"] == "lag" and m["behind"] == 0)


def test_decision_14_the_stopped_go_the_slow_stay(io):
    with Server("--ping-interval", "0.3", "--pong-timeout", "1.5", "--close-timeout", "0.3", io=io, feed=FAST) as s:
        dumb = s.client("/v1/ws")          # takes what comes, but never answers a ping
        dumb.answer_pings = False
        stopped = s.client("/v1/ws?symbols=*", rcvbuf=4096)
        slow = s.client("/v1/ws?symbols=*", rcvbuf=4096)
        slow.until_type("subscribed")
        end = time.monotonic() + 30
        while s.metrics()["connections"] > 2:  # until only slow is left, and the one that asks
            assert time.monotonic() < end
            for _ in range(3):
                slow.next()                    # a trickle: its socket is full nearly all the time
        assert stopped is not None
        with pytest.raises(Closed) as e:
            dumb.until(lambda m: False)
        assert e.value.code == 1001
        slow.next()


def test_stuck_readers_leave_the_others_complete(io):
    with Server(io=io, feed="sim:?symbols=20&rate=10000") as s:
        held = [s.client("/v1/ws?symbols=*", rcvbuf=4096) for _ in range(10)]
        fast = [s.client("/v1/ws?symbols=*&policy=complete&snapshot=0") for _ in range(10)]
        for c in fast:
            c.until_type("subscribed")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for c in fast:
                c.next()                   # each asserts its own chain
        for c in fast:
            start = c.last_seq
            c.until(lambda m: c.last_seq > start)
        assert s.metrics()["gaps_total"] == 0 and len(held) == 10


def test_decision_09_the_memory_of_rests_is_bounded(io):
    with Server("--rest-memory", str(4 * 16384), io=io, feed=FAST) as s:
        held = [s.client("/v1/ws?symbols=*", rcvbuf=4096) for _ in range(20)]
        for c in held:
            c.until_type("subscribed")
        s.wait_metric("closed_rest_total", lambda n: n > 0)
        assert s.metrics()["rest_bytes"] <= 4 * 16384


def test_a_closed_loop_does_not_run_away_from_full_sockets(io):
    """pace=workers, decision 17: where nobody takes, each burst of 16 waits up to a second. Bounds from above only: a busy machine is slower still."""
    with Server(io=io, feed="sim:?symbols=5&rate=0&burst=16&pace=workers") as s:
        stuck = s.client("/v1/ws?symbols=*&policy=complete&frame=tick", rcvbuf=4096)
        s.wait_metric("behind", lambda n: n == 1)
        for _ in range(10):  # what is on the way to a full socket may make it take a few times more
            begin, first = time.monotonic(), s.metrics()["read_seq"]
            while time.monotonic() < begin + 2:
                last = s.metrics()["read_seq"]
            if last - first <= 16 * (time.monotonic() - begin + 2):
                break
        else:
            raise AssertionError(f"{last - first} ticks in 2 s")
        reader = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")  # somebody takes: the loop goes on at his pace
        seen = reader.until(lambda m: m["type"] == "ticks" and m["to"] > last + 5000)
        assert not any(m["type"] == "gap" for m in seen)
        stuck.close()
        reader.close()
