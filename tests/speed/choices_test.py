"""The table of choices: ratios are within a round, and a small run measures every kind of variant and writes the page.

usage: choices_test.py TICKCAST
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "bench", "path", "choices.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
import choices  # noqa: E402
from small_run import small_run  # noqa: E402

PROGRAM = sys.argv.pop() if len(sys.argv) == 2 else ""


def good(rounds):
    """The first that has figures: a port may be taken by somebody else between its choice and its use."""
    return next(r for r in rounds if "failed" not in r)


class Table(unittest.TestCase):
    def choice(self):
        return choices.Choice("x", "X", "", "rate", [choices.Variant(label, [], choices.CLOSED) for label in ("first", "second")])

    def test_ratio_within_a_round(self):
        rounds = {"first": [{"rate": 100.0}, {"rate": 50.0}, {"failed": "gone"}],
                  "second": [{"rate": 110.0}, {"rate": 100.0}, {"rate": 1.0}]}
        text = choices.table(self.choice(), rounds)
        self.assertIn("| second | 100 k/s (1 k/s to 110 k/s) | 1.55 (1.10 to 2.00) | 3 of 3 |", text)
        self.assertIn("| first | 75 k/s (50 k/s to 100 k/s) | 1.00 (1.00 to 1.00) | 2 of 3 |", text)

    def test_a_variant_without_a_figure_says_so(self):
        text = choices.table(self.choice(), {"first": [{"rate": 1.0}], "second": [{"failed": "gone"}]})
        self.assertIn("| second | no figure | no figure | 0 of 1 |", text)


@unittest.skipUnless(PROGRAM, "no program given")
class SmallRun(unittest.TestCase):
    def test_measures_and_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "choices.md")
            environment = {**os.environ, "ROUNDS": "2", "N": "20", "CHOICES": "workers spin spread", "OUT": out, "BUILD": folder}
            done = small_run(lambda seconds: subprocess.run([sys.executable, SCRIPT, PROGRAM], env={**environment, "SECONDS": seconds},
                                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                                                            check=False), "0.3", "2", "5")
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(out, encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(folder, "choices.json"), encoding="utf-8") as file:
                results = json.load(file)["results"]
        for choice in choices.ALL:
            self.assertEqual(f"## {choice.title}\n" in text, choice.name in results)
        self.assertGreater(good(results["workers"]["2 workers"])["rate"], 0)
        self.assertGreater(good(results["spin"]["50 us"])["p99"], 0)
        for rounds in results["spread"].values():
            self.assertLessEqual(good(rounds)["least"], good(rounds)["even"])
            self.assertGreaterEqual(good(rounds)["most"], good(rounds)["even"])

    def test_an_unknown_choice_is_named(self):
        done = subprocess.run([sys.executable, SCRIPT, PROGRAM], env={**os.environ, "CHOICES": "spin spun"},
                              stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no choice spun", done.stderr)


if __name__ == "__main__":
    unittest.main()
