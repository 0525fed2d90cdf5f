"""The profiles: which category a sample belongs to, what a difference is made of, which sections stay; and, where perf works, that a
small run writes the page.

usage: profile_test.py [TICKCAST FLOOR]
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "bench", part) for part in ("", "path", "compare")]
import profile as script  # noqa: E402
import profile_record  # noqa: E402
import profile_report  # noqa: E402
import profile_samples as samples  # noqa: E402
import profile_sum  # noqa: E402
import table_rows  # noqa: E402
from small_run import small_run  # noqa: E402

PROGRAMS = [sys.argv.pop() for _ in range(2)][::-1] if len(sys.argv) == 3 else None
DATA = os.path.join(HERE, "data", "perf_script.txt")


def kept():
    """[(category that it is said to be in, the lines of a sample)]."""
    with open(DATA, encoding="utf-8") as file:
        blocks = [block.splitlines() for block in file.read().split("\n\n")[1:]]
    return [(block[0][2:], block[1:]) for block in blocks]


def sample(*symbols, dso="[kernel.kallsyms]", comm="worker 0"):
    out = samples.Sample(comm, 1, 2, 500000)
    out.frames = [(name, dso) for name in symbols] + [("main", "/usr/tickcast")]
    return out


class Categories(unittest.TestCase):
    def test_kept_samples(self):
        for wanted, lines in kept():
            found = list(samples.parse(lines))
            self.assertEqual(len(found), 1, lines)
            self.assertEqual(samples.category(found[0]), wanted, "\n".join(lines))
        self.assertEqual({wanted for wanted, _ in kept()}, set(samples.CATEGORIES))

    def test_parse_reads_all_of_them(self):
        with open(DATA, encoding="utf-8") as file:
            found = list(samples.parse(file))
        self.assertEqual(len(found), len(kept()))
        self.assertEqual((found[0].comm, found[0].pid, found[0].tid, found[0].ns), ("worker 0", 16045, 16047, 500250))

    def test_the_innermost_telling_function_decides(self):
        send = ("tcp_sendmsg_locked", "tcp_sendmsg", "io_send", "io_submit_sqes", "do_syscall_64")
        below = ("tcp_v4_rcv", "net_rx_action", "__do_softirq", *send)
        for wanted, symbols in ((samples.SEND, send), (samples.COPY, ("_copy_from_iter", *send)), (samples.SOFTIRQ, below),
                                (samples.SOFTIRQ, ("__ip_queue_xmit", "tcp_send_ack", *below)),  # an ACK of the receiver
                                (samples.WAKE, ("try_to_wake_up", "ep_poll_callback", "sock_def_readable", *below)),
                                (samples.URING, ("io_submit_sqes", "do_syscall_64")), (samples.KERNEL, ("do_syscall_64",)),
                                (samples.RECEIVE, ("kfree", "tcp_recvmsg_locked", "io_recv", "io_cqring_wait")),
                                (samples.WAKE, ("finish_task_switch", "schedule", "io_cqring_wait", "do_syscall_64"))):
            self.assertEqual(samples.category(sample(*symbols)), wanted, symbols)

    def test_the_program(self):
        self.assertEqual(samples.category(sample("__memmove_avx512_unaligned_erms", dso="/usr/libc.so.6")), samples.COPY)
        for name, dso, shown in (("render", "/usr/tickcast", "render"), ("__memcmp_evex", "/usr/libc.so.6", "__memcmp_evex (libc.so.6)"),
                                 ("[unknown]", "/usr/bun", "bun, no name"), ("[unknown]", "//anon", "code made at run time")):
            one = sample(name, dso=dso)
            self.assertEqual((samples.category(one), samples.own_name(one)), (samples.OWN, shown))

    def test_suffixes_of_the_compiler_are_no_names(self):
        lines = ["a 1/2 500:", "\t 1f run.lto_priv.2 (/usr/tickcast)", "", "a 1/2 500:", "\t 1f take.isra.0.cold (/usr/tickcast)"]
        self.assertEqual([one.frames[0][0] for one in samples.parse(lines)], ["run", "take"])


def seen(ticks, server_s, load_s, own_share=0.5, per_send=1.0):
    """A side's second: so many ticks a second, so many seconds of processor."""
    parts = {"server": profile_record.Part(), "load": profile_record.Part()}
    for name, spent in (("server", server_s), ("load", load_s)):
        parts[name].add_times((spent / 4, spent * 3 / 4, 10), (0, 0, 0))
        for number in range(100):
            inner = ("render",) if number < own_share * 100 else ("tcp_sendmsg",)
            parts[name].shares.add(sample(*inner, dso="/usr/tickcast" if inner == ("render",) else "[kernel.kallsyms]"))
    figures = {"ticks": ticks, "per_send": per_send, "client": load_s, "user": 0.1}
    return {"seconds": 1.0, "segments": 7, "processors": {0: {"idle": 0.1, "stolen": 0.0}}, "parts": parts, "figures": figures}


class Settings:
    connections, seconds, server_cpu, client_cpu = 1000, 2, 0, 1

    def many(self, size):
        return int(self.connections * size)


