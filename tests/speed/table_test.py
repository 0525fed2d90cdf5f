"""The performance table: what it says of rounds, verdicts and former lines; and, with programs, that a small run writes it.

usage: table_test.py [TICKCAST FLOOR]
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "bench", part) for part in ("", "path", "compare")]
import table_report  # noqa: E402
import table_rows  # noqa: E402

PROGRAMS = [sys.argv.pop() for _ in range(2)][::-1] if len(sys.argv) == 3 else None
SMALL_RUN = ["single", "batch64", "binary64", "rate500", "lists", "memory"]


class Settings:
    connections, seconds = 1000, 2

    def many(self, size):
        return int(self.connections * size)


def run_of(**changes):
    return {"begun": "2026-01-02 03:04", "load": 0.1, "machine": "2 x Some, Linux 6", "commit": "abc", "rounds": 3,
            "seconds": 2.0, "n": 1000, "pinned": True, "not_run": {}, **changes}


def single(*pairs):
    """Rounds of the row `single`: (tickcast, floor) in thousand ticks a second."""
    common = {"client": 0.5, "full": 0.0, "per_send": 1.0, "bytes": 100}
    return [{"tickcast": {"ticks": own * 1000, "user": 0.02, "wall": 0.02, **common}, "floor": {"ticks": other * 1000, **common}}
            for own, other in pairs]


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "table.md")

    def write(self, run, results):
        table_report.write(self.path, table_rows.ALL, Settings(), run, results)
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def line(self, text, title):
        return next((line for line in text.splitlines() if line.startswith(f"| {title} |")), None)

    def test_median_of_ratios_within_rounds(self):
        line = self.line(self.write(run_of(), {"single": single((96, 100), (300, 200), (98, 100))}), "single")
        self.assertIn("| 0.98 (0.96 to 1.50) | ≥ 0.95 | met | tickcast 98 k/s, 1.0 a send | floor 100 k/s, 1.0 a send |", line)
        self.assertIn("| 3 | 2026-01-02 03:04, abc, 2 s, load 0.1 |", line)

    def test_not_met(self):
        text = self.write(run_of(), {"single": single((94, 100))})
        self.assertIn("| 0.94 | ≥ 0.95 | **not met** |", self.line(text, "single"))

    def test_upper_bound(self):
        text = self.write(run_of(), {"memory": [{"tickcast": {"bytes_each": 257.0}}]})
        self.assertIn("| 257 B | ≤ 256 B | **not met** |", self.line(text, "memory"))

    def test_failed_rounds_are_told(self):
        text = self.write(run_of(), {"single": single((96, 100)) + [{"failed": "floor: gone"}],
                                     "burst16": [{"failed": "floor: late"}]})
        self.assertIn("| 1 of 2 |", self.line(text, "single"))
        self.assertIsNone(self.line(text, "burst16"))
        self.assertIn("burst16 has no figure this time: floor: late", text)

    def test_former_lines_stay_and_say_when(self):
        self.write(run_of(), {"single": single((96, 100)), "memory": [{"tickcast": {"bytes_each": 200.0}}]})
        text = self.write(run_of(begun="2027-01-01 00:00"), {"memory": [{"tickcast": {"bytes_each": 201.0}}]})
        self.assertIn("2026-01-02 03:04", self.line(text, "single"))
        self.assertIn("2026-01-02 03:04", self.line(text, "single user"))
        self.assertIn("2027-01-01 00:00", self.line(text, "memory"))
        self.assertEqual(text.count("\n| memory | idle"), 1)
        self.assertIn("floor --port P --clients 1000 --burst 1", text)

    def test_former_lines_of_another_machine_or_size_go(self):
        for change in ({"machine": "4 x Other, Linux 6"}, {"n": 500}):
            self.write(run_of(), {"single": single((96, 100))})
            text = self.write(run_of(**change), {"memory": [{"tickcast": {"bytes_each": 201.0}}]})
            self.assertIsNone(self.line(text, "single"))
            os.remove(self.path)


@unittest.skipUnless(PROGRAMS, "no programs given")
class SmallRun(unittest.TestCase):
    def test_measures_and_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "page", "table.md")
            environment = {**os.environ, "ROUNDS": "1", "SECONDS": "0.3", "N": "20", "ROWS": " ".join(SMALL_RUN), "OUT": out,
                           "BUILD": folder}
            done = subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "table.py"), *PROGRAMS], env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=150, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(out, encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(folder, "table.json"), encoding="utf-8") as file:
                kept = json.load(file)
        self.assertEqual(sorted(kept["results"]), sorted(SMALL_RUN))
        for name in SMALL_RUN:
            for line in next(row for row in table_rows.ALL if row.name == name).lines:
                self.assertIn(f"\n| {line.title} | ", text)
        self.assertGreater(kept["results"]["single"][0]["tickcast"]["ticks"], 0)
        self.assertGreater(kept["results"]["rate500"][0]["floor"]["p50"], 0)
        self.assertLess(kept["results"]["binary64"][0]["binary"]["bytes"], kept["results"]["binary64"][0]["JSON"]["bytes"])

    def test_an_unknown_row_is_named(self):
        done = subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "table.py"), *PROGRAMS], text=True,
                              env={**os.environ, "ROWS": "single tripel"}, stderr=subprocess.PIPE, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no row tripel", done.stderr)


if __name__ == "__main__":
    unittest.main()
