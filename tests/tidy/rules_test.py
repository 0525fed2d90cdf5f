"""Each rule passes a clean made-up tree and finds the one fault planted: checks must be able to fail."""
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import headers
import rules
from tree import Tree, code_only, load

README = "| folder | what |\n| `base/` | a |\n| `config/` | b |\n| `tick/` | c |\n| `log/` | d |\n" \
         "| `io/` | e |\n| `wire/` | f |\n| `worker/` | g |\n| `cmd/` | h |\n"

CLEAN = {
    "core/README.md": README,
    "core/base/clock.h": "#ifndef A\n#define A\n#endif\n",
    "core/base/clock.c": '#include "base/clock.h"\n\nlong now(void)\n{\n    return time(0);\n}\n',
    "core/log/log.c": '#include "base/clock.h"\n/* not sprintf(), "no strcpy(" */\nint runtime(void);\n',
    "core/wire/command.c": '#include "tick/tick.h"\n#include "config/limits.h"\n',
    "core/cmd/main.c": '#include "feeds/feed.h"\n#include "worker/worker.h"\n',
    "feeds/feed.c": '#include "log/log.h"\n',
    "core/config/settings.h": '    U(workers, "workers", 0, 0, 64, "threads", "x")\n',
    "docs/operations.md": "`--workers N` is described; see [the top](../core/README.md#x).\n",
    "web/package-lock.json": '{"packages": {}}\n',
    "tests/e2e/a/CMakeLists.txt": "# test_never.py\nforeach(suite one\n  two) # and more\n  add_test(x /test_${suite}.py)\nendforeach()\n"
                                  "add_test(y ${dir}/page_test.mjs)\nadd_executable(crowd crowd.c)\n",
    "tests/e2e/a/test_one.py": "x = 1\n",
    "tests/e2e/a/test_two.py": "x = 2\n",
    "tests/e2e/a/rig.py": "x = 3\n",
    "tests/e2e/a/page_test.mjs": "check();\n",
    "tests/e2e/a/browser.mjs": "check();\n",
    "tests/e2e/a/crowd.c": "int x;\n",
    "tests/e2e/x_test.py": "import time\n\n\ndef wait_for(condition):\n    time.sleep(0.01)\n",
}


