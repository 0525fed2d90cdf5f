"""Decoder of tickcast.v1.bin, written from docs/protocol-binary.md alone: each message becomes the object that the JSON subprotocol
sends, with Decimal for numbers that are not whole. Definitions come as {"type": "symbols"} and, inside frames, are taken out of
`ticks` and counted in "definitions"."""
import json, struct
from decimal import Decimal

POLICIES = ("conflate", "complete", "latest", "close")
FRAMES = ("batch", "tick")
KINDS = {1: "trade", 2: "quote", 3: "bar", 4: "book", 5: "status", 6: "feed", 7: "symbol"}
INTERVALS = "1s 5s 10s 15s 30s 1m 2m 3m 5m 10m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w 1M".split()
STATES = (None, "trading", "halted", "paused", "quoting", "pre_open", "open", "closed", "auction")
FEED_STATES = (None, "started", "ended", "stalled", "failed", "lost", "looped", "seeked", "restarted", "resumed")
FEED_REASONS = (None, "ring", "line", "symbols", "skipped", "upstream")
GAP_REASONS = (None, "overrun", "policy", "resume")
UNKNOWN = 2**64 - 1


def rate(interval_ns):
    """The shortest decimal that means this interval, as the JSON tells it."""
    if interval_ns == 0:
        return 0
    for decimals in range(10):
        text = f"{1e9 / interval_ns:.{decimals}f}"
        if float(text) > 0 and int(1e9 / float(text) + 0.5) == interval_ns:
            break
    return Decimal(text) if decimals else int(text)


