"""The rules over text alone. Each takes a Tree and returns findings; ALL, at the end, is what runs."""
import ast
import json
import os
import re

from tree import SOURCES, code_only, finding, line_of

LINES_MAX = 600
COLUMNS_MAX = 110       # of C and C++, where clang-format keeps it
COLUMNS_MAX_OTHER = 160 # of scripts, which nothing formats

# Written apart, so that this file does not find itself.
LEFTOVER = re.compile(r"\b(" + "|".join(("FIX" + "ME", "XX" + "X", "TO" + "DO", "HA" + "CK")) + r")\b")
MACHINE_PATH = re.compile("(?<![\\w.:/])/(" + "wo" + "rk|ro" + "ot|ho" + "me)/\\w")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+["<]([^">]+)[">]', re.M)


def file_size(tree):
    out = []
    for path, text in tree.sources().items():
        lines = text.count("\n")
        if lines > LINES_MAX:
            out.append(finding(path, lines, "size", f"{lines} lines, at most {LINES_MAX}: split it by job"))
    return out


def line_width(tree):
    out = []
    for path, text in tree.sources().items():
        c_family = path.endswith((".c", ".h", ".cc"))
        most = COLUMNS_MAX if c_family else COLUMNS_MAX_OTHER
        for number, line in enumerate(text.splitlines(), 1):
            if not c_family and (path.endswith(".html") or re.search(r"['\"`].{60,}['\"`]", line)):
                continue  # one long text is not better in pieces
            if len(line) > most and not re.search(r"https?://\S{60,}", line):
                out.append(finding(path, number, "width", f"{len(line)} columns, at most {most}"))
    return out


def leftovers(tree):
    out = []
    for path, text in tree.texts.items():
        if "package-lock" in path:
            continue
        for match in LEFTOVER.finditer(text):
            out.append(finding(path, line_of(text, match.start()), "leftover",
                               f"`{match.group(0)}`: do it, or say it in an issue"))
    return out


def machine_paths(tree):
    out = []
    for path, text in tree.texts.items():
        for match in MACHINE_PATH.finditer(text):
            out.append(finding(path, line_of(text, match.start()), "path",
                               "an absolute path of one machine; take it from an argument"))
    return out


def layers(tree):
    """Includes go one way: the table in core/README.md is the order; io and wire know less."""
    order = re.findall(r"^\| `(\w+)/`", tree.texts.get("core/README.md", ""), re.M)
    if not order:
        return [finding("core/README.md", 1, "layer", "no table of layers: rows must begin with | `name/` |")]
    known = order + ["feeds"]
    out = []
    for path, text in tree.sources(".c", ".h").items():
        layer = layer_of(path, known)
        if layer is None:
            continue
        for match in INCLUDE.finditer(text):
            target = match.group(1)
            other = target.split("/")[0]
            if other in known and not may_include(layer, other, target, order):
                line = line_of(text, match.start())
                out.append(finding(path, line, "layer", f"{layer}/ may not include {target}"))
    return out


def layer_of(path, known):
    parts = path.split("/")
    if parts[0] == "core" and len(parts) == 3 and parts[1] in known:
        return parts[1]
    return "feeds" if parts[0] == "feeds" else None


def may_include(layer, other, target, order):
    if layer == other:
        return True
    if layer in ("io", "wire"):
        return other in ("base", "config") or (layer == "wire" and target == "tick/tick.h")
    if layer == "feeds":
        return other in order[:order.index("log") + 1]
    if other == "feeds":
        return layer == "cmd"
    return order.index(other) < order.index(layer)


BANNED = {  # name -> (where it may stand, why)
    "strcpy": ((), "no bound: use a sized copy"),
    "strcat": ((), "no bound: use snprintf"),
    "sprintf": ((), "no bound: use snprintf"),
    "vsprintf": ((), "no bound: use vsnprintf"),
    "gets": ((), "no bound"),
    "strtok": ((), "hidden state: use struct text"),
    "atoi": ((), "no errors: use the checked parsers"),
    "rand": ((), "chance is passed in: base/random.h"),
    "srand": ((), "chance is passed in: base/random.h"),
    "random": ((), "chance is passed in: base/random.h"),
    "time": (("core/base/clock.c", "core/cmd/"), "time is passed in: base/clock.h"),
    "gettimeofday": (("core/base/clock.c", "core/cmd/"), "time is passed in: base/clock.h"),
    "clock_gettime": (("core/base/clock.c", "core/cmd/", "bench/", "tests/"), "time is passed in"),
    "exit": (("core/cmd/", "tests/", "bench/"), "only a command ends the program: return an error"),
    "sleep": (("core/cmd/",), "wait for a condition, not for time"),
    "usleep": (("core/cmd/",), "wait for a condition, not for time"),
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")[ \t]*\(")
MEMBER_OR_DECLARATION = re.compile(r"(\*|\b(?:int|void|double|bool|uint\d+_t|int64_t|static|struct \w+))\s*$")


def banned_calls(tree):
    out = []
    for path, text in tree.sources(".c", ".h", ".cc").items():
        code = code_only(text)
        for match in CALL.finditer(code):
            name = match.group(1)
            allowed, why = BANNED[name]
            before = code[max(0, match.start() - 40):match.start()]
            if path.startswith(allowed) or MEMBER_OR_DECLARATION.search(before):
                continue
            out.append(finding(path, line_of(code, match.start()), "banned", f"{name}(): {why}"))
    return out


def python_sleeps(tree):
    """time.sleep in a Python test only inside a helper whose name says that it waits for a condition."""
    out = []
    for path, text in tree.below("tests/").items():
        if path.endswith(".py") and not path.startswith("tests/tidy/"):
            out += sleeps_in(path, text)
    return out


def sleeps_in(path, text):
    out = []

    def visit(node, waiting):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting = bool(re.search(r"wait|until", node.name))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep") and not waiting:
            out.append(finding(path, node.lineno, "sleep", "wait for a condition, in a wait_... helper"))
        for child in ast.iter_child_nodes(node):
            visit(child, waiting)

    try:
        visit(ast.parse(text), False)
    except SyntaxError as error:
        out.append(finding(path, error.lineno or 1, "sleep", "not Python"))
    return out


def one_door_to_ck(tree):
    out = []
    for path, text in tree.sources(".c", ".h", ".cc").items():
        for match in INCLUDE.finditer(text):
            if match.group(1) == "ck_ring.h" and path != "core/base/ring.h":
                why = "ck_ring.h belongs to base/ring.h, which marks it for the thread sanitizer"
                out.append(finding(path, line_of(text, match.start()), "ring", why))
    return out


def own_header_first(tree):
    """A .c that has a header of its own name includes it first, so that the header is seen to stand alone."""
    out = []
    for path, text in tree.sources(".c").items():
        header = path[:-2] + ".h"
        if header not in tree.texts:
            continue
        name = header[len("core/"):] if header.startswith("core/") else header
        first = INCLUDE.search(text)
        if not first or first.group(1) not in (name, header.split("/")[-1]):
            out.append(finding(path, 1, "include", f'begins with #include "{name}"'))
    return out


def lock_without_addresses(tree):
    out = []
    for path, text in tree.texts.items():
        if path.endswith("package-lock.json"):
            for match in re.finditer(r'"resolved"', text):
                out.append(finding(path, line_of(text, match.start()), "lock",
                                   "a download address; .npmrc: omit-lockfile-registry-resolved=true, then "
                                   "npm install --package-lock-only"))
    return out


SETTING = re.compile(r'^\s*[USTBL]\(\w+,\s*"([\w-]+)"', re.M)


def settings_described(tree):
    header = tree.texts.get("core/config/settings.h")
    page = tree.texts.get("docs/operations.md", "")
    if header is None:
        return []
    return [finding("docs/operations.md", 1, "settings", f"--{name} is not described; run `make docs`")
            for name in SETTING.findall(header) if f"`--{name}" not in page]


def ends_in_newline(tree):
    out = []
    for path, text in tree.sources().items():
        if text and not text.endswith("\n"):
            out.append(finding(path, text.count("\n") + 1, "newline", "no newline at the end"))
        for match in re.finditer(r"[ \t]+$", text, re.M):
            out.append(finding(path, line_of(text, match.start()), "newline", "blanks at the end of a line"))
    return out


def whole_after_a_merge(tree):
    """No page or source was emptied, and none holds both sides of a merge."""
    out = []
    for path, text in tree.sources(*SOURCES, ".md").items():
        if not text.strip():
            out.append(finding(path, 1, "empty", "nothing in it"))
        for match in re.finditer(r"^(<{7}|>{7}) ", text, re.M):
            out.append(finding(path, line_of(text, match.start()), "conflict", "both sides of a merge"))
    return out


def links_lead_somewhere(tree):
    """Relative links of Markdown pages name files that exist."""
    out = []
    folders = {path.rsplit("/", 1)[0] + "/" for path in tree.texts if "/" in path}
    for path, text in tree.texts.items():
        if not path.endswith(".md") or tree.root is None and path not in tree.texts:
            continue
        for match in re.finditer(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            target = resolve(path, match.group(1))
            if not exists(tree, target, folders):
                line = line_of(text, match.start())
                out.append(finding(path, line, "link", f"{match.group(1)} is not there"))
    return out


def resolve(path, link):
    parts = path.split("/")[:-1]
    for part in link.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)


def exists(tree, target, folders):
    if target in tree.texts or any(folder.startswith(target + "/") for folder in folders):
        return True
    return tree.root is not None and os.path.exists(os.path.join(tree.root, target))


def examples_parse(tree):
    """Each line in a json block of a page is one whole JSON object."""
    out = []
    for path, text in tree.texts.items():
        if not path.endswith(".md"):
            continue
        for block in re.finditer(r"^```json\n(.*?)^```$", text, re.M | re.S):
            start = line_of(text, block.start(1))
            for number, line in enumerate(block.group(1).splitlines(), start):
                try:
                    json.loads(line)
                except ValueError as error:
                    out.append(finding(path, number, "example", f"not JSON: {error}"))
    return out


DECISIONS = 30


def decisions_have_tests(tree):
    """Each decision has a row in the table of tests, and each test named there is in the tree; or it is not built, as its row says."""
    page = "docs/decisions/README.md"
    if page not in tree.texts:
        return []
    known = set()
    for text in tree.below("tests/").values():
        known.update(re.findall(r"^(?:def test_|static void )(decision_\d+_\w+)\(", text, re.M))
    out, seen = [], set()
    for row in re.finditer(r"^\| (\d+) \| (.*) \|$", tree.texts[page], re.M):
        number, line = int(row.group(1)), line_of(tree.texts[page], row.start())
        names = re.findall(r"`(\w+)`", row.group(2))
        seen.add(number)
        if not names and row.group(2) != "not built":
            out.append(finding(page, line, "decision", f"decision {number} names no test"))
        for name in names:
            if name not in known:
                out.append(finding(page, line, "decision", f"no test is called {name}"))
            elif int(name.split("_")[1]) != number:
                out.append(finding(page, line, "decision", f"{name} is not of decision {number}"))
    for number in sorted(set(range(1, DECISIONS + 1)) - seen):
        out.append(finding(page, 1, "decision", f"decision {number} has no row: name its test"))
    return out


E2E_PROGRAM = re.compile(r"tests/e2e/[^/]+/(test_[^/]+\.py|[^/]+_test\.mjs|[^/]+\.c)")


def e2e_tests_are_registered(tree):
    """Each end-to-end test, and each program that they drive, stands in its folder's CMakeLists.txt: else nothing ever runs it."""
    out = []
    for path in tree.below("tests/e2e/"):
        program = E2E_PROGRAM.fullmatch(path)
        if not program:
            continue
        page = os.path.dirname(path) + "/CMakeLists.txt"
        name = re.escape(program.group(1))
        if not re.search(rf"(?<![\w.-]){name}(?![\w.-])", without_loops(tree.texts.get(page, ""))):
            out.append(finding(path, 1, "unregistered", f"never run: {page} does not name it"))
    return out


def without_loops(text):
    """CMake text without comments, and each foreach(...) over plain words written out."""
    text = re.sub(r"#[^\n]*", "", text)

    def written_out(match):
        variable, words, body = match.groups()
        return "".join(body.replace(f"${{{variable}}}", word) for word in words.split())
    return re.sub(r"foreach\((\w+)\s+([^)]*)\)(.*?)endforeach\(", written_out, text, flags=re.S)


ALL = [file_size, line_width, leftovers, machine_paths, layers, banned_calls, python_sleeps, one_door_to_ck,
       own_header_first, lock_without_addresses, settings_described, ends_in_newline,
       whole_after_a_merge, links_lead_somewhere,
       examples_parse, decisions_have_tests, e2e_tests_are_registered]
