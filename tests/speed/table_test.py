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
import machine  # noqa: E402
import peers  # noqa: E402
import table_costs  # noqa: E402
import table_report  # noqa: E402
import table_rows  # noqa: E402
import table_sides  # noqa: E402
import table_words  # noqa: E402
from small_run import small_run  # noqa: E402

PROGRAMS = [sys.argv.pop() for _ in range(2)][::-1] if len(sys.argv) == 3 else None
SMALL_RUN = ["single", "batch64", "binary64", "rate500", "lists", "memory"]


class Settings:
    connections, seconds, server_cpu, client_cpu = 1000, 2, 0, 1
    program = os.path.join(ROOT, "build", "release", "tickcast")
    floor = os.path.join(ROOT, "build", "release", "bench", "floor")

    def many(self, size):
        return int(self.connections * size)


def run_of(**changes):
    return {"begun": "2026-01-02 03:04", "busy": 0.02, "machine": "2 x Some, Linux 6", "commit": "abc", "rounds": 3,
            "seconds": 2.0, "n": 1000, "pinned": True, "not_run": {}, "commands": COMMANDS, **changes}


COMMANDS = table_words.of_rows(table_rows.ALL, Settings())


def single(*pairs, **changes):
    """Rounds of the row `single`: (tickcast, floor) in thousand ticks a second."""
    common = {"client": 0.5, "full": 0.0, "per_send": 1.0, "bytes": 100, "cpu": 0.99, **changes}
    return [{"tickcast": {"ticks": own * 1000, "user": 0.02, "wall": 0.02, **common}, "floor": {"ticks": other * 1000, **common}}
            for own, other in pairs]


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "table.md")

    def write(self, run, results):
        table_report.write(self.path, table_rows.ALL, run, results)
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def line(self, text, title):
        return next((line for line in text.splitlines() if line.startswith(f"| {title} |")), None)

    def test_median_of_ratios_within_rounds(self):
        line = self.line(self.write(run_of(), {"single": single((96, 100), (300, 200), (98, 100))}), "single")
        self.assertIn("| 0.98 (0.96 to 1.50) | ≥ 0.95 | met | tickcast 98 k/s, 1.0 a send | floor 100 k/s, 1.0 a send |", line)
        self.assertIn("| 3 | 2026-01-02 03:04, abc, 2 s, busy 0.02 |", line)
        self.assertIn("| 99 / 99 % | 50 / 50 %; 0.0 / 0.0 % |", line)

    def test_not_met(self):
        text = self.write(run_of(), {"single": single((94, 100))})
        self.assertIn("| 0.94 | ≥ 0.95 | **not met** |", self.line(text, "single"))

    def test_a_full_load_is_in_the_verdict_where_the_server_is_not_full(self):
        for cpu, client, pair, verdict in ((0.85, 0.95, (96, 100), "met, client full"), (0.85, 0.95, (94, 100), "**not met**, client full"),
                                           (0.95, 0.95, (96, 100), "met"), (0.85, 0.85, (96, 100), "met")):
            text = self.write(run_of(), {"single": single(pair, cpu=cpu, client=client)})
            self.assertIn(f"| ≥ 0.95 | {verdict} |", self.line(text, "single"))

    def test_a_full_load_of_the_other_side_does_not_touch_a_line_of_ones_own(self):
        rounds = single((96, 100))
        rounds[0]["floor"].update(cpu=0.8, client=0.95)
        text = self.write(run_of(), {"single": rounds})
        self.assertIn("| met, client full |", self.line(text, "single"))
        self.assertIn("| met |", self.line(text, "single user"))

    def test_an_earlier_run_without_the_servers_share_is_printed(self):
        rounds = single((96, 100), client=0.95)
        for side in rounds[0].values():
            del side["cpu"]
        run = run_of(load=1.5)
        del run["busy"], run["commands"]
        text = self.write(run, {"single": rounds})
        self.assertIn("| met |", self.line(text, "single"))
        self.assertIn("abc, 2 s, load 1.5 |", self.line(text, "single"))
        self.assertIn(table_words.NOT_KEPT, text)

    def test_upper_bound(self):
        text = self.write(run_of(), {"memory": [{"tickcast": {"bytes_each": 257.0}}]})
        self.assertIn("| 257 B | ≤ 256 B | **not met** |", self.line(text, "memory"))

    def test_failed_rounds_are_told(self):
        text = self.write(run_of(), {"single": single((96, 100)) + [{"failed": "floor: gone"}],
                                     "burst16": [{"failed": "floor: late"}]})
        self.assertIn("| 1 of 2 |", self.line(text, "single"))
        self.assertIn("| none: floor: late | ≥ 0.95 | no figure |  |  |  |  | 0 of 1 |", self.line(text, "burst16"))

    def test_a_row_that_was_not_run_is_told(self):
        text = self.write(run_of(not_run={"memory": "too few files"}), {"single": single((96, 100))})
        self.assertIn("\nmemory was not run this time: too few files\n", text)

    def test_former_lines_stay_and_say_when(self):
        self.write(run_of(), {"single": single((96, 100)), "memory": [{"tickcast": {"bytes_each": 200.0}}]})
        text = self.write(run_of(begun="2027-01-01 00:00", seconds=3.0, commands={"memory": {"tickcast": ["serve that", "--duration 3"]}}),
                          {"memory": [{"tickcast": {"bytes_each": 201.0}}]})
        self.assertIn("2026-01-02 03:04", self.line(text, "single"))
        self.assertIn("2026-01-02 03:04", self.line(text, "single user"))
        self.assertIn("2027-01-01 00:00", self.line(text, "memory"))
        self.assertEqual(text.count("\n| memory | idle"), 1)
        self.assertIn("`taskset -c 0 build/release/bench/floor --port P --clients 1000 --burst 1`; load: `taskset -c 1 build/release/tickcast "
                      "bench --json=- --any --url ws://127.0.0.1:P/ --connections 1000 --duration 2 --warmup 0.5`", text)
        self.assertIn("\n`make bench-table ROWS=single SECONDS=2 ROUNDS=3 N=1000`\n", text)
        self.assertIn("\n`make bench-table ROWS=memory SECONDS=3 ROUNDS=3 N=1000`\n\n- tickcast: `serve that`; load: `--duration 3`\n", text)
        self.assertEqual(text.count("\n### single\n"), 1)

    def test_lines_of_a_page_that_had_no_column_for_the_server_stay(self):
        text = self.write(run_of(), {"single": single((96, 100))}).replace(" | 99 / 99 %", "").split("\n## ")[0]
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        text = self.write(run_of(), {"memory": [{"tickcast": {"bytes_each": 201.0}}]})
        self.assertIn("1.0 a send |  | 50 / 50 %; 0.0 / 0.0 % |", self.line(text, "single"))
        self.assertIn(f"### single\n\n{table_words.NOT_KEPT}\n", text)

    def test_former_lines_of_another_machine_or_size_go(self):
        for change in ({"machine": "4 x Other, Linux 6"}, {"n": 500}):
            self.write(run_of(), {"single": single((96, 100))})
            text = self.write(run_of(**change), {"memory": [{"tickcast": {"bytes_each": 201.0}}]})
            self.assertIsNone(self.line(text, "single"))
            os.remove(self.path)


