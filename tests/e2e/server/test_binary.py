"""tickcast.v1.bin: the same stream as JSON. The decoder (bin_codec.py) was written from docs/protocol-binary.md; it fails at a symbol
that was not defined, and every position is checked as in JSON."""
import asyncio, json, os, signal
from decimal import Decimal
import pytest
from bin_codec import Decoder
from rig import Closed, Server, ticks_of

VECTORS = os.path.join(os.path.dirname(__file__), "..", "..", "support", "binary_vectors.jsonl")


def by_seq(messages):
    return {t["seq"]: t for t in ticks_of(messages)}


def pair(s, query, **options):
    """Two clients of the same subscription, JSON and binary."""
    return [s.client("/v1/ws?" + query, binary=binary, **options) for binary in (False, True)]


def test_both_say_the_same(io):
    with Server(io=io) as s:
        s.wait_metric("head_seq", lambda n: n > 100)
        for query in ("symbols=*&kinds=trade,quote", "symbols=A*,MSFT&kinds=trade", "symbols=*&frame=tick"):
            json, binary = pair(s, query + "&policy=complete&since=oldest")
            assert "tickcast.v1.bin" in binary.head and "WebSocket-Protocol" not in json.head
            seen = [c.until(lambda m: c.position is not None and c.position > 600) for c in (json, binary)]
            last = min(json.position, binary.position)
            a, b = ({q: t for q, t in by_seq(m).items() if q <= last} for m in seen)
            assert a == b and len(a) > 50
            subscribed = [next(m for m in x if m["type"] == "subscribed") for x in seen]
            assert subscribed[0] == subscribed[1]
            hello = [x[0] for x in seen]
            assert all(hello[0][k] == hello[1][k] for k in ("version", "server", "epoch"))
            json.close(), binary.close()


def test_each_form_is_its_json_twin():
    """One message of every form, as the server's encoder made it (unit/cmd/bin_vectors), in one connection's order."""
    decoder, definitions = Decoder(), 0
    with open(VECTORS, encoding="utf-8") as lines:
        for line in lines:
            vector = json.loads(line, parse_float=Decimal)
            got = decoder.message(bytes.fromhex(vector["bin"]))
            got.pop("definitions", None)
            if vector["json"] is None:  # in JSON nothing needs to be defined
                assert got["type"] in ("symbols", "symbol"), vector["what"]
                definitions += 1
            else:
                assert got == vector["json"], vector["what"]
    assert definitions > 1


def test_the_client_s_first_choice_is_taken(io):
    with Server(io=io) as s:
        for offer, chosen in (("tickcast.v1.json, tickcast.v1.bin", "tickcast.v1.json"), ("tickcast.v2, tickcast.v1.bin", "tickcast.v1.bin"),
                              ("tickcast.v1.BIN", None)):
            c = s.client(headers=[f"Sec-WebSocket-Protocol: {offer}"])
            assert (f"Sec-WebSocket-Protocol: {chosen}\r\n" in c.head + "\r\n") if chosen else "WebSocket-Protocol" not in c.head
            opcode, payload = c.frame()
            assert (opcode, payload[0]) == ((2, 1) if chosen and chosen.endswith("bin") else (1, ord("{")))
            c.close()


def test_answers_and_changes_of_set(io):
    with Server(io=io) as s:
        answers = []
        s.wait_metric("read_seq", lambda n: n > 100)  # its symbols are known to every worker
        for c in (s.client(), s.client(binary=True)):
            c.until_type("hello")
            c.send(op="subscribe", id="é\"", symbols=["AAPL"], kinds=["trade"], rate=20, policy="complete")
            first = c.until_type("subscribed")
            c.send(op="subscribe", id=2, symbols=["AAPL", "M*"])
            second = c.until_type("subscribed")
            grown = c.until(lambda m: m["type"] == "snapshot" and not m.get("more"))
            c.send(op="unsubscribe", id=-3.5e1, symbols=["M*"])
            third = c.until_type("unsubscribed")
            c.send(op="subscribe", id=4, symbols=[""])
            error = c.until_type("error")
            c.send(op="ping", id=5)
            pong = c.until_type("pong")
            assert pong["ts"] > 1_600_000_000_000_000_000
            for m in (first, second, third):
                m.pop("seq")
            answers.append((first, second, third, error, pong["id"]))
            if c.decoder:
                assert [m["symbols"] for m in grown if m["type"] == "symbols"] == [["MSFT", "META"]], "what is new, and no more"
                assert c.decoder.names == {0: "AAPL", 3: "MSFT", 5: "META"}
        assert answers[0] == answers[1]
        assert answers[0][0]["rate"] == 20


