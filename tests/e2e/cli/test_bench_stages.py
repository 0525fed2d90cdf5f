"""tickcast bench beside the server's own stamps: what came in the measured time, stage by stage; or one line that says why not."""
import json, re
import pytest
from cli import Script, hello, run, say, ticks, trade
from rig import Server

STAGES = ["log", "read", "render", "socket", "client"]
FEED = "sim:?symbols=50&rate=5000&seed=3"


def url_of(server):
    return f"ws://127.0.0.1:{server.port}"


def bench(url, *words):
    done = run("bench", "--url", url, "--warmup", "0.1", *words)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done


def test_the_stages_of_the_measured_time(tmp_path):
    with Server("--workers", "1", feed=FEED) as server:  # who is asked counts: its stages are of one moment
        server.wait_metric("head_seq", lambda n: n > 10000)  # before it: not of this bench
        before = server.ages()
        done = bench(url_of(server), "--connections", "10", "--duration", "2", "--json", str(tmp_path / "r.json"),
                     "--html", str(tmp_path / "r.html"))
        after = server.ages()
        r = json.loads((tmp_path / "r.json").read_text())
        s = r["stages"]
        assert s["sample"] == 64 and list(s)[1:] == STAGES
        for stage in STAGES:
            assert 0 < s[stage]["p50"] <= s[stage]["p99"] and 0 < s[stage]["mean"] and s[stage]["samples"] > 0, (stage, s)
            if stage != "client":
                assert s[stage]["untimed"] == 0
                assert s[stage]["samples"] <= after[stage]["count"] - before[stage]["count"]
        assert s["client"]["samples"] == r["latency_ns"]["samples"] and s["client"]["p99"] == r["latency_ns"]["p99"]
        for one, next_one in zip(STAGES, STAGES[1:]):
            assert s[next_one]["p50_grown"] == s[next_one]["p50"] - s[one]["p50"]
        assert s["render"]["samples"] == s["socket"]["samples"]
        deliveries = s["socket"]["samples"] * s["sample"]
        assert 0.5 < deliveries / r["readers"]["ticks"] < 2, (deliveries, r["readers"]["ticks"])
        text = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.split()[:1]}
        for stage in STAGES:
            assert text[stage][1] == f"{s[stage]['p50'] / 1e6:.3f}" and text[stage][-1] == str(s[stage]["samples"])
        picture = re.search(r'<svg[^>]*aria-label="Age by stage">.*?</svg>', (tmp_path / "r.html").read_text(), re.S).group(0)
        assert [t for t in re.findall(r"<text[^>]*>([a-z]+)</text>", picture)] == STAGES
        assert picture.count("<path") == 2 * len(STAGES)


def test_a_replayed_file_has_no_ages(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text("ts,symbol,price,size\n" + "".join(f"{1700000000 * 10**9 + i * 10**6},S,{i}.25,{i}\n" for i in range(1, 20001)))
    with Server("--loop", "--speed", "10", command="replay", files=[str(path)]) as server:
        done = bench(url_of(server), "--connections", "2", "--duration", "1", "--json", "-")
        s = json.loads(done.stdout)["stages"]
        assert all(s[stage]["samples"] == 0 and "p50" not in s[stage] for stage in STAGES)
        assert s["log"]["untimed"] > 0 and s["socket"]["untimed"] > 0


async def play(ws, path, number):
    await say(ws, *hello(), ticks(0, 1, trade(1)))
    await ws.wait_closed()


@pytest.mark.parametrize("words,says", [((), True), (("--any",), False)])
def test_what_is_not_tickcast_has_no_stages(words, says):
    with Script(play) as script:
        done = bench(script.url, "--connections", "1", "--duration", "0.3", *words)
        lines = [line for line in done.stdout.splitlines() if line.startswith("stages")]
        assert len(lines) == says and all("left out: 127.0.0.1" in line and "/metrics" in line for line in lines)
        r = json.loads(bench(script.url, "--connections", "1", "--duration", "0.3", "--json", "-", *words).stdout)
        assert "stages" not in r and ("stages_absent" in r) == says


def test_a_sum_that_no_ages_have_is_no_mean():
    """A server may say anything: here one more tick in each bucket, of 380 years."""
    with Server() as server:
        first = server.http("GET", "/metrics")[2].decode()
    second = re.sub(r"(?m)^(tickcast_tick_age_seconds_bucket\{.*\}) (\d+)$", lambda m: f"{m[1]} {int(m[2]) + 1}", first)
    second = re.sub(r"(?m)^(tickcast_tick_age_seconds_sum\{.*\}) \S+$", r"\1 12e9", second)
    with Script(play, metrics=[first, second]) as script:
        r = json.loads(bench(script.url, "--connections", "1", "--duration", "0.3", "--json", "-").stdout)
        assert [(r["stages"][stage]["samples"], r["stages"][stage]["mean"]) for stage in STAGES[:-1]] == [(1, 0)] * 4
