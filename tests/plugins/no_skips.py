"""By this pytest plugin a skipped test fails the run; only `.ci/run` loads it: `-p tests.plugins.no_skips`.

On a developer's machine a skip says "this cannot run here". Where all was installed to run it, a skip is a
test that nobody noticed missing. An expected failure counts too: that test is not held to what it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


class NoSkips:
    """Collects what was skipped, at collection or in a test, and fails a session that is good otherwise."""

    def __init__(self) -> None:
        self.skipped: dict[str, str] = {}

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped:
            return
        expected_failure = getattr(report, "wasxfail", None)
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        self.skipped[report.nodeid] = reason if expected_failure is None else f"xfail: {expected_failure}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # A file that is skipped whole leaves "no tests collected", which is no better news.
        if self.skipped and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if not self.skipped:
            return
        terminalreporter.section("skipped, which is a failure here", red=True)
        for nodeid, reason in self.skipped.items():
            terminalreporter.line(f"{nodeid}: {reason}")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(NoSkips(), "niangjiaren-no-skips")
