"""tickcast bench --deflate: packed streams are read and verified as plain ones are, of tickcast and of any other feed, and what it
saves is told; a packed message that is no deflate, or a bomb, ends its connection."""
import asyncio, itertools, json, re, zlib
import xml.etree.ElementTree as xml
import pytest
from cli import RawServer, Script, gap, hello, quote, run, say, ticks, trade
from rig import Server

FEED = "sim:?symbols=50&rate=5000&seed=3"
ANSWER = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Extensions: permessage-deflate")


def bench(url, *words, code=0):
    done = run("bench", "--url", url, "--json", "-", "--warmup", "0.1", "--deflate", *words)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def url_of(server):
    return f"ws://127.0.0.1:{server.port}"


def packed_frame(payload):
    head = bytes([0xC1, len(payload)]) if len(payload) < 126 else b"\xc1\x7e" + len(payload).to_bytes(2, "big")
    return head + payload


@pytest.mark.parametrize("io", ["uring", "epoll"])
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_packed_streams_are_verified(io, binary):
    """Against a plain reference: under every policy and framing, killed, stalled and opened anew."""
    with Server("--deflate-min", "16", feed=FEED) as server:
        r = bench(url_of(server), "--connections", "30", "--duration", "3", "--verify", "--mix", "--kill", "20", "--stall", "5",
                  "--churn", "5", "--snapshot", "--threads", "2", "--io", io, *(["--binary"] if binary else []))
        n, d = r["readers"], r["deflate"]
        assert not r["failed"] and r["verified"]["lies"] == 0 and r["verified"]["ticks"] > 5000
        assert n["resumes"] > 5 and n["packed"] > 100
        assert d["agreed"] >= 30 + n["resumes"] and d["takeover"] == d["refused"] == 0
        assert n["bytes"] < n["unpacked_bytes"] and abs(d["ratio"] - n["unpacked_bytes"] / n["bytes"]) < 0.001
        m = server.metrics()
        assert m["deflate_frames_total"] > 0


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_packed_streams_are_read_fast(binary):
    with Server(feed=FEED) as server:
        server.wait_metric("symbols", lambda n: n == 50)
        r = bench(url_of(server), "--connections", "20", "--duration", "1", "--slow", "2", "--stuck", "1", "--lists", "10",
                  "--list-size", "30", "--rate", "20", *(["--binary"] if binary else []))
        assert not r["failed"] and r["readers"]["ticks"] > 1000 and r["deflate"]["agreed"] == 23
        assert r["readers"]["packed"] > 10 and r["deflate"]["ratio"] > 1.2
        assert 0 < r["latency_ns"]["p50"] <= r["latency_ns"]["max"]


def test_a_server_that_does_not_pack():
    with Server("--no-deflate", feed=FEED) as server:
        done = run("bench", "--url", url_of(server), "--connections", "2", "--deflate")
        assert done.returncode == 1 and "did not take permessage-deflate: it runs with --no-deflate" in done.stderr, done.stderr
        url = url_of(server) + "/v1/ws?symbols=*"
        r = bench(url, "--any", "--connections", "3", "--duration", "0.3")
        assert r["deflate"] == {"agreed": 0, "takeover": 0, "refused": 3, "ratio": 1} and r["readers"]["packed"] == 0
        done = run("bench", "--url", url, "--any", "--connections", "3", "--duration", "0.3", "--warmup", "0", "--deflate")
        assert "3 were not taken: their messages came as they are" in done.stdout


def test_a_feed_of_another_kind_with_takeover():
    """Each message repeats the one before: only a window that is kept makes them small."""
    noise = "".join(chr(33 + n * n * 7919 % 89) for n in range(900)).replace('"', "x").replace("\\", "y")

    async def play(ws, path, number):
        for n in itertools.count(1):  # until bench goes: however late it begins to measure, there is something to
            await ws.send(f'{{"sequence":{n},"noise":"{noise}"}}')
            if n % 10 == 0:
                await asyncio.sleep(0.005)

    with Script(play, compression="deflate") as script:
        r = bench(script.url, "--any", "--connections", "2", "--duration", "1", "--warmup", "0", "--seq-key", "sequence")
        n, d = r["readers"], r["deflate"]
        assert not r["failed"] and d["agreed"] == d["takeover"] == 2 and n["holes"] == 0
        assert n["ticks"] > 20 and n["ticks"] == n["messages"] and n["packed"] >= n["messages"]
        assert d["ratio"] > 5, r


def test_loss_is_seen_in_packed_frames():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 2, trade(1), trade(2)), gap(2, 5), ticks(5, 6, quote(6)), ticks(7, 8, trade(8)))
        await ws.wait_closed()

    with Script(play, compression="deflate") as script:
        done = run("bench", "--url", script.url, "--connections", "1", "--duration", "1", "--warmup", "0", "--deflate", "--frame", "batch")
        assert done.returncode == 1 and "position 6" in done.stdout + done.stderr, done.stdout + done.stderr


def test_a_bomb_is_told():
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    bytes_ = (bomb.compress(bytes(5_000_000)) + bomb.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(bytes_) < 65536
    with RawServer(ANSWER, packed_frame(bytes_)) as server:
        done = run("bench", "--url", server.url, "--any", "--connections", "1", "--duration", "0.5", "--warmup", "0", "--deflate")
        assert done.returncode == 1
        assert "larger than 4 MiB when it is unpacked" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("fields,frames,says", [
    (ANSWER, packed_frame(b"\xff\xff"), "marked as packed, and is no deflate"),
    (ANSWER, b"\xa1\x00", "a reserved bit is set that permessage-deflate does not use"),
    (ANSWER, b"\xc9\x00", "a control frame is marked as packed"),
    (ANSWER[:2], b"\xc1\x00", "though no extension was agreed"),
    (ANSWER[:2] + ("Sec-WebSocket-Extensions: permessage-deflate; window=3",), b"", "is no answer to permessage-deflate"),
], ids=["no_deflate", "rsv2", "control", "not_agreed", "answer"])
def test_what_is_wrong_is_told(fields, frames, says):
    with RawServer(fields, frames) as server:
        done = run("bench", "--url", server.url, "--any", "--connections", "1", "--duration", "0.5", "--warmup", "0", "--deflate")
        assert done.returncode == 1 and says in done.stdout + done.stderr, done.stdout + done.stderr


def test_every_report_says_the_same(tmp_path):
    with Server(feed=FEED) as server:
        done = run("bench", "--url", url_of(server), "--connections", "5", "--duration", "1", "--json", str(tmp_path / "r.json"),
                   "--html", str(tmp_path / "r.html"), "--deflate", "--rate", "20")
        assert done.returncode == 0, done.stderr
        r = json.loads((tmp_path / "r.json").read_text())
        page = (tmp_path / "r.html").read_text()
        counts = rf"ratio (\d+\.\d\d); {r['readers']['packed']} of {r['readers']['messages']} messages were packed"
        for report in (done.stdout, page):  # rounded from the same number, to two digits and to three
            assert abs(float(re.search(counts, report)[1]) - r["deflate"]["ratio"]) < 0.0056
        plots = re.findall(r"<svg.*?</svg>", page, re.S)
        assert len(plots) == 5 and "Bytes over time" in plots[3]
        for path in xml.fromstring(plots[3]).iter("path"):
            assert path.get("d").startswith("M") and "nan" not in path.get("d")
        assert sum(i["unpacked_bytes"] for i in r["series"]["intervals"]) == r["readers"]["unpacked_bytes"]
