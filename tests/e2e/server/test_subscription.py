"""Decisions 3, 6, 8, 12, 16, 22, 25: one chain per connection, whatever is asked."""
import select, time
import pytest
from rig import Closed, Server, ticks_of


def test_decision_03_one_set_one_chain(io):
    with Server(io=io) as s:
        c = s.client()
        assert c.next()["type"] == "hello"
        c.send(op="subscribe", id=1, symbols=["AAPL"], kinds=["trade"])
        first = c.until_type("subscribed")
        assert first["id"] == 1 and first["rules"] == [{"symbols": ["AAPL"], "kinds": ["trade"]}]
        c.send(op="subscribe", id="two", symbols=["A*", "MSFT"], policy="complete")
        second = c.until_type("subscribed")
        assert second["id"] == "two" and second["policy"] == "complete"
        assert {p for r in second["rules"] for p in r["symbols"]} == {"AAPL", "A*", "MSFT"}
        c.send(op="unsubscribe", id=3, symbols=["AAPL", "MSFT"])
        third = c.until_type("unsubscribed")
        assert [r["symbols"] for r in third["rules"]] == [["A*"]], "a wider pattern is not narrowed"
        seen = c.until(lambda m: m["type"] == "ticks" and any(t["symbol"] == "AAPL" for t in m["ticks"] if "symbol" in t))
        assert all(t["symbol"].startswith("A") for t in ticks_of(seen) if t["type"] != "feed")
        c.send(op="unsubscribe", id=4, symbols=["A*"])
        assert c.until_type("unsubscribed")["rules"] == []
        c.send(op="subscribe", id=5, symbols=["*"])
        assert c.until_type("subscribed")["id"] == 5
        c.until(lambda m: m["type"] == "ticks" and m["ticks"])


def test_decision_06_a_quiet_symbol_shares_its_position(io):
    with Server("--workers", "1", io=io, feed="sim:?symbols=1&rate=500") as s:
        s.wait_metric("read_seq", lambda n: n > 10)  # the feed's own `started` is for everybody
        members = []
        for _ in range(5):
            c = s.client("/v1/ws?symbols=QUIET")
            c.until_type("subscribed")
            c.until_type("snapshot")
            members.append(c)
            s.wait_metric("subscribers", lambda n: n == len(members))
        s.wait_metric("behind", lambda n: n == 0)
        assert s.metrics()["cohorts"] == 1
        assert len({c.position for c in members}) == 1


def test_decision_08_who_does_not_read_is_not_read(io):
    with Server("--max-commands", "0", io=io) as s:
        c = s.client(rcvbuf=4096)
        c.socket.settimeout(0.5)
        sent = 0
        try:
            while sent < 200000:
                c.send(op="ping", id=sent)
                sent += 1
        except TimeoutError:
            pass
        assert sent < 200000, "the kernel's window stops the client"
        c.socket.settimeout(15)
        assert c.next()["type"] == "hello"
        for i in range(min(sent, 2000)):
            assert c.next()["id"] == i, "answers come in order, none is dropped"
        assert s.metrics()["connections"] >= 1


