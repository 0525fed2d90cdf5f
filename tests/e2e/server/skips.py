"""Tests that did not run are seen: each is named in a line that tools/test.sh counts, and a file of which nothing ran ends with 77,
which ctest reports as skipped."""

SKIPPED = 77


def skipped(reporter):
    return reporter.stats.get("skipped", [])


def pytest_terminal_summary(terminalreporter):
    for report in skipped(terminalreporter):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"skipped inside: {report.nodeid}: {why.removeprefix('Skipped: ')}")


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    ran = [r for word in ("passed", "failed", "error") for r in reporter.stats.get(word, [])]
    if exitstatus == 0 and skipped(reporter) and not ran:
        session.exitstatus = SKIPPED
