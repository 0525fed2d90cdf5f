"""tickcast tail: what it prints, how it ends, and that it goes on after a broken connection."""
import json, os, re, socket, subprocess
from decimal import Decimal
import pytest
from cli import EPOCH, TICKCAST, Script, gap, hello, quote, run, say, ticks, trade
from rig import Server


def test_json_passes_objects_of_the_real_server():
    with Server() as server:
        done = run("tail", f"ws://127.0.0.1:{server.port}", "--json", "--count", "50", "--kinds", "trade", "--no-snapshot")
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
        assert len(lines) == 50
        seqs = [m["seq"] for m in lines]
        assert seqs == sorted(set(seqs))
        assert {m["type"] for m in lines} <= {"trade", "feed"}


def test_columns_of_the_real_server():
    with Server() as server:
        done = run("tail", f"ws://127.0.0.1:{server.port}", "--count", "40", "-v")
        assert done.returncode == 0, done.stderr
        assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  \S+ +(trade|quote) +\d", done.stdout, re.M)
        assert '-- {"type":"hello"' in done.stdout and "\033" not in done.stdout


def test_colour_is_for_terminals_and_can_be_forbidden():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 1, trade(1)))
        await ws.wait_closed()

    with Script(play) as script:
        words = ["tail", script.url, "--count", "1"]
        assert "\033" not in run(*words).stdout
        assert "\033[0m" in run(*words, "--colour", "always").stdout
        assert "\033[0m" in on_terminal(words, {})
        assert "\033" not in on_terminal(words, {"NO_COLOR": "1"})


def on_terminal(words, env):
    main, other = os.openpty()
    process = subprocess.Popen([TICKCAST, *words], stdout=other, stdin=subprocess.DEVNULL, env={**os.environ, **env})
    os.close(other)
    text = b""
    while True:
        try:
            more = os.read(main, 4096)
        except OSError:  # the other side is closed: the end on a terminal
            break
        if not more:
            break
        text += more
    os.close(main)
    assert process.wait(20) == 0
    return text.decode()


def test_gap_lag_feed_and_stalled_heartbeat_are_told():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 1, trade(1)), '{"type":"lag","behind":500,"ms":3,"policy":"conflate"}', gap(1, 9),
                  '{"type":"snapshot","seq":9,"since":1,"ticks":[' + quote(7) + "]}", '{"type":"lag","behind":0,"ms":0}',
                  '{"type":"heartbeat","seq":9,"ts":1}', '{"type":"heartbeat","seq":9,"ts":1,"stalled":true}',
                  ticks(9, 10, '{"type":"feed","feed":"udp","state":"lost","lost":5,"reason":"line","seq":10,"ts":1}'))
        await ws.close(1000, "done")

    with Script(play) as script:
        done = run("tail", script.url)
        assert done.returncode == 0
        for text in ("-- lag: this reader is 500 log positions behind", "(2 to 9) will not come; reason overrun",
                     "(last value)", "-- lag: this reader has caught up", "the feeds are stalled",
                     "feed udp lost: 5 ticks, reason line"):
            assert text in done.stdout
        assert done.stdout.count("heartbeat") == 1  # a plain one is for -v


def test_a_lost_connection_is_resumed():
    async def play(ws, path, number):
        if number == 0:
            await say(ws, *hello(), ticks(0, 7, trade(7)), '{"type":"heartbeat","seq":12,"ts":1}')
            ws.transport.abort()
        else:
            await say(ws, *hello(12), ticks(12, 20, trade(20)))
            await ws.wait_closed()

    with Script(play) as script:
        done = run("tail", script.url, "A", "--json", "--count", "2", "--since", "5")
        assert done.returncode == 0, done.stderr
        assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [7, 20]
        assert "since=5" in script.paths[0] and "resume" not in script.paths[0]
        assert f"resume={EPOCH}-12" in script.paths[1] and "since" not in script.paths[1]


def test_once_does_not_resume():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 7, trade(7)))
        ws.transport.abort()

    with Script(play) as script:
        assert run("tail", script.url, "--once").returncode == 1
        assert len(script.paths) == 1


def test_a_broken_chain_is_told():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 5, trade(5)), ticks(6, 8, trade(8)))
        await ws.close(1000, "done")

    with Script(play) as script:
        assert "broken at position 5: a hole" in run("tail", script.url).stdout


def test_what_the_server_refuses_ends_it():
    with Server() as server:
        done = run("tail", f"ws://127.0.0.1:{server.port}", "--kinds", "nonsense")
        assert done.returncode == 1 and "bad_kinds" in done.stderr
        done = run("tail", f"ws://127.0.0.1:{server.port}/nowhere")
        assert done.returncode == 1 and "refused with 404" in done.stderr


@pytest.mark.parametrize("words", [("tail",), ("bench", "--connections", "1", "--duration", "1", "--warmup", "0", "--url")])
@pytest.mark.parametrize("error", [False, True])
def test_words_of_a_server_are_no_orders_to_the_terminal(words, error):
    async def play(ws, path, number):
        await say(ws, hello()[0])
        if error:
            await say(ws, '{"type":"error","code":"bad\033[31m_symbols","message":"no\033]0;title\007 such"}')
        await ws.close(1008, "go\033[2J away\u009b1m")

    with Script(play) as script:
        done = run(*words, script.url)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and ("_symbols: no" if error else "go?[2J away") in said, said
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", said), said


def test_nobody_there():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound, not listening: refused
        done = run("tail", f"ws://127.0.0.1:{s.getsockname()[1]}")
    assert done.returncode == 1 and "Connection refused; is the server running there?" in done.stderr


def test_it_ends_quietly_when_its_reader_goes_away():
    with Server() as server:
        process = subprocess.Popen([TICKCAST, "tail", f"ws://127.0.0.1:{server.port}", "--json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
        process.stderr.close()


def test_names_of_odd_characters_are_asked_for_and_printed():
    async def play(ws, path, number):
        await say(ws, *hello(), ticks(0, 1, trade(1, symbol='Q\\"}\\u001b[31mX')))
        await ws.close(1000, "done")

    with Script(play) as script:
        done = run("tail", script.url, "B,C", 'D"}', "--colour", "never")
        assert "symbols=B%2CC,D%22%7D" in script.paths[0]
        assert 'Q"}' in done.stdout and "\033" not in done.stdout
