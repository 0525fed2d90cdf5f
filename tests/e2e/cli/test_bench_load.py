"""tickcast bench as a tool: stalls are seen, troubles are survived and told, any feed can be measured, every report is whole."""
import asyncio, contextlib, itertools, json, re, signal, subprocess, time
import xml.etree.ElementTree as xml
import pytest
from cli import RawServer, Script, run
from rig import TICKCAST, Server, stand_still

FEED = "sim:?symbols=50&rate=5000&seed=3"


def bench(url, *words, code=0):
    done = run("bench", "--url", url, "--json", "-", "--warmup", "0.1", *words)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def url_of(server):
    return f"ws://127.0.0.1:{server.port}"


def wait_until(moment):
    while time.monotonic() < moment:
        time.sleep(0.01)


def test_self_test_shows_the_stalls():
    done = run("bench", "--self-test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "self-test ok" in done.stdout
    late = float(re.search(r"^p99 +([\d.]+)", done.stdout, re.M).group(1))
    assert late > 200, done.stdout  # 450 ms of 2 s were stalled: the last hundredth is deep inside


@contextlib.contextmanager
def ended(server, load):
    """However the test ends: the server goes on, so that it can be ended, and the load is gone."""
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
        load.kill()


def report_after_a_second(server, load):
    """Of a load whose server stands still: it does so for a second more."""
    wait_until(time.monotonic() + 1)  # the stall itself
    server.process.send_signal(signal.SIGCONT)
    out, _ = load.communicate(timeout=60)
    return json.loads(out)


def test_a_server_that_is_stopped_is_seen():
    with Server(feed=FEED) as server:
        load = subprocess.Popen([TICKCAST, "bench", "--url", url_of(server), "--connections", "20", "--duration", "5", "--json", "-",
                                 "--warmup", "0.1", "--churn", "1"], stdout=subprocess.PIPE, text=True)
        with ended(server, load):
            server.wait_metric("upgrades_total", lambda n: n > 20)  # the first that is opened anew: it measures
            before = server.metrics()["ticks_total"]
            server.wait_metric("ticks_total", lambda n: n > before + 20000)
            stand_still(server.process.pid)
            r = report_after_a_second(server, load)
        assert r["latency_ns"]["max"] > 0.9e9 and r["readers"]["silence_ns"] > 0.9e9, r
        assert r["latency_ns"]["p95"] > 0.4e9, r  # a fifth of the ticks were due in that second
        assert max(i["p99"] for i in r["series"]["intervals"]) > 0.4e9


def established(port):
    """Connections to this port of loopback that the kernel has made, whoever has taken them."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(row[2] == f"0100007F:{port:04X}" and row[3] == "01" for row in rows)


def wait_established(port, count, process):
    """Until there are so many, or the process has ended."""
    while established(port) < count and process.poll() is None:
        time.sleep(0.01)


def test_a_handshake_is_timed_from_when_it_was_due():
    """The server stands still for a second: 128 of 300 are begun, the others wait inside bench. None was quick."""
    with Server(feed=FEED) as server:
        stand_still(server.process.pid)
        load = subprocess.Popen([TICKCAST, "bench", "--url", url_of(server), "--connections", "300", "--ramp", "3000", "--duration",
                                 "0.5", "--json", "-", "--warmup", "0"], stdout=subprocess.PIPE, text=True)
        with ended(server, load):
            wait_established(server.port, 128, load)
            r = report_after_a_second(server, load)
        assert r["handshake_ns"]["samples"] == 300 and r["handshake_ns"]["min"] > 0.8e9, r["handshake_ns"]
        assert r["subscribed_ns"]["min"] > 0.8e9
        assert r["connects"]["ramp"] == 300 and r["connects"]["ramp_seconds"] > 1 and r["connects"]["measured"] == 0
        assert abs(r["connects"]["ramp_per_second"] * r["connects"]["ramp_seconds"] - 300) < 3


def test_enough_at_once_is_a_measurement_still():
    """The default warm-up has more than enough; but enough is many times what may be read before the measurement and still wait for the
    reference, so that some must come in it."""
    with Server(feed="sim:?symbols=50&rate=100000&seed=3") as server:
        done = run("bench", "--url", url_of(server), "--connections", "2", "--policy", "complete", "--verify", "--enough", "100000",
                   "--duration", "30", "--json", "-")
        assert done.returncode == 0, done.stderr
        r = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(word))
        assert 0 < r["seconds"] < 25 and r["readers"]["ticks_per_second"] > 0 and r["verified"]["ticks"] >= 100000


@pytest.mark.parametrize("io", ["uring", "epoll"])
def test_killed_churned_and_stalled_streams_stay_true(io):
    with Server(feed=FEED) as server:
        r = bench(url_of(server), "--connections", "40", "--duration", "4", "--verify", "--mix", "--kill", "40", "--churn", "10",
                  "--stall", "10", "--threads", "2", "--io", io)
        assert not r["failed"] and r["verified"]["lies"] == 0 and r["io"] == io
        n = r["readers"]
        assert n["kills"] > 20 and n["churns"] > 5 and n["stalls"] > 5 and n["resumes"] > 10, n
        assert r["handshake_ns"]["samples"] >= 40 + n["resumes"]
        assert r["connects"]["ramp"] == 40 and r["connects"]["measured"] >= n["resumes"]
        assert r["verified"]["ticks"] > 10000


def test_each_list_is_verified():
    with Server(feed=FEED) as server:
        server.wait_metric("symbols", lambda n: n == 50)
        r = bench(url_of(server), "--connections", "30", "--duration", "2", "--verify", "--lists", "30", "--list-size", "5")
        assert not r["failed"] and r["verified"]["lies"] == 0 and r["verified"]["ticks"] > 500
        assert server.metrics()["lapped_total"] == 0
        done = run("bench", "--url", url_of(server), "--lists", "2", "--list-size", "51")
        assert done.returncode == 2 and "--list-size: the server has 50 symbols" in done.stderr


@pytest.mark.parametrize("verify", [True, False])
def test_binary_streams_are_read_and_verified(verify):
    with Server(feed=FEED) as server:
        r = bench(url_of(server), "--connections", "20", "--duration", "2", "--binary", "--mix", "--kill", "20", "--snapshot",
                  *(["--verify"] if verify else []))
        assert not r["failed"] and r["readers"]["ticks"] > 1000 and r["readers"]["resumes"] > 0
        assert 0 < r["latency_ns"]["p50"] <= r["latency_ns"]["max"]
        if verify:
            assert r["verified"]["lies"] == 0 and r["verified"]["ticks"] > 1000


def test_a_feed_of_another_kind():
    async def play(ws, path, number):
        assert path == "/feed" and await ws.recv() == '{"op":"sub"}'
        for n in itertools.count(1):  # until bench goes
            now = time.time()
            await ws.send(f'{{"data":[{{"sequence": {2 * n - (1 if n > 5 else 0)},"T": "{now:.6f}"}}]}}')
            if n % 10 == 0:
                await asyncio.sleep(0.005)

    with Script(play) as script:
        url = script.url.replace("/v1/ws", "/feed")
        words = ["--any", "--send", '{"op":"sub"}', "--seq-key", "sequence", "--ts-key", "T", "--ts-unit", "s", "--sample", "1"]
        r = bench(url, "--connections", "2", "--duration", "1", "--warmup", "0", *words)
        assert r["readers"]["messages"] > 20 and r["readers"]["ticks"] >= r["readers"]["messages"] - 2
        assert r["readers"]["holes"] >= r["readers"]["messages"] // 2
        assert 0 < r["latency_ns"]["p50"] < 30e9 and r["latency_ns"]["samples"] == r["readers"]["messages"]


def test_a_number_that_goes_back_is_told():
    async def play(ws, path, number):
        for n in (1, 2, 5, 5):
            await ws.send(f'{{"sequence":{n}}}')
        await ws.wait_closed()

    with Script(play) as script:
        r = bench(script.url, "--any", "--connections", "1", "--duration", "0.5", "--seq-key", "sequence", code=1)
        assert r["failed"] and "did not rise" in r["first"]


def test_every_report_says_the_same(tmp_path):
    with Server(feed=FEED) as server:
        done = run("bench", "--url", url_of(server), "--connections", "5", "--duration", "1", "--json", str(tmp_path / "r.json"),
                   "--html", str(tmp_path / "r.html"))
        assert done.returncode == 0, done.stderr
        r = json.loads((tmp_path / "r.json").read_text())
        page = (tmp_path / "r.html").read_text()
        assert f"{r['readers']['ticks']} ticks" in done.stdout and f"{r['readers']['ticks']} ticks" in page
        plots = re.findall(r"<svg.*?</svg>", page, re.S)
        assert len(plots) == 4
        for plot in plots:
            paths = [e.get("d") for e in xml.fromstring(plot).iter("path")]
            assert paths and all(d.startswith("M") and "nan" not in d for d in paths)
        assert "http" not in page.replace("http://127.0.0.1", "")
        assert sum(i["ticks"] for i in r["series"]["intervals"]) == r["readers"]["ticks"]


def test_a_report_that_cannot_be_written():
    with Server(feed=FEED) as server:
        done = run("bench", "--url", url_of(server), "--connections", "1", "--duration", "0.2", "--html", "/nowhere/r.html")
        assert done.returncode == 1 and "--html /nowhere/r.html" in done.stderr


@pytest.mark.parametrize("words,says", [
    (("--seq-key", "s"), "add --any"),
    (("--any", "--kill", "1"), "--any: --binary"),
    (("--any", "--verify"), "--verify: only tickcast"),
    (("--self-test", "--deflate"), "--self-test: its own server packs nothing"),
    (("--lists", "3", "--symbols", "A"), "--lists: the lists take the place"),
    (("--kill", "3", "--connections", "0", "--slow", "1"), "--kill, --churn, --stall"),
])
def test_what_does_not_go_together_is_said(words, says):
    done = run("bench", *words)
    assert done.returncode == 2 and says in done.stderr, done.stderr


def test_header_lines_are_sent_to_any_feed():
    """Authorization, Cookie and Origin as given, in order; a value is in no report."""
    given = ["Authorization: Bearer s3cret", "Cookie: a=1; b=2", "Origin: https://example.org"]
    words = [word for line in given for word in ("--header", line)]
    with RawServer([], b"\x81\x02{}") as server:
        done = run("bench", "--any", "--url", server.url, "--connections", "1", "--duration", "0.3", "--warmup", "0", "--json", "-", *words)
        assert done.returncode == 0, done.stderr
        assert "".join(line + "\r\n" for line in given) + "\r\n" in server.request
        assert "s3cret" not in done.stdout + done.stderr and json.loads(done.stdout)["failed"] is False


def test_header_lines_are_in_every_request_to_tickcast(tmp_path):
    """Another site's Origin is refused, the listed one is taken: by the streams, the reference, the lists and the stages."""
    words = ["--connections", "3", "--duration", "0.5", "--verify", "--lists", "2", "--list-size", "5"]
    with Server("--origins", "https://example.org", feed=FEED) as server:
        server.wait_metric("symbols", lambda n: n >= 50)
        r = bench(url_of(server), *words, "--header", "Origin: https://example.org", "--header", "X-More: 1")
        assert not r["failed"] and r["verified"]["ticks"] > 0 and "stages" in r
        done = run("bench", "--url", url_of(server), "--connections", "1", "--duration", "0.3", "--header", "Origin: https://example.com")
        assert done.returncode == 1 and "403" in done.stderr, done.stderr
