"""permessage-deflate (RFC 7692): who offers it gets frames that are packed once per group and unpack to the same stream; who does
not is untouched; what a client packs is unpacked within --max-message."""
import asyncio, json, os, zlib
import pytest
from rig import Closed, Server, ticks_of, wait_for
from wire import BINARY, CONTINUATION, PING, PONG, TEXT, Wire, frame, request

OFFER = "Sec-WebSocket-Extensions: permessage-deflate"
FEED = "sim:?symbols=50&rate=5000&seed=3"


def pack(payload, bits=15, level=6):
    c = zlib.compressobj(level, zlib.DEFLATED, -bits)
    return (c.compress(payload) + c.flush(zlib.Z_SYNC_FLUSH))[:-4]


def test_both_kinds_of_client_get_the_same_stream(io):
    """One with, one without: the same ticks under every seq, whatever the framing."""
    with Server(io=io, feed=FEED) as s:
        clients = [s.client(f"/v1/ws?symbols=*&policy=complete&frame={framing}", headers=[OFFER] if deflate else [])
                   for framing in ("batch", "tick") for deflate in (True, False)]
        assert [c.deflate for c in clients] == [True, False, True, False]
        wanted = max(c.until_type("subscribed")["seq"] for c in clients) + 3000
        seen, pieces = [], []
        for c in clients:
            messages = c.until(lambda m: any(t["seq"] >= wanted for t in ticks_of([m])))
            pieces.append(sum(m["type"] == "snapshot" for m in messages))
            ticks = ticks_of(messages)
            seen.append({t["seq"]: t for t in ticks if wanted - 2000 <= t["seq"] <= wanted})
        assert seen[0] == seen[1] == seen[2] == seen[3] and len(seen[0]) > 1000
        batch, _, tick, _ = clients
        assert batch.packed > 0 and batch.packed_bytes < batch.unpacked_bytes * 2 / 3
        assert tick.packed <= pieces[2], "short frames go out as they are; a snapshot's pieces are long"
        m = s.metrics()
        assert m["deflate_frames_total"] > 0 and m["deflate_out_bytes_total"] < m["deflate_in_bytes_total"] * 2 / 3
        assert m["groups"] == 4


def test_frames_are_packed_once_for_a_group(io):
    """100 members in step: what is packed grows with visits to cohorts, not with members."""
    with Server(io=io, feed="sim:?symbols=50&rate=500&seed=3") as s:
        members = [s.client("/v1/ws?symbols=*&snapshot=0&rate=5", headers=[OFFER]) for _ in range(100)]
        for c in members:
            c.until_type("subscribed")
        s.wait_metric("behind", lambda n: n == 0)
        before = s.metrics()
        s.wait_metric("frames_total", lambda n: n >= before["frames_total"] + 1000)  # 10 each: the sockets hold them
        after = s.metrics()
        frames = after["frames_total"] - before["frames_total"]
        packed = after["deflate_frames_total"] - before["deflate_frames_total"]
        assert packed >= 10 and frames >= 5 * packed, (frames, packed)
        for c in members:
            assert c.until(lambda m: m["type"] == "ticks" and m["to"] >= before["head_seq"])


def test_frames_for_few_are_not_packed(io):
    """--deflate-members: from so many of one set on."""
    with Server("--deflate-members", "2", "--workers", "1", io=io, feed=FEED) as s:  # one: both are in its group
        one = s.client("/v1/ws?symbols=*&snapshot=0&rate=20", headers=[OFFER])
        seq = one.until_type("subscribed")["seq"]
        one.until(lambda m: m["type"] == "ticks" and m["to"] > seq + 2000)
        assert one.packed == 0 and s.metrics()["deflate_skipped_total"] > 0
        other = s.client("/v1/ws?symbols=*&snapshot=0&rate=20", headers=[OFFER])
        other.until(lambda m: other.packed > 0)
        one.until(lambda m: one.packed > 0)


