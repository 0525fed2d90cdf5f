"""Ages of ticks by stage in /metrics: each stage counts what it must, and a delay shows in the stage where it arose."""
import time
from concurrent.futures import ThreadPoolExecutor
import pytest
from crowd import thread_stopped
from rig import Server, ticks_of, wait_for

STAGES = ["log", "read", "render", "socket"]
SAMPLE = 64
TICKS = 2000
EVERY = "symbols=*&policy=complete&snapshot=0"
DEFLATE = {"headers": ["Sec-WebSocket-Extensions: permessage-deflate"]}


def write_file(path, first_ns):
    path.write_text("ts,symbol,price,size\n" + "".join(f"{first_ns + i},S{i % 7},{i}.25,{i}\n" for i in range(1, TICKS + 1)))


def replay(path, io, workers, subscribers):
    """The whole file to all, read side by side; returns the ages and how many sampled ticks each subscriber was sent."""
    with Server("--speed", "max", "--wait", str(len(subscribers)), "--at-end", "stay", "--workers", str(workers), io=io,
                command="replay", files=[str(path)]) as s:
        clients = [s.client("/v1/ws?" + query, **options) for query, options in subscribers]
        with ThreadPoolExecutor(len(clients)) as pool:
            streams = list(pool.map(lambda c: c.until(lambda m: any(t.get("state") == "ended" for t in ticks_of([m]))), clients))
        # The last frame was taken before its submission has been counted; a worker that serves none of them may read later.
        wait_for(lambda: told(s.metrics(), sum(len(ticks_of(seen)) for seen in streams)))
        for c in clients:
            c.close()
        sampled = [sum(t["seq"] % SAMPLE == 0 and t["type"] == "trade" for t in ticks_of(seen)) for seen in streams]
        return s.ages(), sampled


def told(m, ticks):
    return m["ticks_total"] >= ticks and m["read_seq"] >= m["head_seq"]


def mean(ages, stage):
    return ages[stage]["sum"] / ages[stage]["count"]


@pytest.mark.parametrize("workers", [1, 2])
def test_each_stage_counts_what_it_must(tmp_path, io, workers):
    path = tmp_path / "now.csv"
    write_file(path, time.time_ns() - 10**9)
    subscribers = [(EVERY, {}), (EVERY + "&frame=tick", {}), (EVERY, {"binary": True}), (EVERY, DEFLATE), (EVERY, {}),
                   (EVERY.replace("*", "S3"), {})]
    ages, sampled = replay(path, io, workers, subscribers)
    assert sampled[0] >= TICKS // SAMPLE - 1 and len(set(sampled[:5])) == 1 and 0 < sampled[5] < sampled[0]
    assert {stage: of["count"] for stage, of in ages.items()} == \
           {"log": sampled[0], "read": workers * sampled[0], "render": sum(sampled), "socket": sum(sampled)}
    assert all(of["untimed"] == 0 for of in ages.values())
    for of in ages.values():  # cumulative, and the last one is the count
        under = [of["under"][edge] for edge in sorted(of["under"])]
        assert under == sorted(under) and under[-1] == of["count"] and len(under) == 98


def test_stages_follow_each_other(tmp_path, io):
    """One worker and subscribers of everything: the same ticks in each mean."""
    path = tmp_path / "now.csv"
    write_file(path, time.time_ns() - 10**9)
    ages, _ = replay(path, io, 1, [(EVERY, {}), (EVERY, {})])
    means = [mean(ages, stage) for stage in STAGES]
    assert 0 < means[0] and means == sorted(means), means


def test_an_old_file_is_untimed(tmp_path, io):
    path = tmp_path / "old.csv"
    write_file(path, 1700000000 * 10**9)
    ages, sampled = replay(path, io, 1, [(EVERY, {}), (EVERY, {})])
    assert all(of["count"] == 0 and of["sum"] == 0 for of in ages.values())
    assert [ages[stage]["untimed"] for stage in STAGES] == [sampled[0], sampled[0], sum(sampled), sum(sampled)]


def test_waiting_for_a_batch_is_in_render(io):
    """Cohorts are visited once a second: a tick waits half a second between being read and being rendered, which is far more than it
    waits for a busy processor."""
    with Server("--batch-us", "1000000", "--workers", "1", io=io) as s:
        c = s.client("/v1/ws?" + EVERY)
        c.until_type("ticks")
        first = s.ages()
        end = c.position + 30 * SAMPLE
        c.until(lambda m: m["type"] == "ticks" and m["to"] > end)
        last = wait_for(lambda: enough(s.ages(), first, 20))
        c.close()
        moved = {stage: (last[stage]["sum"] - first[stage]["sum"]) / (last[stage]["count"] - first[stage]["count"])
                 for stage in STAGES}
        assert moved["render"] - moved["read"] > 0.25, moved
        assert moved["log"] < moved["render"] / 2, moved


def enough(last, first, count):
    return last if all(last[stage]["count"] >= first[stage]["count"] + count for stage in STAGES) else None


def test_a_worker_that_stands_still_is_in_read(io):
    """What is due while a worker has no processor is in the log at its time, and read late."""
    with Server("--workers", "1", io=io) as s:
        c = s.client("/v1/ws?" + EVERY)
        c.until_type("ticks")
        head = s.metrics()["head_seq"]
        with thread_stopped(s.process.pid, "worker 0"):  # administration has a thread of its own
            wait_for(lambda: admin_metric(s, "head_seq") > head + 1500)  # 0.75 s of the feed
        c.until(lambda m: m["type"] == "ticks" and m["to"] > head + 1500)
        ages = wait_for(lambda: caught_up(s.ages()))
        c.close()
        late = {stage: of["count"] - of["under"][0.196608] for stage, of in ages.items()}
        assert late["read"] >= 5 and late["log"] < late["read"], late
        assert late["render"] >= 5 and late["socket"] >= 5, late


def admin_metric(s, name):
    text = s.admin("GET", "/metrics")[2].decode()
    return int(text.split(f"\ntickcast_{name} ")[1].split("\n")[0])


def caught_up(ages):
    return ages if ages["read"]["count"] >= ages["log"]["count"] - 1 else None