class Rules(unittest.TestCase):
    def test_clean(self):
        for rule in rules.ALL:
            self.assertEqual(rule(Tree(dict(CLEAN))), [], rule.__name__)

    def plant(self, rule, path, text, expected=1):
        found = rule(Tree({**CLEAN, path: text}))
        self.assertEqual(len(found), expected, found)
        self.assertTrue(all(line.startswith(path + ":") for line in found), found)

    def test_file_size(self):
        self.plant(rules.file_size, "core/log/long.c", "int x;\n" * 601)

    def test_line_width(self):
        self.plant(rules.line_width, "core/log/wide.c", "int x; /* " + "x" * 100 + " */\n")

    def test_leftovers(self):
        self.plant(rules.leftovers, "docs/a.md", "later: TO" + "DO\n")
        self.plant(rules.leftovers, "docs/a.md", 'mkstemp("/tmp/a' + "X" * 6 + '")\n', 0)

    def test_machine_paths(self):
        self.plant(rules.machine_paths, "docs/a.md", "see /wo" + "rk/main\n")
        self.plant(rules.machine_paths, "docs/a.md", "see tests/wo" + "rk/x and /usr/bin/x\n", 0)

    def test_layers(self):
        for path, include in (("core/log/a.c", "worker/worker.h"), ("core/io/a.c", "tick/tick.h"),
                              ("core/wire/a.c", "tick/decimal.h"), ("feeds/a.c", "io/io.h"),
                              ("core/worker/a.h", "feeds/feed.h"), ("core/base/a.h", "config/limits.h")):
            self.plant(rules.layers, path, f'#include "{include}"\n')

    def test_layers_without_table(self):
        self.assertEqual(len(rules.layers(Tree({"core/README.md": "no table\n"}))), 1)

    def test_banned_calls(self):
        for name in rules.BANNED:
            self.plant(rules.banned_calls, "core/log/a.c", f"void f(void)\n{{\n    {name}(0);\n}}\n")
        self.plant(rules.banned_calls, "tests/unit/log/a_test.c", "    usleep(10);\n")
        self.plant(rules.banned_calls, "core/log/a.c", "    c->time(0); my_time(1); runtime(2);\n", 0)

    def test_python_sleeps(self):
        self.plant(rules.python_sleeps, "tests/e2e/y_test.py", "def test_a():\n    time.sleep(1)\n")

    def test_one_door_to_ck(self):
        self.plant(rules.one_door_to_ck, "core/log/a.c", "#include <ck_ring.h>\n")

    def test_own_header_first(self):
        self.plant(rules.own_header_first, "core/base/clock.c", '#include <a.h>\n#include "base/clock.h"\n')

    def test_lock_without_addresses(self):
        self.plant(rules.lock_without_addresses, "web/package-lock.json", '{\n"resolved": "x"}\n')

    def test_settings_described(self):
        self.plant(rules.settings_described, "docs/operations.md", "nothing\n")

    def test_ends_in_newline(self):
        self.plant(rules.ends_in_newline, "core/log/a.c", "int x;")
        self.plant(rules.ends_in_newline, "core/log/a.c", "int x; \n")

    def test_merges(self):
        self.plant(rules.whole_after_a_merge, "docs/a.md", "\n")
        self.plant(rules.whole_after_a_merge, "core/log/a.c", "int x;\n" + "<" * 7 + " here\n")

    def test_links(self):
        self.plant(rules.links_lead_somewhere, "docs/a.md", "[x](gone.md)\n")
        self.plant(rules.links_lead_somewhere, "docs/a.md", "[x](../core/base/) [y](operations.md)\n", 0)

    def test_examples(self):
        self.plant(rules.examples_parse, "docs/a.md", '```json\n{"a":1}\n{"a":}\n```\n')
        self.plant(rules.examples_parse, "docs/a.md", '```json\n{"a":1}\n```\n```\n{"a":}\n```\n', 0)

    def test_decisions(self):
        page, rows = "docs/decisions/README.md", [f"| {n} | `decision_{n:02}_holds` |\n" for n in range(1, 31)]
        self.plant(rules.decisions_have_tests, page, "".join(rows), 30)
        tests = "".join(f"static void decision_{n:02}_holds(void **state)\n" for n in range(1, 31) if n != 27)
        held = {**CLEAN, "tests/unit/x/d_test.c": tests, "tests/e2e/d.py": "def test_decision_27_holds(io):\n"}
        self.assertEqual(rules.decisions_have_tests(Tree({**held, page: "".join(rows)})), [])
        unbuilt = "".join(rows[:3] + ["| 4 | not built |\n"] + rows[4:])
        self.assertEqual(rules.decisions_have_tests(Tree({**held, page: unbuilt})), [])
        for wrong in ("| 4 | `decision_04_is_gone` |\n", "| 4 | `decision_05_holds` |\n", "| 4 | later |\n", ""):
            text = "".join(rows[:3] + [wrong] + rows[4:])
            self.assertEqual(len(rules.decisions_have_tests(Tree({**held, page: text}))), 1, wrong)

    def test_e2e_tests_are_registered(self):
        for path in ("a/test_never.py", "a/test_on.py", "a/test_one_two.py", "a/more_page_test.mjs", "a/age_test.mjs", "a/row.c",
                     "b/test_one.py"):  # of a folder that registers nothing
            self.plant(rules.e2e_tests_are_registered, f"tests/e2e/{path}", "x\n")
        self.assertEqual(len(rules.e2e_tests_are_registered(Tree({"tests/e2e/a/test_one.py": "x\n"}))), 1)

    def test_headers(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "core", "base"))
            for name, text in (("good.h", "#pragma once\n#include <stdint.h>\nuint64_t f(void);\n"),
                               ("bad.h", "#pragma once\nuint64_t f(void);\n"),
                               ("twice.h", "struct x { int a; };\n")):
                with open(os.path.join(root, "core", "base", name), "w", encoding="utf-8") as file:
                    file.write(text)
            found = headers.headers_stand_alone(load(root))
        self.assertEqual([line.split(":")[0] for line in found], ["core/base/bad.h", "core/base/twice.h"])

    def test_the_tree_is_that_of_its_root_whatever_git_was_told(self):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "a.c"), "w", encoding="utf-8") as file:
                file.write("int a;\n")
            here = subprocess.run(["git", "rev-parse", "--absolute-git-dir"], cwd=os.path.dirname(os.path.abspath(__file__)),
                                  stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
            with unittest.mock.patch.dict(os.environ, {"GIT_DIR": here or root}):
                self.assertEqual(list(load(root).texts), ["a.c"])

    def test_code_only(self):
        self.assertEqual(code_only('f("a(\\"", \'b\'); // c()\n').rstrip(), "f(      ,    );")
        self.assertEqual(code_only("/* a\nb */c"), "    \n    c")

    def test_every_rule_is_planted(self):
        with open(__file__, encoding="utf-8") as file:
            own = file.read()
        for rule in rules.ALL:
            self.assertIn(f"rules.{rule.__name__},", own)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
