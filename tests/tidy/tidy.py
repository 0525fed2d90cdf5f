"""Checks the tree against the habits in CONTRIBUTING.md. One line per finding: file:line: rule: what, remedy.

usage: tidy.py ROOT
"""
import sys

import headers
import rules
import tree


def main():
    files = tree.load(sys.argv[1])
    findings = []
    for rule in rules.ALL + headers.ALL:
        findings += rule(files)
    for finding in sorted(findings):
        print(finding)
    names = ", ".join(rule.__name__ for rule in rules.ALL + headers.ALL)
    print(f"tidy: {len(files.texts)} files, {len(findings)} findings; rules: {names}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
