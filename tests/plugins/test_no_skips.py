"""A run that leaves tests out is no good run, however they were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.pytester import Pytester, RunResult

pytest_plugins = ["pytester"]

PASSES = "def test_passes(): assert True\n"


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    # The inner run shares this process: what the outer run set up for sockets and seeds is left alone.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: Pytester, *arguments: str, **files: str) -> RunResult:
    pytester.makepyfile(**files)
    return pytester.runpytest_inprocess(*arguments)


def run_strictly(pytester: Pytester, **files: str) -> RunResult:
    return run(pytester, "-p", "tests.plugins.no_skips", **files)


def test_a_run_in_which_everything_ran_stays_good(pytester: Pytester):
    assert run_strictly(pytester, test_a=PASSES).ret == pytest.ExitCode.OK


def test_without_the_plugin_a_skip_is_let_pass(pytester: Pytester):
    assert run(pytester, test_a=PASSES + SKIPS["by a mark"]).ret == pytest.ExitCode.OK


SKIPS = {
    "by a mark": "import pytest\n@pytest.mark.skip(reason='too early')\ndef test_left_out(): pass\n",
    "in its body": "import pytest\ndef test_left_out(): pytest.skip('too early')\n",
    "in a fixture": (
        "import pytest\n@pytest.fixture\ndef peer(): pytest.skip('too early')\ndef test_left_out(peer): pass\n"
    ),
    "with its whole file": "import pytest\npytest.skip('too early', allow_module_level=True)\n",
    "as an expected failure": (
        "import pytest\n@pytest.mark.xfail(reason='too early')\ndef test_left_out(): assert False\n"
    ),
}


@pytest.mark.parametrize("how", SKIPS)
def test_a_skip_fails_the_run_and_is_named_with_its_reason(pytester: Pytester, how: str):
    result = run_strictly(pytester, test_kept=PASSES, test_skips=SKIPS[how])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*skipped, which is a failure here*", "test_skips.py*: *too early"])


def test_a_run_of_nothing_but_skips_fails_as_a_failure(pytester: Pytester):
    assert run_strictly(pytester, test_a=SKIPS["with its whole file"]).ret == pytest.ExitCode.TESTS_FAILED


def test_a_run_that_was_given_up_keeps_its_own_exit_code(pytester: Pytester):
    stop = "def test_stop(): pytest.exit('enough', returncode=7)\n"
    assert run_strictly(pytester, test_a=SKIPS["by a mark"] + stop).ret == 7