class Commands(unittest.TestCase):
    def test_every_command_is_pinned(self):
        for name, sides in COMMANDS.items():
            for label, (server, load) in sides.items():
                self.assertTrue(server.startswith("taskset -c 0 "), f"{name}, {label}: {server}")
                self.assertTrue(load.startswith("taskset -c 1 ") or " -c 1 -C 0 " in load, f"{name}, {label}: {load}")
                self.assertNotIn(ROOT, server + load)

    def test_lines_show_the_load_that_is_run(self):
        server, load = COMMANDS["bun-lines64"]["tickcast"]
        self.assertIn("serve --listen 127.0.0.1:P --feed 'lines:?port=Q' --workers 1", server)
        self.assertIn("build/compare/load -p P -u '/v1/ws?symbols=*&snapshot=0&policy=conflate&frame=tick' -w lines -P Q -n 1000", load)
        self.assertTrue(load.endswith(" -I PID -c 1 -C 0 -d 2 -W 1 -B 64 -y 1024"), load)

    def test_lists_show_port_duration_and_policy(self):
        server, load = COMMANDS["lists"]["as many lists"]
        self.assertIn("--listen 127.0.0.1:P", server)
        self.assertIn("--url ws://127.0.0.1:P/v1/ws --duration 4 --connections 1000 --policy conflate --lists 1000", load)

    def test_memory_ends_at_15_000_connections(self):
        self.assertEqual(table_costs.Memory().counts(Settings()), (4000, 11000))
        self.assertIn("--connections 11000", COMMANDS["memory"]["tickcast"][1])


