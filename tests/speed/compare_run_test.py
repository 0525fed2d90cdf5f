"""`make compare` from end to end, as short as it can be: tickcast alone, ten subscribers. That each load has a figure, and that the
report says what was run; no speed is asserted.

usage: compare_run_test.py TICKCAST_LINES
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(sys.argv.pop())
sys.path[:0] = [os.path.join(ROOT, "bench", part) for part in ("", "compare")]
import run as compare  # noqa: E402
from small_run import small_run  # noqa: E402

LOADS = ("idle", "closed, 1 a burst", "closed, 16 a burst", "250 ticks/s", "500 ticks/s", "250 ticks/s, 1 % stuck")


def run(folder, **settings):
    environment = {**os.environ, "PEERS": "tickcast", "N": "10", "SECONDS": "0.5", "ROUNDS": "1", "IDLE": "40", "OUT": folder,
                   "COMPARE_BUILD": folder, "TICKCAST_LINES": PROGRAM, **settings}
    return subprocess.run([sys.executable, os.path.join(ROOT, "bench", "compare", "run.py")], env=environment, timeout=240,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


class NoServer:
    cpu = None

    def start(self, load):
        pass

    def stop(self):
        pass

    def pids(self):
        return []

    def client_arguments(self):
        return []


class Watched(unittest.TestCase):
    def test_who_watches_and_fails_leaves_no_load_behind(self):
        seen = []

        def watch(_pids, load, _connections, _warmup):
            seen.append(load)
            raise KeyError("no figures")

        with tempfile.TemporaryDirectory() as folder:
            client = os.path.join(folder, "load")
            with open(client, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\nexec sleep 60\n")
            os.chmod(client, 0o755)
            with unittest.mock.patch.object(compare, "CLIENT", client), self.assertRaises(KeyError):
                compare.measure(NoServer(), {"kind": "closed", "connections": 1, "stuck": 0}, 1, None, watch)
        with self.assertRaises(ProcessLookupError):
            os.kill(seen[0], 0)


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickcast-compare-test-")

    def tearDown(self):
        self.folder.cleanup()

    def read(self, name):
        with open(os.path.join(self.folder.name, name), encoding="utf-8") as file:
            return file.read()

    def test_every_load_has_a_figure(self):
        done = small_run(lambda seconds: run(self.folder.name, SECONDS=seconds), "0.5", "3", whole=lambda done: " 0.0 k/s" not in done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        results = json.loads(self.read("results.json"))["results"]
        self.assertEqual([r["load"] for r in results], list(LOADS), done.stdout)
        for r in results:
            self.assertNotIn("failed", r)
            if r["load"] == "idle":
                self.assertEqual((r["connections"], r["first"]), (40, 10))
                self.assertGreaterEqual(r["rss_connected"], r["rss_first"])
                continue
            self.assertGreater(r["ticks"], 0, r)
            self.assertEqual((r["lost"], r["duplicated"]), (0, 0), r)
        report = self.read("compare.md")
        for word in ("from 10 to 40 subscribers", "1 tick a burst, 8 bursts under way: a send may carry up to 8", "up to 128",
                     "1 stuck readers among 10", "| tickcast |"):
            self.assertIn(word, report)
        self.assertTrue(self.read("compare-burst-16.svg").startswith("<svg"))

    def test_wrong_settings_are_said(self):
        for settings, says in (({"N": "3"}, "N >= 10"), ({"PEERS": "nobody"}, "no peer nobody")):
            done = run(self.folder.name, **settings)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
