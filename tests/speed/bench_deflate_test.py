"""bench/path/deflate.py on a machine of any size and load: 50 subscribers, one short round, every server, every column. What is
asserted holds at any speed: who packs, who keeps a window, what that makes of the bytes.

usage: bench_deflate_test.py PROGRAM   (tickcast_lines)
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from small_run import small_run

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "bench", "path", "deflate.py")
PROGRAM = sys.argv.pop(1)
CONNECTIONS = 50
SERVERS = ["tickcast", "ws", "ws, level 1, no takeover", "tickcast, plain", "ws, plain"]


def script(*words):
    return subprocess.run([sys.executable, SCRIPT, PROGRAM, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=200, check=False)


class Deflate(unittest.TestCase):
    def test_every_server_once(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "rows.json")
            done = small_run(lambda seconds: script("--connections", str(CONNECTIONS), "--rounds", "1", "--seconds", seconds, "--loads", "200",
                                                    "--json", out), "1", "4")
            if "cannot run here" in done.stderr:
                print(f"skipped: {done.stderr.strip()}")
                sys.exit(77)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(out, encoding="utf-8") as file:
                rows = {row["server"]: row for row in json.load(file)}
        self.assertEqual(list(rows), SERVERS)
        for name, row in rows.items():
            self.assertIn(f"| 200 | {name} | ", done.stdout)
            for column in ("delivered", "cpu", "ns_per_tick", "bytes_per_tick", "memory"):
                self.assertGreater(row[column], 0, (name, column))
            packs = "plain" not in name
            self.assertEqual(row["agreed"], CONNECTIONS if packs else 0, name)
            self.assertEqual(row["takeover"], CONNECTIONS if name == "ws" else 0, name)
            self.assertEqual(row["packed"] > 0, packs, name)
            plain = rows[("ws" if name.startswith("ws") else "tickcast") + ", plain"]
            if packs:
                self.assertLess(row["bytes_per_tick"], plain["bytes_per_tick"] / 3, name)
        self.assertLess(rows["ws"]["bytes_per_tick"], rows["ws, level 1, no takeover"]["bytes_per_tick"])

    def test_those_who_only_read(self):
        """Most unpack nothing: what went to them is the server's own count, and the others see that it is true."""
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "rows.json")
            done = small_run(lambda seconds: script("--connections", str(CONNECTIONS), "--drained", "40", "--rounds", "1", "--seconds", seconds,
                                                    "--loads", "400", "--servers", "tickcast; tickcast, plain", "--json", out), "1", "4")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(out, encoding="utf-8") as file:
                packed, plain = json.load(file)
        self.assertEqual((packed["agreed"], plain["agreed"]), (CONNECTIONS - 40, 0))
        self.assertGreater(packed["for_each_packed"], 1)
        self.assertEqual(plain["for_each_packed"], 0)
        for row in (packed, plain):
            self.assertGreater(row["delivered"], 400 * 10, "more than those who unpack could have got")
            self.assertGreater(row["clients"], 0)

    def test_wrong_calls_are_told(self):
        for words, says in ((("--servers", "nobody"), "there are: tickcast"), (("--connections", "0"), "of 1 or more"),
                            (("--connections", "5", "--drained", "5"), "fewer than --connections"),
                            (("--drained", "5"), "is for tickcast alone"),
                            (("--seconds", "0.3", "--loads", "100"), "takes 0.5 s")):
            done = script(*words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
