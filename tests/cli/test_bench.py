"""`python -m bench` lists the measurements; they themselves are no tests."""

import subprocess
import sys

from bot.settings import ROOT


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_benches_are_listed() -> None:
    done = bench()
    assert (done.returncode, done.stderr) == (0, "")
    assert {"start", "turn"} <= {line.split()[0] for line in done.stdout.splitlines()}


def test_one_that_is_not_there_is_wrong_usage() -> None:
    done = bench("nonsense")
    assert done.returncode == 2
    assert "start" in done.stdout
