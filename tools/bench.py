"""Runs the built benchmarks and prints each row beside the last kept run.

usage: bench.py FOLDER [--path PROGRAM] [--keep] [--benchmark_...]

FOLDER holds the Google Benchmark programs (*_bench). --path adds the whole path on loopback (bench/path/path.py).
A run without a filter is kept in build/bench/last.json, for the next one; --keep also writes it to
bench/results/reference.json, which names its machine and is compared with wherever there is no last run.
"""
import json
import os
import platform
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAST = os.path.join(ROOT, "build", "bench", "last.json")
REFERENCE = os.path.join(ROOT, "bench", "results", "reference.json")


def main():
    folder, arguments = sys.argv[1], sys.argv[2:]
    keep = "--keep" in arguments
    program = arguments[arguments.index("--path") + 1] if "--path" in arguments else None
    passed = [a for a in arguments if a.startswith("--benchmark_")]
    os.makedirs(os.path.dirname(LAST), exist_ok=True)
    old, where = kept()
    print(f"compared with {where}" if old else "no run is kept yet: nothing to compare with")
    rows, failed = {}, 0
    for name in sorted(n for n in os.listdir(folder) if n.endswith("_bench")):
        failed += stage(os.path.join(folder, name), passed, old, rows)
    if program:
        out = os.path.join(os.path.dirname(LAST), "path.json")
        status = subprocess.run([sys.executable, os.path.join(ROOT, "bench", "path", "path.py"), program, "--json", out],
                                stdout=subprocess.DEVNULL, check=False).returncode
        failed += status != 0 or take(out, old, rows) == 0
    if not rows:
        sys.exit(f"bench: nothing was measured: no benchmark in {folder}, or none that passes the filter")
    whole = not passed and not failed
    if whole:
        save(LAST, rows)
    if whole and keep:
        os.makedirs(os.path.dirname(REFERENCE), exist_ok=True)
        save(REFERENCE, rows)
    print(f"bench: {len(rows)} rows, {failed} programs failed" + (f"; kept in {os.path.relpath(LAST, ROOT)}" if whole else ""))
    return 1 if failed else 0


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}"


def kept():
    """The rows of the last run here, or of the reference, if that is of a like machine."""
    for path in (LAST, REFERENCE):
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
        if run["machine"] == machine():
            return run["rows"], f"{os.path.relpath(path, ROOT)} of {run['machine']}"
        print(f"bench: {os.path.relpath(path, ROOT)} is of another machine ({run['machine']}): not compared")
    return {}, None


def save(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"machine": machine(), "rows": rows}, file, indent=1, sort_keys=True)
        file.write("\n")


def stage(program, passed, old, rows):
    out = os.path.join(os.path.dirname(LAST), os.path.basename(program) + ".json")
    if os.path.exists(out):
        os.remove(out)
    done = subprocess.run([program, f"--benchmark_out={out}", "--benchmark_out_format=json"] + passed,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    nothing_matched = "Failed to match any benchmarks" in done.stderr
    if done.returncode != 0 and not nothing_matched:
        print(f"bench: {os.path.basename(program)}: status {done.returncode}: {done.stderr.strip()[-300:]}")
        return 1
    if not nothing_matched:
        take(out, old, rows)
    return 0


def take(path, old, rows):
    """Adds the file's rows and prints them; returns how many."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not text.strip():  # the filter left nothing
        return 0
    found = [b for b in json.loads(text)["benchmarks"] if b.get("run_type") == "iteration" and not b.get("error_occurred")]
    for b in found:
        row = {key: b[key] for key in ("real_time", "time_unit", "items_per_second", "bytes_per_second") if key in b}
        rows[b["name"]] = row
        print(line_of(b["name"], row, old.get(b["name"])), flush=True)
    return len(found)


def line_of(name, row, before):
    items = f"{row['items_per_second'] / 1e6:10.2f} M/s" if "items_per_second" in row else " " * 14
    size = f"{row['bytes_per_second'] / 1e6:9.0f} MB/s" if "bytes_per_second" in row else " " * 14
    change = ""
    if before and before["time_unit"] == row["time_unit"] and before["real_time"]:
        change = f"{faster(row, before):7.2f} x"
    return f"{name:52}{row['real_time']:12.1f} {row['time_unit']}{items}{size}{change}"


def faster(row, before):
    """By items a second where both count them, else by the time."""
    if row.get("items_per_second") and before.get("items_per_second"):
        return row["items_per_second"] / before["items_per_second"]
    return before["real_time"] / row["real_time"]


if __name__ == "__main__":
    sys.exit(main())