def test_decision_12_resume(io):
    with Server("--log-capacity", "8192", io=io, feed="sim:?symbols=5&rate=3000") as s:  # 2.7 s to come back in
        c = s.client("/v1/ws?symbols=*&policy=complete")
        c.until(lambda m: m["type"] == "ticks")
        epoch, position = c.epoch, c.position
        c.close()
        c = s.client(f"/v1/ws?symbols=*&resume={epoch}-{position}&policy=complete")
        seen = c.until(lambda m: m["type"] == "ticks" and m["ticks"])
        assert [m["type"] for m in seen if m["type"] in ("subscribed", "snapshot", "gap")] == ["subscribed"]
        assert seen[1]["seq"] == position and ticks_of(seen)[0]["seq"] == position + 1
        c.close()
        s.wait_metric("read_seq", lambda n: n > position + 8192)
        c = s.client(f"/v1/ws?symbols=*&resume={epoch}-{position}")
        seen = c.until(lambda m: m["type"] == "snapshot" and not m.get("more"))
        gap = next(m for m in seen if m["type"] == "gap")
        assert gap["reason"] == "resume" and gap["from"] == position and seen[-1]["since"] == position
        c.close()
        c = s.client(f"/v1/ws?symbols=*&resume={'0' * 15}1-77")
        seen = c.until(lambda m: m["type"] == "snapshot" and not m.get("more"))
        gap = next(m for m in seen if m["type"] == "gap")
        assert (gap["from"], gap["epoch"], gap["seq"]) == (0, "0" * 15 + "1", 77)
        assert len({t["symbol"] for t in seen[-1]["ticks"]}) == 5, "a whole snapshot"
        c.close()
        c = s.client()
        c.next()
        head = s.metrics()["head_seq"]
        c.send(op="resume", id=1, epoch=epoch, seq=head + 1000000, symbols=["*"])
        assert c.until_type("error")["code"] == "bad_seq"
        c.send(op="resume", id=2, epoch=epoch, seq=head + 2500, symbols=["*"])
        seen = c.until(lambda m: m["type"] == "ticks" and m["ticks"])
        assert ticks_of(seen)[0]["seq"] > head + 2500


def test_decision_16_tick_frames_and_covered(io):
    with Server(io=io, feed="sim:?symbols=5&rate=4000") as s:
        s.wait_metric("head_seq", lambda n: n > 500)  # past the definitions of symbols, which have no JSON
        c = s.client("/v1/ws?symbols=*&frame=tick&heartbeat=0.3&policy=complete")
        start = c.until_type("subscribed")["seq"]
        seen = c.until(lambda m: m["type"] == "heartbeat")
        seen += c.until(lambda m: m["type"] == "heartbeat")
        seqs = [t["seq"] for t in ticks_of(seen)]
        assert seqs == list(range(start + 1, seqs[-1] + 1)), "every tick, in order"
        before = None
        for m in seen:
            if m["type"] == "heartbeat":
                assert before == "covered" or before is None or before == "heartbeat", before
            before = m["type"] if m["type"] != "snapshot" else before
        assert sum(m["type"] == "covered" for m in seen) >= 2


def test_decision_16_covered_at_least_every_1000_ticks(io):
    with Server(io=io, feed="sim:?symbols=5&rate=20000") as s:
        c = s.client("/v1/ws?symbols=*&frame=tick&snapshot=0&policy=complete&heartbeat=60")
        c.until_type("subscribed")
        for _ in range(3):
            assert len(c.until_type("covered") and c.until(lambda m: m["type"] == "covered")) < 2000


def test_decision_16_covered_while_catching_up(io):
    """One that was stuck is told its position on the way, not only at the end of what it owes."""
    with Server(io=io, feed="sim:?symbols=5&rate=20000") as s:
        c = s.client("/v1/ws?symbols=*&frame=tick&snapshot=0&policy=complete&heartbeat=60", rcvbuf=4096)
        c.until_type("subscribed")
        s.wait_metric("behind", lambda n: n == 1)
        s.wait_metric("head_seq", lambda n, start=s.metrics()["head_seq"]: n > start + 20000)
        for _ in range(8):
            assert len(c.until_type("covered") and c.until(lambda m: m["type"] in ("covered", "gap"))) < 1400


@pytest.mark.parametrize("command,code", [
    ({"op": "subscribe", "symbols": [""]}, "bad_pattern"),
    ({"op": "subscribe", "symbols": ["A" * 33]}, "bad_pattern"),
    ({"op": "subscribe", "symbols": ["A"], "kinds": ["candle"]}, "bad_kinds"),
    ({"op": "subscribe", "symbols": ["A"], "policy": "best"}, "bad_policy"),
    ({"op": "nothing"}, "bad_op"),
])
def test_decision_22_errors_name_what_is_wrong(io, command, code):
    with Server(io=io) as s:
        c = s.client()
        c.next()
        c.send(id=9, **command)
        error = c.until_type("error")
        assert error["code"] == code and error["id"] == 9 and error["message"]
        c.send(op="ping", id=10)
        assert c.until_type("pong")["id"] == 10, "the connection lives on"