def test_snapshot_and_definitions_in_pieces(io):
    with Server("--log-capacity", "1048576", io=io, feed="sim:?symbols=3000&rate=20000&seed=5") as s:
        s.wait_metric("read_seq", lambda n: n > 12000)
        truth, c = pair(s, "symbols=*&policy=complete&since=oldest")[0], s.client("/v1/ws?symbols=*&policy=complete", binary=True)
        seen = c.until(lambda m: m["type"] == "snapshot" and not m.get("more"))
        defined = [m for m in seen if m["type"] == "symbols"]
        assert len(defined) >= 3 and [m["more"] for m in defined] == [True] * (len(defined) - 1) + [False]
        assert len(c.decoder.names) == 3000
        kinds = [m["type"] for m in seen]
        assert kinds[:2] == ["hello", "subscribed"] and kinds[2:2 + len(defined)] == ["symbols"] * len(defined)
        last = [m for m in seen if m["type"] == "snapshot"]
        assert len(last) > 3 and all(m.get("more") for m in last[:-1])
        ticks = by_seq(truth.until(lambda m: truth.position is not None and truth.position >= c.position))
        values = [t for m in last for t in m["ticks"]]
        assert len(values) > 2000 and all(ticks[t["seq"]] == t for t in values)
        assert all(ticks[q] == t for q, t in by_seq(seen).items())


def test_resume_gap_and_foreign_epoch(io):
    with Server("--log-capacity", "32768", io=io, feed="sim:?symbols=20&rate=8000") as s:
        c = s.client("/v1/ws?symbols=*&policy=complete", binary=True)
        c.until(lambda m: c.position is not None and c.position > 2000)
        position, last = c.position, c.last_seq
        c.close()
        json, again = pair(s, f"symbols=*&policy=complete&resume={c.epoch}-{position}")
        seen = again.until(lambda m: len(by_seq([m])) > 0)
        assert [m["type"] for m in seen][:3] == ["hello", "subscribed", "symbols"] and seen[1]["seq"] == position
        assert not any(m["type"] in ("snapshot", "gap") for m in seen) and min(by_seq(seen)) > last
        same = by_seq(json.until(lambda m: json.position is not None and json.position >= again.position))
        assert all(same[q] == t for q, t in by_seq(seen).items())
        s.wait_metric("head_seq", lambda n: n > position + 40000)
        for query, extra in ((f"resume={c.epoch}-{position}", {}), ("resume=0000000000000001-77", {"epoch": "0000000000000001", "seq": 77})):
            for x in pair(s, "symbols=AAPL&" + query):
                seen = x.until(lambda m: m["type"] == "snapshot" and not m.get("more"))
                gap = next(m for m in seen if m["type"] == "gap")
                assert gap == {"type": "gap", "from": gap["from"], "to": gap["to"], "reason": "resume", **extra}
                assert gap["from"] == (0 if extra else position) and seen[-1].get("since") == (None if extra else position)
                if x.decoder:
                    assert [m["type"] for m in seen][1:4] == ["subscribed", "gap", "symbols"]


def test_a_stuck_reader_s_gap_lag_and_conflation(io):
    with Server("--log-capacity", "1048576", "--slow-after", "0.2", io=io, feed="sim:?symbols=20&rate=50000&seed=3") as s:
        for policy, reason in (("latest", "policy"), ("conflate", None)):
            truth = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")
            start = truth.until_type("subscribed")["seq"]
            c = s.client(f"/v1/ws?symbols=*&policy={policy}&snapshot=1&since=1", rcvbuf=4096, binary=True)
            c.until_type("subscribed")
            s.wait_full()
            head = s.metrics()["head_seq"]
            s.wait_metric("head_seq", lambda n: n > head + (15000 if reason else 80000))
            if reason:
                seen = c.until(lambda m: m["type"] == "snapshot" and "since" in m and not m.get("more"))
                gap = [m for m in seen if m["type"] == "gap"][-1]
                assert gap["reason"] == reason and seen[-1]["since"] == gap["from"]
            else:
                seen = c.until(lambda m: m["type"] == "lag")
                assert seen[-1]["behind"] > 0 and seen[-1]["policy"] == "conflate"
                seen += c.until(lambda m: m.get("conflated", 0) > 0)
            same = by_seq(truth.until(lambda m: truth.position >= c.position))
            assert all(same[q] == t for q, t in by_seq(seen).items() if q > start)
            truth.close(), c.close()