class Decoder:
    """One a connection: it keeps the symbols that were defined."""

    def __init__(self):
        self.names = {}

    def message(self, data):
        kind, flags, count = struct.unpack_from("<BBH", data)
        read = {1: self.hello, 2: self.set, 3: self.set, 4: self.symbols, 5: self.snapshot, 6: self.ticks, 7: self.tick, 8: self.covered,
                9: self.gap, 10: self.lag, 11: self.heartbeat, 12: self.pong, 13: self.error, 14: self.drain}[kind]
        return read(data, kind, flags, count)

    def hello(self, data, kind, flags, count):
        version, size, epoch, seq = struct.unpack_from("<HHQQ", data, 4)
        assert len(data) == 24 + size
        return {"type": "hello", "version": version, "server": data[24:].decode(), "epoch": f"{epoch:016x}", "seq": seq}

    def set(self, data, kind, flags, count):
        policy, frame, rules, seq, rate_ns, id_size = struct.unpack_from("<BBIQQB", data, 2)
        at = 25 + id_size
        sets = {}
        for _ in range(rules):
            kinds, size = data[at], data[at + 1]
            sets.setdefault(kinds, []).append(data[at + 2:at + 2 + size].decode())
            at += 2 + size
        assert at == len(data)
        named = {k: [KINDS[b] for b in range(1, 6) if k >> b & 1] for k in sets}
        union = [KINDS[b] for b in range(1, 6) if any(k >> b & 1 for k in sets)]
        m = {"type": "subscribed" if kind == 2 else "unsubscribed", "symbols": list(dict.fromkeys(p for ps in sets.values() for p in ps)),
             "kinds": union, "rules": [{"symbols": ps, "kinds": named[k]} for k, ps in sets.items()], "policy": POLICIES[policy],
             "rate": rate(rate_ns), "frame": FRAMES[frame], "seq": seq}
        return self.with_id(m, data[25:25 + id_size])

    @staticmethod
    def with_id(m, text):
        if text:
            m["id"] = json.loads(text, parse_float=Decimal)
        return m

    def symbols(self, data, kind, flags, count):
        records, at = self.records(data, 8, count, lambda back: 0, seq_before=False)
        assert at == len(data) and all(r["type"] == "symbol" for r in records)
        return {"type": "symbols", "count": count, "more": bool(flags & 1), "symbols": [r["symbol"] for r in records]}

    def snapshot(self, data, kind, flags, count):
        seq, since = struct.unpack_from("<QQ", data, 8)
        records, at = self.records(data, 24, count, None, seq_before=True)
        assert at == len(data)
        m = {"type": "snapshot", "seq": seq, "ticks": records}
        if flags & 2:
            m["since"] = since
        if flags & 1:
            m["more"] = True
        return m

    def ticks(self, data, kind, flags, count):
        conflated, first, to = struct.unpack_from("<IQQ", data, 4)
        records, at = self.records(data, 24, count, lambda back: to - back, seq_before=False)
        assert at == len(data)
        m = {"type": "ticks", "from": first, "to": to, "ticks": [r for r in records if r["type"] != "symbol"]}
        if conflated:
            m["conflated"] = conflated
        defined = [r["symbol"] for r in records if r["type"] == "symbol"]
        if defined:
            m["definitions"] = defined
        return m

    def tick(self, data, kind, flags, count):
        seq, = struct.unpack_from("<Q", data, 8)
        (record,), at = self.records(data, 16, count, lambda back: seq - back, seq_before=False)
        assert at == len(data)
        return record

    def covered(self, data, kind, flags, count):
        conflated, first, to = struct.unpack("<IQQ", data[4:])
        m = {"type": "covered", "from": first, "to": to}
        if conflated:
            m["conflated"] = conflated
        return m

    def gap(self, data, kind, flags, count):
        first, to, epoch, seq = struct.unpack("<QQQQ", data[8:])
        m = {"type": "gap", "from": first, "to": to, "reason": GAP_REASONS[data[2]]}
        if flags & 1:
            m.update(epoch=f"{epoch:016x}", seq=seq)
        return m

    def lag(self, data, kind, flags, count):
        behind, ms = struct.unpack("<QQ", data[8:])
        return {"type": "lag", "behind": behind, "ms": ms, "policy": POLICIES[data[2]]}

    def heartbeat(self, data, kind, flags, count):
        seq, ts = struct.unpack("<QQ", data[8:])
        m = {"type": "heartbeat", "seq": seq, "ts": ts}
        if flags & 1:
            m["stalled"] = True
        return m

    def pong(self, data, kind, flags, count):
        ts, = struct.unpack_from("<Q", data, 8)
        assert len(data) == 16 + data[2]
        return self.with_id({"type": "pong", "ts": ts}, data[16:])

    def error(self, data, kind, flags, count):
        id_size, code_size, size = data[2], data[3], struct.unpack_from("<H", data, 4)[0]
        assert len(data) == 8 + id_size + code_size + size
        at = 8 + id_size
        m = {"type": "error", "code": data[at:at + code_size].decode(), "message": data[at + code_size:].decode()}
        return self.with_id(m, data[8:at])

    def drain(self, data, kind, flags, count):
        after, = struct.unpack("<Q", data[8:])
        return {"type": "drain", "reconnect_after_ms": after}

    # ---- records

    def records(self, data, at, count, seq_of, seq_before):
        found = []
        for _ in range(count):
            seq = None
            if seq_before:
                seq, = struct.unpack_from("<Q", data, at)
                at += 8
            size = (data[at] >> 4) * 8
            assert size >= 16 and at + size <= len(data) and (at - (8 if seq_before else 0)) % 8 == 0
            record = self.record(data[at:at + size])
            record["seq"] = seq if seq_before else seq_of(record.pop("back"))
            record.pop("back", None)
            found.append(record)
            at += size
        return found, at

    def record(self, r):
        kind = KINDS[r[0] & 15]
        flags, price, size = r[1], r[2], r[3]
        symbol, back = struct.unpack_from("<HH", r, 4)
        if kind == "symbol":
            self.names[symbol] = r[8:].rstrip(b"\0").decode()
            return {"type": "symbol", "symbol": self.names[symbol], "id": symbol, "back": back}
        words = struct.unpack(f"<{len(r) // 8 - 1}q", r[8:])
        m = {"type": kind, "ts": words[0], "back": back}
        if kind == "feed":
            return self.feed(m, r, flags, price, size)
        m["symbol"] = self.names[symbol]
        d = lambda n, decimals: Decimal(n).scaleb(-decimals) if decimals else n
        if kind == "trade":
            m.update(price=d(words[1], price), size=d(words[2], size))
            if flags & 3:
                m["side"] = "buy" if flags & 1 else "sell"
            if len(words) > 3:
                m["id"] = words[3] & UNKNOWN
        elif kind == "quote":
            m.update(bid=None if flags & 1 else d(words[1], price), bid_size=0 if flags & 1 else d(words[2], size),
                     ask=None if flags & 2 else d(words[3], price), ask_size=0 if flags & 2 else d(words[4], size))
        elif kind == "bar":
            m.update(interval=INTERVALS[flags >> 1 & 63], final=bool(flags & 1), volume=d(words[5], size),
                     **{k: d(words[1 + i], price) for i, k in enumerate(("open", "high", "low", "close"))})
        elif kind == "book":
            m.update(side="ask" if flags & 1 else "bid", price=d(words[1], price), size=d(words[2], size))
        else:
            m["state"] = STATES[flags]
        return m

    @staticmethod
    def feed(m, r, flags, state, reason):
        m.update(feed=r[24:40].rstrip(b"\0").decode(), state=FEED_STATES[state])
        if m["state"] == "lost":
            lost, = struct.unpack_from("<Q", r, 16)
            m["lost"] = None if lost == UNKNOWN else lost
        if reason:
            m["reason"] = FEED_REASONS[reason]
        if flags & 1:
            m["reset"] = True
        return m