def test_a_slow_reader_sees_no_hole(io):
    """Frames cut by a full socket, catching up, a lap of the log: the chain of packed frames holds."""
    with Server("--log-capacity", "16384", io=io, feed="sim:?symbols=200&rate=30000&seed=5") as s:
        c = s.client("/v1/ws?symbols=*&policy=complete", headers=[OFFER], rcvbuf=4096)
        c.until_type("subscribed")
        wait_for(lambda: cut(s, c))
        head = s.metrics()["head_seq"]
        s.wait_metric("head_seq", lambda n: n > head + 40000)
        seen = c.until(lambda m: m["type"] == "gap")
        c.until(lambda m: m["type"] == "ticks" and m["to"] > head + 40000)
        assert c.packed > 3 and seen[-1]["reason"] == "overrun"


def cut(s, c):
    """A frame was cut. A socket that by chance became full between two frames is read from, to be filled again."""
    m = s.metrics()
    if m["sends_part_total"] == 0 and m["behind"]:
        c.next()
    return m["sends_part_total"] > 0


def test_packed_commands(io):
    with Server(io=io) as s:
        c = s.client("/v1/ws", headers=[OFFER])
        text = json.dumps({"op": "subscribe", "id": 7, "symbols": ["AAPL"] * 50}).encode()
        c.send_frame(TEXT, pack(text), rsv1=True)
        assert c.until_type("subscribed")["rules"] == [{"symbols": ["AAPL"], "kinds": ["trade", "quote", "bar", "book", "status"]}]
        c.send(op="ping", id=8)  # unpacked as well, message by message
        assert c.until_type("pong")["id"] == 8
        c.send_frame(TEXT, pack(b'{"op":"ping","id":9}', level=0), rsv1=True)
        assert c.until_type("pong")["id"] == 9


WRONG = [
    ("reserved_block", frame(TEXT, b"\xff\xff", rsv=4), 1007),
    ("too_far", frame(BINARY, b"\x02\x13\x00\x00", rsv=4), 1007),
    ("ends_in_a_block", frame(TEXT, pack(b'{"op":"ping","id":9}')[:-1], rsv=4), 1007),
    ("ends_in_stored_bytes", frame(BINARY, b"\x00\x09\x00\xf6\xffHello", rsv=4), 1007),
    ("not_utf8", frame(TEXT, pack(b"\xc3\x28 and more"), rsv=4), 1007),
    ("control_packed", frame(PING, b"", rsv=4), 1002),
    ("continuation_packed", frame(TEXT, pack(b"x" * 50)[:5], fin=False, rsv=4) + frame(CONTINUATION, pack(b"x" * 50)[5:], rsv=4), 1002),
    ("rsv2", frame(TEXT, b"", rsv=2), 1002),
    ("bomb", frame(BINARY, pack(bytes(30_000_000), level=9), rsv=4), 1009),
]


