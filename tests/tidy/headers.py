"""The rule that needs a compiler: every header of ours compiles alone."""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import finding


def headers_stand_alone(tree):
    if tree.root is None:
        return []
    folders = ("core/", "feeds/", "tests/support/", "include/")
    paths = sorted(path for path in tree.texts if path.endswith(".h") and path.startswith(folders))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda path: alone(tree.root, path), paths))
    return [finding(path, 1, "header", f"does not compile alone: {text}")
            for path, text in zip(paths, results) if text]


def alone(root, path):
    """Empty, or the compiler's first error. Included twice: guards work too."""
    compiler = os.environ.get("TIDY_CC", "cc")
    folders = [f"-I{root}/core", f"-I{root}", f"-I{root}/tests"]
    source = f'#include "{root}/{path}"\n#include "{root}/{path}"\n'
    command = [compiler, "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra", "-x", "c",
               *folders, "-"]
    done = subprocess.run(command, input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return ""
    errors = [line for line in done.stdout.splitlines() if "error" in line]
    return errors[0].replace(root + "/", "") if errors else done.stdout[:200]


ALL = [headers_stand_alone]
