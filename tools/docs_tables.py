"""Renews the tables of settings and of limits in docs/operations.md from core/config/settings.h and limit.h, each between
two marker lines. With --check it changes nothing and fails if a table is old."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CONFIG = os.path.join(ROOT, "core", "config")
PAGE = os.path.join(ROOT, "docs", "operations.md")


def main():
    tables = {
        "settings": "| option | default | range | what |\n| --- | --- | --- | --- |\n"
                    + "".join(row(kind, fields) for kind, fields in entries(header("settings.h"), "TC_SETTINGS")),
        "limits": "| limit | seen |\n| --- | --- |\n"
                  + "".join(f"| `{fields[1]}` | {fields[2]} |\n" for _, fields in entries(header("limit.h"), "TC_LIMITS")),
    }
    with open(PAGE, encoding="utf-8") as file:
        old = new = file.read()
    for name, table in tables.items():
        begin, end = f"<!-- {name}: made by tools/docs_tables.py -->\n", f"<!-- end of {name} -->\n"
        head, rest = new.split(begin)
        new = head + begin + table + end + rest.split(end)[1]
    if new == old:
        return 0
    if "--check" in sys.argv:
        print("docs/operations.md:1: settings or limits: the table is old; run `make docs`")
        return 1
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(new)
    return 0


def header(name):
    with open(os.path.join(CONFIG, name), encoding="utf-8") as file:
        return file.read()


def entries(text, table):
    """(kind, fields) of each X(...) row in a table; quoted text may hold commas and parentheses."""
    start = text.index(f"#define {table}(")
    body = re.sub(r"\\\n", "\n", text[start:])
    body = body[:body.index("\n\n")]
    token = re.compile(r'"((?:\\.|[^"\\])*)"|([(),])|([^\s"(),]+)|\s+')
    kind, fields, depth = None, [], 0
    for match in token.finditer(body[body.index(")") + 1:]):
        quoted, mark, word = match.groups()
        if depth == 0:
            if word:
                kind, fields = word, [""]
            elif mark == "(":
                depth = 1
        elif mark == ")" and depth == 1:
            depth = 0
            yield kind, fields
        elif mark == "," and depth == 1:
            fields.append("")
        elif mark:
            depth += {"(": 1, ")": -1}.get(mark, 0)
            fields[-1] += mark
        elif quoted is not None or word:
            fields[-1] += quoted if quoted is not None else (" " if fields[-1] and word else "") + word


def row(kind, fields):
    option, default, span, what = {
        "U": lambda f: (f"--{f[1]} N", size(f[2]), f"{size(f[3])} to {size(f[4])} {f[5]}", f[6]),
        "S": lambda f: (f"--{f[1]} S", f[2], f"{f[3]} to {f[4]} s", f[5]),
        "T": lambda f: (f"--{f[1]} {f[3]}", "none" if f[2] == "NULL" else f[2], "", f[4]),
        "B": lambda f: (f"--{f[1]}", "on" if f[2] == "true" else "off", f"--no-{f[1]}", f[3]),
        "L": lambda f: (f"--{f[1]} {f[2]}", "", "may be repeated", f[3]),
    }[kind](fields)
    cells = [f"`{option}`", default, f"`{span}`" if kind == "B" else span, what]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def size(text):
    """A C constant as a plain number, with its unit of 1024s where that is shorter."""
    text = re.sub(r"UINT64_C\((\w+)\)", r"\1", text.replace(" ", ""))
    value = eval(re.sub(r"(\d)[uUlL]+", r"\1", text), {"__builtins__": {}})  # numbers and shifts alone
    for unit, factor in (("g", 1 << 30), ("m", 1 << 20)):
        if value >= factor and value % factor == 0:
            return f"{value // factor}{unit}"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