@pytest.mark.parametrize("bytes_, code", [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
@pytest.mark.parametrize("path", ["/v1/echo", "/v1/ws"])
def test_what_is_wrong_is_closed(path, bytes_, code):
    with Server("--echo", io="uring") as s, Wire(s.port, handshake=False) as w:
        w.send(request(s.port, path, OFFER))
        assert w.head() == 101 and "permessage-deflate" in w.header("Sec-WebSocket-Extensions")
        if path == "/v1/ws":
            assert w.event()[1].startswith(b'{"type":"hello"')
        w.send(bytes_)
        w.expect_close(code)


def test_bombs_cost_no_memory():
    """50 bombs of 30 MB each, one after the other: refused at --max-message, and the server's memory stays as it was. The worker's
    receive buffers (4 MiB, taken in turn) are resident once they have been used, so as many bytes come in before it is measured."""
    bomb = frame(BINARY, pack(bytes(30_000_000), level=9), rsv=4)
    with Server("--echo", "--workers", "1", io="uring") as s:
        def resident():
            with open(f"/proc/{s.process.pid}/statm") as f:
                return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

        def drop_one():
            with Wire(s.port, handshake=False) as w:
                w.send(request(s.port, "/v1/echo", OFFER))
                assert w.head() == 101
                w.send(bomb)
                w.expect_close(1009)
        drop_one()
        with Wire(s.port, "/v1/echo") as w:
            for _ in range(100):
                w.send(frame(BINARY, bytes(60_000)))
                assert len(w.event()[1]) == 60_000
        before = resident()
        sizes = []
        for _ in range(50):
            drop_one()
            sizes.append(resident())
        assert max(sizes) - before < 2 << 20, (before, sizes)
        s.wait_metric("closed_protocol_total", lambda n: n == 51)


WINDOWS = ["", "; server_max_window_bits=9", "; server_max_window_bits=12", "; client_max_window_bits",
           "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15"]


@pytest.mark.parametrize("offer", WINDOWS, ids=range(len(WINDOWS)))
def test_echo_with_every_window(offer, io):
    """Suite sections 12 and 13: sizes from 0 to the limit, text and binary, whole and in fragments."""
    with Server("--echo", "--max-message", "262144", io=io) as s, Wire(s.port, handshake=False) as w:
        w.send(request(s.port, "/v1/echo", OFFER + offer))
        assert w.head() == 101
        bits = 9 if "bits=9" in offer else 12 if "bits=12" in offer else 15
        answer = w.header("Sec-WebSocket-Extensions")
        assert ("server_max_window_bits" in answer) == (bits < 15)
        for size in (0, 1, 16, 64, 125, 126, 127, 1000, 4096, 16384, 65535, 65536, 131072, 262144):
            message = (json.dumps({"size": size, "text": "alpha beta gamma delta "}) * (size // 40 + 1)).encode()[:size]
            packed = pack(message, level=1 + size % 9)
            pieces = [packed] if size < 2000 else [packed[:7], packed[7:30], packed[30:]]
            for i, piece in enumerate(pieces):
                w.send(frame(TEXT if i == 0 else CONTINUATION, piece, fin=i == len(pieces) - 1, rsv=4 if i == 0 else 0))
            assert unpacked(w, bits) == (TEXT, message), size
        noise = os.urandom(100_000)
        w.send(frame(BINARY, pack(noise), rsv=4))
        assert unpacked(w, bits) == (BINARY, noise)
        w.send(frame(BINARY, noise[:70_000]))
        assert unpacked(w, bits) == (BINARY, noise[:70_000])
        w.send(frame(PING, b"still"))
        w.expect((PONG, b"still"))


def unpacked(w, bits):
    lead = w._take(2)
    size = lead[1]
    if size >= 126:
        size = int.from_bytes(w._take(2 if size == 126 else 8), "big")
    payload = w._take(size) if size else b""
    if lead[0] & 0x40:
        payload = zlib.decompressobj(wbits=-bits).decompress(payload + b"\0\0\xff\xff")
    return lead[0] & 15, payload


def test_offers_that_no_stream_can_meet(io):
    with Server("--echo", io=io) as s:
        for offer, agreed in ((OFFER, True), (OFFER + "; server_max_window_bits=10", False),
                              (OFFER + "; server_max_window_bits=10, permessage-deflate", True),
                              (OFFER + "; unknown", False), ("Sec-WebSocket-Extensions: x, y; z=1", False)):
            c = s.client("/v1/ws?symbols=*", headers=[offer])
            assert c.status == 101 and c.deflate == agreed, offer
            c.until_type("ticks")


def test_it_can_be_turned_off():
    with Server("--no-deflate", io="uring") as s:
        c = s.client("/v1/ws?symbols=*", headers=[OFFER])
        assert not c.deflate
        c.until_type("ticks")


def test_python_websockets(io):
    """Another implementation, with the extension on as is its default."""
    websockets = pytest.importorskip("websockets")

    async def run(port):
        async with websockets.connect(f"ws://127.0.0.1:{port}/v1/ws?symbols=*", compression="deflate") as c:
            assert c.extensions and c.extensions[0].name == "permessage-deflate"
            position = None
            while position is None or position < 4000:
                m = json.loads(await asyncio.wait_for(c.recv(), 20))
                if m["type"] in ("subscribed",):
                    position = m["seq"]
                elif m["type"] == "ticks":
                    assert m["from"] == position
                    position = m["to"]
        async with websockets.connect(f"ws://127.0.0.1:{port}/v1/echo", compression="deflate") as c:
            for size in (0, 1, 5000, 60000):
                await c.send("abcde" * size if size < 10000 else "a" * size)
                assert await asyncio.wait_for(c.recv(), 20) == ("abcde" * size if size < 10000 else "a" * size)

    with Server("--echo", io=io, feed=FEED) as s:
        asyncio.run(run(s.port))
