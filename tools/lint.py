"""clang-tidy over the C files of core/ and feeds/, two at a time. A file that was clean is read again only if
it, a header it includes, .clang-tidy or the tool changed: digests of clean files are in build/lint/clean/.

usage: lint.py [--jobs N] [FILE ...]
"""
import argparse
import hashlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "lint")
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    os.chdir(ROOT)
    configure()
    files = options.files or tracked_files()
    clean = os.path.join(BUILD, "clean")
    os.makedirs(clean, exist_ok=True)
    tool = tool_digest()
    marks = {path: os.path.join(clean, digest(path, tool)) for path in files}
    changed = [path for path in files if not os.path.exists(marks[path])]
    start = time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(tidy, changed))
    bad = 0
    for path, (status, text) in zip(changed, results):
        if status == 0:
            open(marks[path], "w").close()
        else:
            bad += 1
            print(f"lint: {path}\n{text}")
    seconds = time.monotonic() - start
    print(f"lint: {len(files)} files, {len(changed)} read, {bad} with findings, {seconds:.0f} s")
    return 1 if bad else 0


def configure():
    """A compile database without link-time or sanitizer flags; nothing is built in it."""
    off = [f"-DTICKCAST_{part}=OFF" for part in ("TESTS", "BENCH", "WEB")]
    command = ["cmake", "-S", ".", "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
               "-DTICKCAST_ASSERT_SLOW=ON", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *off]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout + "\nlint: configuring build/lint failed")


def tracked_files():
    command = ["git", "ls-files", "core/*.c", "feeds/*.c"]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [path for path in out.split() if os.path.exists(path)]


def tool_digest():
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout
    with open(".clang-tidy", "rb") as checks:
        return hashlib.sha256(version + checks.read()).digest()


def digest(path, tool):
    """Of the file and everything of ours that it includes, directly or not."""
    seen, todo, sha = set(), [path], hashlib.sha256(tool + path.encode())
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        with open(at, "rb") as source:
            text = source.read()
        sha.update(text)
        for name in INCLUDE.findall(text):
            for base in ("core", ".", os.path.dirname(at)):
                found = os.path.normpath(os.path.join(base, name.decode()))
                if os.path.exists(found):
                    todo.append(found)
                    break
    return sha.hexdigest()


def tidy(path):
    command = ["clang-tidy", "--quiet", "-p", BUILD, path]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=240)
    except subprocess.TimeoutExpired:
        return 1, "clang-tidy took more than 240 s"
    return done.returncode, done.stdout


if __name__ == "__main__":
    sys.exit(main())
