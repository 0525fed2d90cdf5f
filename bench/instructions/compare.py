"""Instructions a unit of each stage of the hot path, held against what is kept in expected.txt.

usage: compare.py PROGRAM           compares: a rise over 5 % fails; 77 where nothing is kept for this tool chain
       compare.py PROGRAM --renew   writes what was counted to expected.txt

The count depends on the compiler, on the C library's choice of memcpy and on what valgrind makes of the processor:
these are the key of a section. A section of another key is left as it is.
"""
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

EXPECTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.txt")
TOLERANCE = 0.05
SKIPPED = 77
SECONDS_MAX = 120

HEAD = """# Instructions a unit of each stage, by callgrind; one section for each tool chain. Renewed by `make instructions`, which
# adds or replaces the section of the machine it runs on. A change that raises a figure by over 5 % fails
# `speed/instructions`; who raises one on purpose renews the file in the same commit and says why in its message.
"""


def main():
    program = sys.argv[1]
    if shutil.which("valgrind") is None:
        print("instructions: skipped: valgrind is not installed (tools/deps.sh test)")
        return SKIPPED
    key = tool_chain()
    sections = read_expected()
    if "--renew" not in sys.argv and key not in sections:
        print(f"instructions: skipped: nothing is kept for [{key}], only for {list(sections)}; "
              "`make instructions` adds a section")
        return SKIPPED
    counted = {name: (count(program, name), unit) for name, unit in stages(program)}
    if "--renew" in sys.argv:
        old = sections.get(key, {})
        sections[key] = counted
        write_expected(sections)
        print(f"instructions: [{key}] kept in bench/instructions/expected.txt")
        print_table(counted, old)
        return 0
    print_table(counted, sections[key])
    return judge(counted, sections[key])


def tool_chain():
    compiler = os.environ.get("CC", "cc")
    version = output([compiler, "-dumpfullversion"]).strip()
    name = "clang" if "clang" in output([compiler, "--version"]) else "gcc"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = set(re.search(r"^flags\s*:(.*)$", file.read(), re.M).group(1).split())
    vectors = "avx2" if "avx2" in flags else "sse2"
    valgrind = output(["valgrind", "--version"]).strip()
    return f"{platform.machine()} {name}-{version} {'-'.join(platform.libc_ver())} {valgrind} {vectors}"


def output(command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=SECONDS_MAX).stdout


def stages(program):
    return [line.split() for line in output([program, "--list"]).splitlines()]


def count(program, stage):
    with tempfile.TemporaryDirectory(prefix="tickcast-instructions-") as folder:
        out = os.path.join(folder, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=measured_work",
                   f"--callgrind-out-file={out}", program, stage]
        # OpenSSL would choose its SHA-1 by the processor.
        environment = {"PATH": os.environ["PATH"], "OPENSSL_ia32cap": "0:0"}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=SECONDS_MAX, check=False)
        if done.returncode != 0:
            sys.exit(f"instructions: {stage}: status {done.returncode}\n{done.stderr}")
        units = int(done.stdout.split()[1])
        with open(out, encoding="ascii") as file:
            total = int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M).group(1))
    if total == 0 or units == 0:
        sys.exit(f"instructions: {stage}: {total} instructions for {units} units: nothing was counted")
    return total / units


def print_table(counted, kept):
    print(f"{'stage':26}{'kept':>12}{'now':>12}{'change':>9}  unit")
    for name, (now, unit) in counted.items():
        was, change = "none", "new"
        if name in kept:
            was, change = f"{kept[name][0]:.1f}", f"{now / kept[name][0] - 1:+.1%}"
        print(f"{name:26}{was:>12}{now:12.1f}{change:>9}  {unit}")


def judge(counted, kept):
    """The exit status: 1 if a stage has risen or is not kept, or one that is kept is not there any more."""
    changes = {name: now / kept[name][0] - 1 for name, (now, _) in counted.items() if name in kept}
    fallen = [f"{name} {change:+.1%}" for name, change in changes.items() if change < -TOLERANCE]
    wrong = [f"{name} {change:+.1%}" for name, change in changes.items() if change > TOLERANCE]
    wrong += [f"{name} is not kept" for name in counted if name not in kept]
    wrong += [f"{name} is kept, but no stage" for name in kept if name not in counted]
    if fallen:
        print(f"instructions: fewer than kept: {', '.join(fallen)}: renew with `make instructions`")
    if wrong:
        print(f"instructions: FAILED: {', '.join(wrong)}; at most {TOLERANCE:.0%} over what is kept passes. If a rise "
              "is worth it, renew with `make instructions` and say why")
        return 1
    print(f"instructions: {len(counted)} stages, none over {TOLERANCE:.0%} more than kept")
    return 0


def read_expected():
    sections, section = {}, None
    try:
        with open(EXPECTED, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif section is None or len(words) != 4:
            sys.exit(f"bench/instructions/expected.txt:{number}: not `stage figure per unit`; "
                     "renew with `make instructions`")
        else:
            section[words[0]] = (float(words[1]), words[3])
    return sections


def write_expected(sections):
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for key, section in sections.items():
            file.write(f"\n[{key}]\n")
            for name, (figure, unit) in section.items():
                file.write(f"{name:26}{figure:12.1f} per {unit}\n")


if __name__ == "__main__":
    sys.exit(main())