def rows(count, names):
    """A trade a row; the k-th of `names` appears in the k-th share of the rows."""
    share = count // len(names)
    return "ts,symbol,price,size\n" + "".join(
        f"{1700000000000000000 + i},{names[i // share] if i % 2 == 0 else names[0]},{i % 900}.25,{1 + i % 7}\n" for i in range(share * len(names)))


@pytest.mark.parametrize("frame", ["batch", "tick"])
def test_decision_27_a_late_symbol_is_defined_in_the_frames(tmp_path, io, frame):
    path = tmp_path / "late.csv"
    path.write_text(rows(3000, ["A", "LATE one", "B\"2", "Z" * 32]))
    # They are read one after another, and what a socket does not hold is owed for --close-timeout after the end.
    args = ["--speed", "max", "--wait", "3", "--at-end", "exit", "--close-timeout", "60"]
    with Server(*args, command="replay", io=io, files=[str(path)]) as s:
        clients = pair(s, f"symbols=*&kinds=bar,trade&policy=complete&frame={frame}")
        bars = s.client(f"/v1/ws?symbols=*&kinds=bar&policy=complete&frame={frame}", binary=True)
        streams = []
        for c in (*clients, bars):
            seen = []
            with pytest.raises(Closed) as end:
                while True:
                    seen.append(c.next())
            assert end.value.code == 1000
            streams.append(seen)
        json, binary, quiet = streams
        assert by_seq(json) == by_seq(binary) and len(by_seq(json)) > 3000
        for c in (clients[1], bars):
            assert sorted(c.decoder.names.values()) == sorted(["A", "LATE one", "B\"2", "Z" * 32])
        names = ("symbol",) if frame == "tick" else ()
        at = [n for n, m in enumerate(quiet) if m.get("definitions") or m["type"] in names]
        assert at, "defined inside the stream, though no bar ever came"
        assert all(t["type"] == "feed" for t in ticks_of(quiet))


def test_decision_27_what_a_gap_swallowed_is_defined_after_it(tmp_path, io):
    path = tmp_path / "gap.csv"
    names = ["FIRST"] + [f"N{i}" for i in range(1, 40)]
    path.write_text(rows(200000, names))
    with Server("--log-capacity", "4096", "--wait", "1", "--speed", "max", "--at-end", "stay", command="replay", io=io, files=[str(path)]) as s:
        c = s.client("/v1/ws?symbols=*&policy=latest", rcvbuf=4096, binary=True)
        c.until_type("subscribed")
        head = s.wait_metric("head_seq", lambda n: n > 200000 + len(names), seconds=30)  # all of it
        seen = c.until(lambda m: c.position >= head and m["type"] in ("snapshot", "heartbeat") and not m.get("more"))
        after = [seen[i + 1]["type"] for i, m in enumerate(seen) if m["type"] == "gap"]
        assert "symbols" in after, after
        assert len(c.decoder.names) == len(names), "every symbol is known in the end"


def test_a_reset_and_a_drain(tmp_path, io):
    path = tmp_path / "loop.csv"
    path.write_text(rows(400, ["A", "B"]))
    args = ["--loop", "--speed", "max", "--wait", "2", "--drain-seconds", "0.2", "--close-timeout", "60"]
    with Server(*args, command="replay", io=io, files=[str(path)]) as s:
        json, binary = pair(s, "symbols=*&policy=complete&heartbeat=0.2&snapshot=0")
        seen = [c.until(lambda m: any(t.get("reset") for t in ticks_of([m]))) for c in (json, binary)]
        last = min(json.position, binary.position)
        resets = [{q: t for q, t in by_seq(x).items() if t["type"] == "feed" and q <= last} for x in seen]
        assert resets[0] == resets[1] and any(t["state"] == "looped" for t in resets[0].values())
        s.process.send_signal(signal.SIGTERM)
        for c in (json, binary):
            assert c.until_type("drain")["reconnect_after_ms"] >= 0
            with pytest.raises(Closed) as end:
                c.until(lambda m: False)
            assert end.value.code == 1012


def test_python_websockets_speaks_it(io):
    websockets = pytest.importorskip("websockets")
    from bin_codec import Decoder

    async def run(port):
        async with websockets.connect(f"ws://127.0.0.1:{port}/v1/ws?symbols=*", subprotocols=["tickcast.v1.bin"]) as ws:
            assert ws.subprotocol == "tickcast.v1.bin"
            decoder, ticks = Decoder(), 0
            while ticks < 500:
                data = await asyncio.wait_for(ws.recv(), 15)
                assert isinstance(data, bytes)
                ticks += len(ticks_of([decoder.message(data)]))

    with Server(io=io) as s:
        asyncio.run(run(s.port))
