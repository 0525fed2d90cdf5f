"""Decisions that show only from outside, in the running program: 7 with real sockets, 11, 21, 23 and 24."""
import os, time
from decimal import Decimal
from rig import Server, ticks_of, wait_for


def sockets(s):
    """Plain descriptors of the server that are sockets: what the system itself can name, limit and look into."""
    links = []
    for fd in os.listdir(f"/proc/{s.process.pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{s.process.pid}/fd/{fd}"))
        except FileNotFoundError:
            pass  # closed between the list and the look
    return sum(link.startswith("socket:") for link in links)


def test_decision_07_a_large_snapshot_comes_in_pieces(io):
    with Server(io=io, feed="sim:?symbols=2000&rate=20000&seed=5") as s:
        s.wait_metric("symbols", lambda n: n == 2000)
        s.wait_metric("read_seq", lambda n: n > 30000)
        c = s.client("/v1/ws?symbols=*&policy=complete")
        held, pieces = {}, 0
        while True:  # the client checks that each piece stands at its own position in one chain
            m = c.next()
            for t in ticks_of([m]) + (m["ticks"] if m["type"] == "snapshot" else []):
                if t["type"] != "feed":
                    key = t["symbol"], t["type"]
                    assert t["seq"] >= held.get(key, 0), "what is held of a symbol never goes back"
                    held[key] = t["seq"]
            if m["type"] == "snapshot":
                pieces += 1
                if not m.get("more"):
                    break
        assert pieces > 3 and len({symbol for symbol, _ in held}) >= 1900


def test_decision_11_a_loop_resets_and_seq_goes_on(io, tmp_path):
    path = tmp_path / "day.csv"
    path.write_text("ts,symbol,kind,price,size\n" + "".join(f"{1700000000 + i},AAPL,trade,{i + 1},1\n" for i in range(5)))
    with Server("--speed", "max", "--wait", "1", "--loop", command="replay", io=io, files=[str(path)]) as s:
        c = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")
        looped = lambda m: any(t["type"] == "feed" and t["state"] == "looped" for t in ticks_of([m]))
        seen = c.until(looped) + c.until(looped)
        ticks = [t for t in ticks_of(seen) if t["type"] in ("trade", "feed")]
        assert [t["seq"] for t in ticks] == sorted({t["seq"] for t in ticks}), "one numbering"
        resets = [i for i, t in enumerate(ticks) if t.get("state") == "looped"]
        assert len(resets) >= 2 and all(ticks[i]["reset"] is True for i in resets)
        between = [t for t in ticks[resets[0] + 1:resets[1]] if t["type"] == "trade"]
        assert [int(t["price"]) for t in between] == [1, 2, 3, 4, 5]
        before = [t["ts"] for t in ticks[:resets[0]] if t["type"] == "trade"]
        assert before == sorted(before) and between[0]["ts"] < before[-1], "time goes back at a reset, and only there"
        assert s.client().next()["epoch"] == c.epoch, "a loop is no new epoch"


def test_decision_21_digits_from_the_file_to_the_wire(io, tmp_path):
    prices = ["189.2", "189.25", "0.000000000000000001", "9.223372036854775807", "-0.05", "1e-7", "9223372036854775807", "1.50"]
    path = tmp_path / "exact.csv"
    path.write_text("ts,symbol,kind,bid,bid_size,ask,ask_size,price,size\n1700000000,A,quote,189.2,0.5,189.25,300,,\n"
                    + "".join(f"1700000001,A,trade,,,,,{p},1\n" for p in prices))
    with Server("--speed", "max", "--wait", "1", "--at-end", "stay", command="replay", io=io, files=[str(path)]) as s:
        c = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")
        seen = c.until(lambda m: any(t.get("state") == "ended" for t in ticks_of([m])))
        quote = next(t for t in ticks_of(seen) if t["type"] == "quote")
        assert (quote["bid"], quote["ask"]) == (Decimal("189.2"), Decimal("189.25")), "exact in value"
        assert (quote["bid_size"], quote["ask_size"]) == (Decimal("0.5"), 300)
        got = [Decimal(t["price"]) for t in ticks_of(seen) if t["type"] == "trade"]
        assert got == [Decimal(p) for p in prices]


def test_decision_23_plain_descriptors_closed_in_their_turn(io):
    with Server("--max-connections-per-ip", "40", io=io) as s:
        s.wait_metric("connections", lambda n: n == 1)  # the one that asks
        at_rest = sockets(s)
        held = [s.client("/v1/ws?symbols=*") for _ in range(38)]
        for c in held:
            c.until_type("subscribed")
        assert sockets(s) >= at_rest + 38 - 1, "each connection is a descriptor that has a peer's address"
        more = [s.client("/v1/ws") for _ in range(2)]
        assert s.http("GET", "/healthz")[0] == 503, "so that there can be a limit for each address"
        for c in held + more:
            c.close()
        wait_for(lambda: sockets(s) <= at_rest)
        for _ in range(200):  # numbers are reused at once; nobody gets another's bytes
            c = s.client("/v1/ws?symbols=*&policy=complete")
            c.until_type("ticks")
            c.close()
        wait_for(lambda: sockets(s) <= at_rest)


def test_decision_24_no_spinning_on_the_feed_thread_s_processor(io):
    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})  # a child has it from its first thread on
        with Server("--spin-us", "200", io=io) as s:
            assert s.wait_log(r"event=workers .*count=(\d+)") == "1", "processors - 1, at least 1"
            assert s.wait_log(r"event=workers .*spin_us=(\d+)") == "0"
            c = s.client("/v1/ws?symbols=*")  # and it is woken all the same
            c.until_type("ticks")
    finally:
        os.sched_setaffinity(0, mine)
    if len(mine) > 1:
        with Server("--spin-us", "200", "--workers", "1", io=io) as s:
            assert s.wait_log(r"event=workers .*spin_us=(\d+)") == "200"