def test_decision_22_names_with_stars_spaces_and_too_many(io):
    with Server("--max-rules", "3", io=io) as s:
        c = s.client("/v1/ws?symbols=BRN%20FMJ0024%21,B%2AK,A%2CB")
        told = c.until_type("subscribed")
        assert {p for r in told["rules"] for p in r["symbols"]} == {"BRN FMJ0024!", "B*K", "A,B"}
        c.send(op="subscribe", id=1, symbols=["X"])
        assert c.until_type("error")["code"] == "too_many"
        c.send(op="subscribe", id=2, symbols=["B*K"])
        assert len(c.until_type("subscribed")["rules"][0]["symbols"]) == 3, "nothing was changed; repeating is no error"


def test_decision_25_since_and_the_pong_clock(io):
    with Server(io=io, feed="sim:?symbols=5&rate=2000") as s:
        s.wait_metric("read_seq", lambda n: n > 7000)
        c = s.client("/v1/ws?symbols=*&since=oldest&policy=complete")
        seen = c.until(lambda m: m["type"] == "ticks")
        assert seen[1]["seq"] == 0 and not any(m["type"] == "snapshot" for m in seen)
        c.until(lambda m: c.position > 3000)
        d = s.client("/v1/ws?symbols=*&since=500&policy=complete")
        head = d.next()["seq"]
        position = d.until_type("subscribed")["seq"]
        assert head - 520 <= position <= head - 400
        d.send(op="ping", id=1)
        assert d.until_type("pong")["ts"] > 1_600_000_000_000_000_000
        e = s.client("/v1/ws?symbols=*&since=3s&policy=complete")
        head = e.next()["seq"]
        assert 3000 < head - e.until_type("subscribed")["seq"] < 9000


def test_decision_25_the_pong_of_a_worker_that_slept_tells_when_it_answered(io):
    with Server(io=io, feed="sim:?symbols=2&rate=1") as s:
        c = s.client("/v1/ws?symbols=NOBODY&heartbeat=1")
        for _ in range(3):
            c.until_type("heartbeat")
            select.select([c.socket], [], [], 0.4)  # the worker sleeps: until the next heartbeat nothing is for this client
            before = time.time_ns()
            c.send(op="ping", id=1)
            assert before <= c.until_type("pong")["ts"] <= time.time_ns()


def test_a_prefix_beside_a_name_that_sorts_before_its_star(io):
    with Server(io=io) as s:
        c = s.client()
        c.send(op="subscribe", symbols=["BRN*", "BRN FMJ", "BRN!"], kinds=["trade"])
        assert c.until_type("subscribed")["rules"] == [{"symbols": ["BRN FMJ", "BRN!", "BRN*"], "kinds": ["trade"]}]


def test_an_unknown_subprotocol_is_not_echoed(io):
    with Server(io=io) as s:
        c = s.client(headers=["Sec-WebSocket-Protocol: chat, tickcast.v1.json"])
        assert "tickcast.v1.json" in c.head
        c = s.client(headers=["Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: tickcast.v1.json"])
        assert "ebSocket-Protocol: tickcast.v1.json" in c.head, "in whichever line it stands"
        d = s.client(headers=["Sec-WebSocket-Protocol: chat"])
        assert "ebSocket-Protocol" not in d.head


def test_rate_gathers_and_conflates(io):
    with Server(io=io, feed="sim:?symbols=2&rate=5000") as s:
        c = s.client("/v1/ws?symbols=*&rate=5&snapshot=0")
        c.until_type("ticks")
        frames = [c.until(lambda m: m["type"] == "ticks")[-1] for _ in range(11)][1:]
        # Of all together: one that comes when the feed or the worker had no processor may be as short as that was long.
        assert sum(f.get("conflated", 0) for f in frames) > 100 * len(frames)
        for f in frames:
            quotes = [t["symbol"] for t in f["ticks"] if t["type"] == "quote"]
            assert len(quotes) == len(set(quotes)), "the newest per symbol"
        d = s.client("/v1/ws?symbols=*&rate=5&policy=complete&snapshot=0")
        seen = d.until(lambda m: m["type"] == "ticks" and len(m["ticks"]) > 50)
        assert "conflated" not in seen[-1]