def run_of(**changes):
    return {"begun": "2026-01-02 03:04", "busy": 0.1, "machine": "2 x Some, Linux 6", "commit": "abc", "rounds": 1, "seconds": 2.0,
            "n": 1000, "pinned": True, "congestion": "cubic", **changes}


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "profiles.md")
        self.round = {"floor": seen(1e6, 0.8, 0.9, 0.1), "tickcast": seen(8e5, 0.8, 0.8, 0.5)}

    def write(self, run, results):
        profile_report.write(self.path, table_rows.ALL, Settings(), run, results, os.path.join(self.folder.name, "no table"))
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_times_are_shares_of_the_accounted_time(self):
        text = self.write(run_of(), {"single": [self.round]})
        # 800 ns a tick beside 1000: 80 and 500 of them are the program's own
        self.assertIn("Server, ns a tick: floor 800.0, tickcast 1000.0: +200.0 = the program's own functions +420.0, "
                      "TCP send path −220.0, copying 0.0, the rest 0.0\n", text)
        self.assertIn("0.80 times the ticks: server side 1.00 (ticks a send, 1.0 by 1.0) x 0.80 (ns a send, 800 by 1000) x 1.00 (how busy, ", text)
        self.assertIn("| the program's own functions | 10.0 % | 80.0 | 80.0 | 50.0 % | 500.0 | 500.0 | +420.0 | +420.0 |", text)
        self.assertIn("| `render` | 10.0 % | 80.0 | `render` | 50.0 % | 500.0 |", text)

    def test_rounds_are_added_up(self):
        sides = profile_sum.sides(next(row for row in table_rows.ALL if row.name == "single"),
                                  [self.round, {"floor": seen(3e6, 0.8, 0.9), "tickcast": seen(8e5, 0.8, 0.8)}])
        self.assertAlmostEqual(sides[0].ns("server", "tick"), 400.0)
        self.assertEqual([round(ns) for ns in sides[0].spread("server", "tick")], [267, 800])

    def test_sends_of_others_are_segments(self):
        del self.round["floor"]["figures"]["per_send"]
        row = next(row for row in table_rows.ALL if row.name == "single")
        self.assertAlmostEqual(profile_sum.sides(row, [self.round])[0].count["send"], 7)

    def test_former_sections_stay_on_a_like_machine(self):
        self.write(run_of(), {"single": [self.round]})
        text = self.write(run_of(begun="2027-01-01 00:00"), {"burst16": [self.round]})
        self.assertEqual([text.count(word) for word in ("\n## single\n", "\n## burst16\n", "2026-01-02", "2027-01-01")], [1] * 4)
        text = self.write(run_of(machine="4 x Other, Linux 6"), {"burst16": [self.round]})
        self.assertNotIn("## single", text)


class Rows(unittest.TestCase):
    def test_rows_that_are_not_met(self):
        known = {row.name: row for row in table_rows.ALL}
        with tempfile.TemporaryDirectory() as folder:
            page, kept_json = os.path.join(folder, "table.md"), os.path.join(folder, "table.json")
            with open(page, "w", encoding="utf-8") as file:
                file.write("| bun-rate250 p50 | w | 0.70 | ≤ 0.65 | **not met** | a |\n| single | w | 1 | ≥ 0.95 | met | a |\n"
                           "| bun-rate250 p99 | w | 0.90 | ≤ 0.75 | **not met** | a |\n"
                           "| bun-rate500 p99 | w | 0.90 | ≤ 0.75 | **not met**, client full | a |\n")
            self.assertEqual(script.not_met(kept_json, page, known), ["bun-rate250", "bun-rate500"])
            common = {"client": 0.5, "user": 0.01}
            with open(kept_json, "w", encoding="utf-8") as file:
                json.dump({"results": {"single": [{"tickcast": {"ticks": 80, **common}, "floor": {"ticks": 100}}],
                                       "burst16": [{"tickcast": {"ticks": 99, **common}, "floor": {"ticks": 100}}]}}, file)
            self.assertEqual(script.not_met(kept_json, page, known), ["single"])

    def test_hidden_symbols_are_seen(self):
        with tempfile.NamedTemporaryFile("w", suffix="kallsyms") as file:
            file.write("0000000000000000 T _text\n0000000000000000 T _stext\n")
            file.flush()
            self.assertFalse(profile_record.kernel_symbols(file.name))
            file.write("ffffffff81000000 T start\n")
            file.flush()
            self.assertTrue(profile_record.kernel_symbols(file.name))


class Commands(unittest.TestCase):
    def run_script(self, *arguments, **environment):
        return subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "profile.py"), *arguments], timeout=300, check=False,
                              env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_without_perf_it_says_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_script("tickcast", "floor", ROWS="single", PATH=folder)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("perf is not installed: tools/deps.sh profile", done.stdout)

    def test_an_unknown_row_is_named(self):
        for name in ("tripel", "memory"):
            done = self.run_script("tickcast", "floor", ROWS=name)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"no row {name}", done.stdout)

    @unittest.skipUnless(PROGRAMS, "no programs given")
    def test_a_small_run_writes_the_page(self):
        try:
            profile_record.check()
        except profile_record.Unable as error:
            self.skipTest(str(error))
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "page", "profiles.md")
            done = small_run(lambda seconds: self.run_script(*PROGRAMS, ROUNDS="1", SECONDS=seconds, N="20", ROWS="single rate500", OUT=out,
                                                             BUILD=folder, WAIT="0"), "1", "4")
            self.assertEqual(done.returncode, 0, done.stdout)
            with open(out, encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(folder, "profile.json"), encoding="utf-8") as file:
                results = json.load(file)["results"]
        for name in ("single", "rate500"):
            self.assertIn(f"\n## {name}\n", text)
            self.assertIn(f"\n### {name}: server\n", text)
        parts = results["single"][0]["tickcast"]["parts"]
        self.assertGreater(parts["server"]["samples"], 50)
        self.assertGreater(parts["load"]["by"][samples.RECEIVE], 0)


if __name__ == "__main__":
    unittest.main()
