"""Files, made here in each form, from end to end; the real ones where TICKCAST_REAL_DATA names their folder."""
import gzip, os
from decimal import Decimal
import pytest
from rig import Closed, Server, ticks_of

REAL = os.environ.get("TICKCAST_REAL_DATA")


def play(path, *args, io="uring", query="symbols=*&snapshot=0&policy=complete", status=0):
    words = ["--speed", "max", "--wait", "1", "--at-end", "exit", "--close-timeout", "60"]  # so long may it take to read the rest
    with Server(*words, *args, command="replay", io=io, files=[str(path)]) as s:
        c = s.client("/v1/ws?" + query)
        seen = []
        try:
            while True:
                seen.append(c.next())
        except Closed as e:
            assert e.code == 1000, e
        c.close()
        assert s.process.wait(20) == status
        return ticks_of(seen), seen


def sums(ticks):
    trades = [t for t in ticks if t["type"] == "trade"]
    return len(trades), sum(Decimal(t["size"]) for t in trades), sum(Decimal(t["size"]) * Decimal(t["price"]) for t in trades)


def test_a_plain_csv_and_its_packings(tmp_path, io):
    text = "ts,symbol,price,size\n" + "".join(f"{1700000000000000000 + i},S{i % 7},{i}.2{i % 10},{i}\n" for i in range(1, 5001))
    plain, packed = tmp_path / "ticks.csv", tmp_path / "ticks.csv.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    first, seen = play(plain, io=io)
    assert sums(first)[:2] == (5000, 12502500)
    assert not any(m["type"] == "gap" for m in seen), "nobody is lapped at speed max (decision 17)"
    again, _ = play(packed, io=io)
    assert [(t["symbol"], t["price"], t["ts"]) for t in again if t["type"] == "trade"] == \
           [(t["symbol"], t["price"], t["ts"]) for t in first if t["type"] == "trade"]
    assert first[-1] == {**first[-1], "type": "feed", "state": "ended"}, "ended comes after the last tick"