class Delivered(unittest.TestCase):
    GOOD = {"lost": 0, "duplicated": 0, "closed": 0, "stalls": 0, "ticks": 2 * 250 * 1000, "seconds": 2.0, "connections": 1000}

    def said(self, load=None, **changes):
        return table_sides.undelivered({**self.GOOD, **changes}, load or {"kind": "rate", "rate": 250})

    def test_all_of_it(self):
        self.assertIsNone(self.said())
        self.assertIsNone(self.said(ticks=0.98 * 500000))  # under way at the end
        self.assertIsNone(self.said(load={"kind": "closed", "burst": 1}, ticks=7))

    def test_less_has_no_figure(self):
        self.assertEqual(self.said(lost=3), "3 ticks were lost")
        self.assertEqual(self.said(ticks=0.9 * 500000), "90.0 % of what was published was delivered")
        for key in ("duplicated", "closed", "stalls"):
            self.assertIn("7 ", self.said(load={"kind": "closed", "burst": 1}, **{key: 7}))

    def test_a_peer_that_lost_fails_the_round(self):
        import run as compare
        former, compare.measure = compare.measure, lambda *_: {**self.GOOD, "lost": 5}
        self.addCleanup(setattr, compare, "measure", former)

        class Here(peers.Tickcast):
            def absent(self):
                return None

        settings = Settings()
        settings.watch = None
        with self.assertRaisesRegex(table_sides.Failed, "^5 ticks were lost$"):
            table_sides.Peer(Here, rate=250).measure(settings)


class Quiet(unittest.TestCase):
    def wait(self, most, *busy):
        seen, former = list(busy), machine.busy_processors
        self.addCleanup(setattr, machine, "busy_processors", former)
        machine.busy_processors = lambda _: seen.pop(0)
        return machine.wait_quiet("test", most), seen

    def test_waits_until_it_is(self):
        self.assertEqual(self.wait(100, 1.5, 0.4, 0.02, 9), (0.02, [9]))

    def test_goes_on_after_the_most(self):
        self.assertEqual(self.wait(0, 1.5, 0.4), (1.5, [0.4]))


@unittest.skipUnless(PROGRAMS, "no programs given")
class SmallRun(unittest.TestCase):
    def test_measures_and_writes(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "page", "table.md")
            environment = {**os.environ, "ROUNDS": "1", "N": "20", "ROWS": " ".join(SMALL_RUN), "OUT": out, "BUILD": folder, "WAIT": "0"}
            done = small_run(lambda seconds: subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "table.py"), *PROGRAMS],
                                                            env={**environment, "SECONDS": seconds}, stdout=subprocess.PIPE,
                                                            stderr=subprocess.STDOUT, text=True, timeout=300, check=False),
                             "0.3", "2", "5")
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(out, encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(folder, "table.json"), encoding="utf-8") as file:
                kept = json.load(file)
            again = os.path.join(folder, "again.md")
            environment.update(FROM=os.path.join(folder, "table.json"), OUT=again)
            subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "table.py"), *PROGRAMS], env=environment, timeout=20,
                           stdout=subprocess.DEVNULL, check=True)
            with open(again, encoding="utf-8") as file:
                self.assertEqual(file.read(), text)
        self.assertEqual(sorted(kept["results"]), sorted(SMALL_RUN))
        for name in SMALL_RUN:
            for line in next(row for row in table_rows.ALL if row.name == name).lines:
                self.assertIn(f"\n| {line.title} | ", text)
        self.assertGreater(kept["results"]["single"][0]["tickcast"]["ticks"], 0)
        self.assertGreater(kept["results"]["rate500"][0]["floor"]["p50"], 0)
        for side in kept["results"]["single"][0].values():
            self.assertGreater(side["cpu"], 0)
            self.assertLess(side["cpu"], 1.1)
        self.assertLess(kept["results"]["binary64"][0]["binary"]["bytes"], kept["results"]["binary64"][0]["JSON"]["bytes"])

    def test_an_unknown_row_is_named(self):
        done = subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "table.py"), *PROGRAMS], text=True,
                              env={**os.environ, "ROWS": "single tripel"}, stderr=subprocess.PIPE, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no row tripel", done.stderr)


if __name__ == "__main__":
    unittest.main()
