"""The tree as the rules see it: paths and texts, so that a rule can be tried on a made-up tree."""
import os
import re
import subprocess

SOURCES = (".c", ".h", ".cc", ".py", ".sh", ".S", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".cmake",
           "CMakeLists.txt", "Makefile", ".ci/run")
NOT_OURS = ("build", "node_modules", ".git", "__pycache__")
LEFT_OUT = ("tests/fuzz/corpus/", "tests/data/", "package-lock.json", "node_modules/")


class Tree:
    def __init__(self, texts, root=None):
        self.texts = texts  # path -> text, hand-written text files alone
        self.root = root    # None for a made-up tree

    def sources(self, *suffixes):
        wanted = suffixes or SOURCES
        return {path: text for path, text in self.texts.items()
                if path.endswith(wanted) and not any(part in path for part in LEFT_OUT)}

    def below(self, *folders):
        return {path: text for path, text in self.texts.items() if path.startswith(folders)}


def load(root):
    texts = {}
    for path in paths(root):
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                texts[path] = file.read()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # a picture, a corpus entry, a file just removed
    return Tree(texts, root)


def paths(root):
    """What git tracks; in an unpacked release, everything outside build/. A hook's GIT_DIR and the like name some repository; the
    one of `root` is asked."""
    command = ["git", "-C", root, "ls-files"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    listed = subprocess.run(command, env=plain, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if listed.returncode == 0 and listed.stdout:
        return listed.stdout.splitlines()
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return found


def finding(path, line, rule, what):
    return f"{path}:{line}: {rule}: {what}"


def line_of(text, at):
    return text.count("\n", 0, at) + 1


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """C text with comments and literals blanked; lines keep their numbers. Include lines stay."""
    def blank(match):
        token = match.group(0)
        start = text.rfind("\n", 0, match.start()) + 1
        if token[0] == '"' and re.match(r"\s*#\s*include", text[start:match.start()]):
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKEN.sub(blank, text)
