"""A side of a row over all its rounds: samples, processor time, ticks and sends added up; and what the difference of two sides is
made of."""
import statistics

import profile_record
import profile_samples as samples


def median(values):
    return statistics.median(values)


class Side:
    """parts: {name: Part}; ns(part, unit[, category]) is time of a part per "tick" or "send"."""

    def __init__(self, label, rounds):
        self.label, self.seconds, self.parts = label, 0.0, {}
        self.count = {"tick": 0.0, "send": 0.0}
        self.processors, self.each = {}, []
        self.p50 = statistics.median(seen["figures"].get("p50", 0.0) for seen in rounds)  # ms; 0: not measured
        for seen in rounds:
            figures, seconds = seen["figures"], seen["seconds"]
            ticks = figures["ticks"] * seconds
            per_send = figures.get("per_send") or figures.get("ticks_a_send")
            sends = ticks / per_send if per_send else seen["segments"]
            self.exact_sends = bool(per_send)
            self.seconds += seconds
            self.count["tick"] += ticks
            self.count["send"] += sends
            for number, spent in seen["processors"].items():
                into = self.processors.setdefault(number, {"idle": 0.0, "stolen": 0.0})
                for key, share in spent.items():
                    into[key] += share * seconds
            for name, part in seen["parts"].items():
                self.parts.setdefault(name, profile_record.Part()).merge(part)
            self.each.append({(name, unit): part.cpu / n * 1e9 if n else 0 for name, part in seen["parts"].items()
                              for unit, n in (("tick", ticks), ("send", sends))})

    def ns(self, part, unit, kind=None):
        part = self.parts[part]
        share = 1 if kind is None else part.shares.share(kind)
        return max(part.cpu, 1e-9) * share / max(self.count[unit], 1) * 1e9

    def spread(self, part, unit):
        values = [one[part, unit] for one in self.each]
        return min(values), max(values)

    def busy(self, part):
        """Share of one processor."""
        return max(self.parts[part].cpu, 1e-9) / self.seconds

    def of_processor(self, number, key):
        return self.processors.get(number, {}).get(key, 0.0) / self.seconds

    def others(self, number, *parts):
        """What everybody else took of a processor."""
        own = sum(self.busy(part) for part in parts if part in self.parts)
        return max(0.0, 1 - own - self.of_processor(number, "idle") - self.of_processor(number, "stolen"))

    def per_send(self):
        return self.count["tick"] / max(self.count["send"], 1e-9)

    def a_second(self, unit):
        return self.count[unit] / self.seconds


def sides(row, rounds):
    """[beside, own]"""
    return [Side(side.label, [r[side.label] for r in rounds]) for side in row.sides]


def difference(beside, own, part, unit):
    """[(category, ns more of own)], the largest first."""
    out = [(kind, own.ns(part, unit, kind) - beside.ns(part, unit, kind)) for kind in samples.CATEGORIES]
    return sorted(out, key=lambda pair: -abs(pair[1]))


def plain(seen):
    """For JSON."""
    parts = {name: {"user": part.user, "system": part.system, "sleeps": part.sleeps, "samples": part.shares.count,
                    "by": dict(part.shares.by), "own": dict(part.shares.own.most_common(40)), "threads": dict(part.shares.threads)}
             for name, part in seen["parts"].items()}
    return {**seen, "parts": parts}
