"""The instruction gate can fail: what it says of risen, fallen, new and lost stages, and of a broken file.

usage: compare_test.py
"""
import contextlib
import io
import os
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench", "instructions"))
import compare  # noqa: E402


def judged(counted, kept):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        status = compare.judge(*({name: (figure, "tick") for name, figure in side.items()} for side in (counted, kept)))
    return status, text.getvalue()


class Judge(unittest.TestCase):
    def test_within(self):
        self.assertEqual(judged({"a": 104.0, "b": 96.0}, {"a": 100.0, "b": 100.0})[0], 0)

    def test_risen(self):
        status, text = judged({"a": 106.0, "b": 1.0}, {"a": 100.0, "b": 1.0})
        self.assertEqual(status, 1)
        self.assertIn("a +6.0%", text)
        self.assertNotIn("b +", text)

    def test_fallen_passes_and_asks(self):
        status, text = judged({"a": 90.0}, {"a": 100.0})
        self.assertEqual(status, 0)
        self.assertIn("make instructions", text)

    def test_new_and_lost(self):
        self.assertEqual(judged({"a": 1.0, "b": 1.0}, {"a": 1.0})[0], 1)
        self.assertEqual(judged({"a": 1.0}, {"a": 1.0, "b": 1.0})[0], 1)


class File(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.kept, compare.EXPECTED = compare.EXPECTED, os.path.join(self.folder.name, "expected.txt")

    def tearDown(self):
        compare.EXPECTED = self.kept
        self.folder.cleanup()

    def test_round_trip_keeps_other_sections(self):
        sections = {"x86_64 gcc-12": {"a": (1.5, "tick")}, "x86_64 gcc-13": {"a": (2.5, "tick")}}
        compare.write_expected(sections)
        self.assertEqual(compare.read_expected(), sections)

    def test_broken_line_names_its_place(self):
        with open(compare.EXPECTED, "w", encoding="utf-8") as file:
            file.write("[key]\nappend 12\n")
        with self.assertRaisesRegex(SystemExit, "expected.txt:2"):
            compare.read_expected()


if __name__ == "__main__":
    unittest.main()
