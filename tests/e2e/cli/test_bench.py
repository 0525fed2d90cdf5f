"""tickcast bench: figures and verdicts over the real server, and that it catches every lie of a lying one."""
import json
import pytest
from cli import Script, gap, hello, quote, run, say, ticks, trade
from rig import Server


def bench(url, *words, code=0):
    done = run("bench", "--url", url, "--json", "--warmup", "0.1", *words)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


@pytest.mark.parametrize("frame", ["batch", "tick"])
@pytest.mark.parametrize("policy", ["conflate", "complete", "latest"])
def test_the_real_server_tells_the_truth(policy, frame):
    with Server(feed="sim:?symbols=50&rate=5000&seed=3") as server:
        r = bench(f"ws://127.0.0.1:{server.port}", "--connections", "20", "--duration", "2", "--verify", "--policy", policy,
                  "--frame", frame, "--slow", "3", "--slow-rate", "20000", "--stuck", "1", "--threads", "2")
        assert not r["failed"] and r["verified"]["lies"] == 0
        assert r["verified"]["ticks"] > 1000 and r["readers"]["ticks"] > 1000
        assert 0 < r["latency_ns"]["p50"] <= r["latency_ns"]["p99"] <= r["latency_ns"]["max"]
        assert 0 < r["slow"]["bytes"] < 3 * 20000 * (r["seconds"] + 2)  # however long the measurement became; a second is caught up
        assert r["stuck"]["ticks"] == 0


def test_filters_and_rates_are_verified_too():
    with Server(feed="sim:?symbols=50&rate=5000&seed=3") as server:
        r = bench(f"ws://127.0.0.1:{server.port}", "--connections", "5", "--duration", "2", "--verify", "--rate", "5",
                  "--snapshot", "--symbols", "A*,MSFT", "--kinds", "quote")
        assert not r["failed"] and r["readers"]["conflated"] > 0 and r["verified"]["conflated"] > 0
        assert r["verified"]["snapshot_ticks"] >= 0 and r["readers"]["messages_per_second"] < 5 * 5 * 3


def test_text_report():
    with Server() as server:
        done = run("bench", "--url", f"ws://127.0.0.1:{server.port}", "--connections", "2", "--duration", "0.5", "--warmup", "0")
        assert done.returncode == 0, done.stderr
        assert "continuity  ok: 0 connections broken, 0 lost" in done.stdout and "p99.9" in done.stdout


def test_idle_connections():
    with Server() as server:
        r = bench(f"ws://127.0.0.1:{server.port}", "--connections", "50", "--idle", "--duration", "0.3")
        assert r["readers"]["ticks"] == 0 and not r["failed"]


def test_a_server_that_goes_away_is_told():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 1, trade(1)))
        await (await ws.ping())  # answered: bench has read all that
        ws.transport.abort()

    with Script(play) as script:
        done = run("bench", "--url", script.url, "--connections", "2", "--duration", "20", "--warmup", "20")
        assert done.returncode == 1
        assert "connections were subscribed" in done.stderr or "ended before the measurement" in done.stderr
        assert "the first trouble: connection" in done.stderr


def test_nobody_there():
    done = run("bench", "--url", "ws://127.0.0.1:1", "--connections", "2", "--duration", "1")
    assert done.returncode == 1 and "Connection refused" in done.stderr


# What each lie looks like to one connection; the reference always sees REFERENCE.
REFERENCE = [ticks(0, 4, trade(1), quote(2), quote(3, "1.41"), trade(4))]
LIES = {
    "a hole": [ticks(0, 1, trade(1)), ticks(2, 4, quote(3, "1.41"), trade(4))],
    "an overlap": [ticks(0, 2, trade(1), quote(2)), ticks(1, 4, quote(2), quote(3, "1.41"), trade(4))],
    "ticks are out of order": [ticks(0, 4, trade(1), quote(3, "1.41"), quote(2), trade(4))],
    "an event tick was left out": [ticks(0, 4, trade(1), quote(2), quote(3, "1.41"))],
    "differs from the reference": [ticks(0, 4, trade(1, "1.51"), quote(2), quote(3, "1.41"), trade(4))],
    "count of conflated ticks": [ticks(0, 4, trade(1), quote(3, "1.41"), trade(4), conflated=2)],
    "nothing newer of its key": [ticks(0, 4, trade(1), quote(2), trade(4), conflated=1)],
    "not what the protocol says": [ticks(0, 4, trade(1))[:-3]],
    "masked": [b"raw", b"\x81\x80\0\0\0\0"],
}
TRUTHS = {
    "all": REFERENCE,
    "conflated": [ticks(0, 4, trade(1), quote(3, "1.41"), trade(4), conflated=1)],
    "a gap": [ticks(0, 1, trade(1)), gap(1, 4)],
    "in pieces": [ticks(0, 3, trade(1), quote(2), quote(3, "1.41")), ticks(3, 4, trade(4))],
}


def scripted(messages):
    async def play(ws, path, number):
        await say(ws, *hello())
        if "policy=complete" in path and "frame=" not in path:  # the reference's
            await say(ws, *REFERENCE)
        elif messages[0] == b"raw":
            ws.transport.write(messages[1])
        else:
            await say(ws, *messages)
        await ws.wait_closed()

    return Script(play)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_caught(lie):
    with scripted(LIES[lie]) as script:
        done = run("bench", "--url", script.url, "--connections", "2", "--duration", "0.5", "--warmup", "0.2", "--verify")
        assert done.returncode == 1, done.stdout
        assert lie in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_truth_is_not_called_a_lie(truth):
    with scripted(TRUTHS[truth]) as script:
        r = bench(script.url, "--connections", "2", "--duration", "0.5", "--verify")
        assert r["verified"]["lies"] == 0 and r["verified"]["frames"] >= 2