def test_bad_rows_stop_or_are_skipped_and_told(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text('ts,symbol,price,size\n1,A,1.5,1\n2,A,"18,20",1\n3,A,2.5,1\n')
    with Server("--speed", "max", "--wait", "1", "--at-end", "exit", command="replay", files=[str(path)]) as s:
        c = s.client("/v1/ws?symbols=*")
        with pytest.raises(Closed):
            c.until(lambda m: False)
        c.close()
        assert s.process.wait(20) == 1
        assert "bad.csv:3" in s.text() and "18,20" in s.text()
    ticks, _ = play(path, "--on-error", "skip")
    assert sums(ticks)[0] == 2
    lost = [t for t in ticks if t["type"] == "feed" and t["state"] == "lost"]
    assert [(t["lost"], t["reason"]) for t in lost] == [(1, "skipped")]


FACTS = [  # file, trades, size sum, price times size, first, last
    ("kraken-trades-bcheur-2023q1.csv", 486, "1035.24613227", "96225.1799270848", ("90.07", "1.1"), ("93.19", "0.44235389")),
    ("ccxt-trades-20230202.csv", 1000, "6567.968", "10947806.64309", ("1666.8", "26.062"), ("1667.3", "0.018")),
    ("tardis-csv/bitmex-trades-xbtusd.csv", 10, "2161", None, ("8531.5", None), None),
    ("lean-equity-tick-trade-aig-20131007.zip", 25351, "5300449", "259324756.67", ("49.18", "300"), ("48.79", "200")),
    ("lean-future-tick-trade-gc-20131007.zip", 40192, "53044", None, None, None),
    ("lobster-aapl-20120621-message50-0930-1030.csv", 6268, "533629", "312692129.61", None, None),
    ("dbn-v1-trades-esu4-20240701.dbn.zst", 120, "253", "1398845.5", ("5528.75", "2"), ("5529.25", "1")),
    ("dbn-v1-mbp1-esu4-20240701.dbn.zst", 120, "253", "1398845.5", ("5528.75", "2"), None),
    ("dbn-v1-mbo-esm4-20240508.dbn.zst", 5, "6", "31285.5", ("5214.25", "1"), ("5214.25", "2")),
]


@pytest.mark.skipif(not REAL, reason="TICKCAST_REAL_DATA is not set: no real tick files")
@pytest.mark.parametrize("name,count,size,product,first,last", FACTS, ids=[f[0] for f in FACTS])
def test_real_files(name, count, size, product, first, last):
    ticks, seen = play(os.path.join(REAL, name))
    got = sums(ticks)
    assert got[0] == count and got[1] == Decimal(size)
    assert product is None or got[2] == Decimal(product)
    trades = [t for t in ticks if t["type"] == "trade"]
    for want, tick in ((first, trades[0]), (last, trades[-1])):
        if want:
            assert tick["price"] == Decimal(want[0]) and (want[1] is None or tick["size"] == Decimal(want[1]))
    assert not any(m["type"] == "gap" for m in seen)


@pytest.mark.skipif(not REAL, reason="TICKCAST_REAL_DATA is not set: no real tick files")
def test_real_quotes():
    quotes = [t for t in play(os.path.join(REAL, "lean-equity-tick-quote-ibm-20131007.zip"))[0] if t["type"] == "quote"]
    assert len(quotes) == 109067
    huobi = [t for t in play(os.path.join(REAL, "tardis-csv/huobi-dm-swap-quotes-btc-usd.csv"))[0] if t["type"] == "quote"]
    assert len(huobi) == 10 and sum(t["bid_size"] for t in huobi) == 8302
    assert (huobi[0]["ask_size"], huobi[0]["ask"], huobi[0]["bid"], huobi[0]["bid_size"]) == (5494, Decimal("8629.3"), Decimal("8629.2"), 806)
    esu4 = [t for t in play(os.path.join(REAL, "dbn-v1-mbp1-esu4-20240701.dbn.zst"))[0] if t["type"] == "quote"]
    assert len(esu4) == 2168 and (esu4[-1]["bid"], esu4[-1]["bid_size"], esu4[-1]["ask"], esu4[-1]["ask_size"]) == \
        (5529, 24, Decimal("5529.25"), 6)


def stalled_replay(tmp_path, io, policy):
    """A long file at full speed, one who does not read and one who does."""
    path = tmp_path / "long.csv"
    path.write_text("ts,symbol,price,size\n" + "".join(f"{i},S,1.{i % 1000:03},{i}\n" for i in range(1, 60001)))
    s = Server("--speed", "max", "--wait", "2", "--at-end", "stay", "--log-capacity", "4096", "--stall-bound", "2",
               "--close-timeout", "60", "--workers", "1", command="replay", io=io, files=[str(path)])
    stuck = s.client(f"/v1/ws?symbols=*&policy={policy}", rcvbuf=4096)
    reader = s.client("/v1/ws?symbols=*&policy=complete&snapshot=0")
    return s, stuck, reader


def the_reader_has_everything(reader):
    seen = reader.until(lambda m: any(t.get("state") == "ended" for t in ticks_of([m])))
    assert sums(ticks_of(seen))[0] == 60000 and not any(m["type"] == "gap" for m in seen), "the one that reads has everything"


def test_decision_17_who_stalls_a_replay_is_closed(tmp_path, io):
    s, stuck, reader = stalled_replay(tmp_path, io, "complete")
    with s:
        the_reader_has_everything(reader)
        metrics = s.metrics()
        assert metrics["closed_slow_total"] == 1 and metrics["let_go_total"] == 1 and metrics["lapped_total"] == 0
        had = []
        with pytest.raises(Closed) as closed:  # what it had before, and then why there is no more
            while True:
                had.append(stuck.next())
        assert (closed.value.code, closed.value.reason) == (4000, "stalled")
        assert 0 < sums(ticks_of(had))[0] < 60000 and not any(m["type"] == "gap" for m in had)
        stuck.close()
        reader.close()


def test_decision_17_who_stalls_a_replay_and_conflates_is_let_go(tmp_path, io):
    s, stuck, reader = stalled_replay(tmp_path, io, "conflate")
    with s:
        the_reader_has_everything(reader)
        metrics = s.metrics()
        assert metrics["closed_slow_total"] == 0 and metrics["let_go_total"] == 1 and metrics["lapped_total"] == 0
        gap = stuck.until_type("gap")
        assert gap["reason"] == "overrun"
        last = stuck.until_type("snapshot")
        assert last["since"] == gap["from"] and [t["size"] for t in last["ticks"]] == [60000]
        stuck.send(op="ping", id=1)
        assert stuck.until_type("pong")["id"] == 1
        stuck.close()
        reader.close()


def test_decision_17_quiet_and_unsubscribed_connections_hold_nobody(tmp_path, io):
    path = tmp_path / "long.csv"
    path.write_text("ts,symbol,price,size\n" + "".join(f"{i},S,1.5,{i}\n" for i in range(1, 30001)))
    with Server("--speed", "max", "--wait", "3", "--at-end", "exit", "--log-capacity", "1024", "--stall-bound", "3600", "--close-timeout", "1",
                command="replay", io=io, files=[str(path)]) as s:
        nothing = s.client("/v1/ws")  # not counted by --wait, and never subscribed
        quiet = s.client("/v1/ws?symbols=OTHER&policy=complete", rcvbuf=4096)
        dropper = s.client("/v1/ws?symbols=S&policy=latest", rcvbuf=4096)  # who skips holds nobody either
        dropper_last = dropper.until_type("subscribed")
        assert dropper_last["policy"] == "latest"
        reader = s.client("/v1/ws?symbols=*&policy=complete&since=oldest")  # the third: before it, nothing begins
        seen = []
        with pytest.raises(Closed) as closed:
            while True:
                seen.append(reader.next())
        assert closed.value.code == 1000 and sums(ticks_of(seen))[0] > 0
        for c in (nothing, quiet):
            had = []
            with pytest.raises(Closed) as closed:
                while True:
                    had.append(c.next())
            assert closed.value.code == 1000
            assert any(t.get("state") == "ended" for t in ticks_of(had)) == (c is quiet), "ended is everybody's who subscribed"
            assert not any(m["type"] == "gap" for m in had), "nothing was lost that was for it"
            c.close()
        dropper.close()
        reader.close()
        assert s.process.wait(30) == 0


def test_decision_17_a_rated_subscriber_has_all_before_the_exit(tmp_path, io):
    path = tmp_path / "short.csv"
    path.write_text("ts,symbol,price,size\n" + "".join(f"{i},S,1.5,{i}\n" for i in range(1, 501)))
    ticks, seen = play(path, io=io, query="symbols=*&snapshot=0&policy=complete&rate=0.1")
    assert sums(ticks)[0] == 500 and ticks[-1]["state"] == "ended"
    assert not any(m["type"] == "gap" for m in seen)
