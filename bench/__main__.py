"""`python -m bench` lists the measurements, `python -m bench NAME` runs one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench import answers, delivery, engines, jielong, nlu, similarity, start, streams, timetable, turn

if TYPE_CHECKING:
    from types import ModuleType

BENCHES: dict[str, ModuleType] = {
    "answers": answers,
    "delivery": delivery,
    "jielong": jielong,
    "nlu": nlu,
    "similarity": similarity,
    "start": start,
    "streams": streams,
    "timetable": timetable,
    "turn": turn,
}


def main(arguments: list[str]) -> int:
    """Runs what is named; returns the exit code."""
    if arguments == ["nlu", "--peer", "rasa"]:
        engines.run(print)
        return 0
    if len(arguments) == 1 and arguments[0] in BENCHES:
        BENCHES[arguments[0]].run(print)
        return 0
    for name, bench in BENCHES.items():
        print(f"{name:<12}{(bench.__doc__ or '').splitlines()[0]}")
    print(f"{'nlu':<12}{(engines.__doc__ or '').splitlines()[0]}")
    return 2 if arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
