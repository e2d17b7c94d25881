"""Messages in several parts that broke off: nothing twice, nothing left out, and no memory without end."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.begun import Begun
from bot.messages import SendError


def send(
    begun: Begun, row: int, parts: int, fails_at: int | None, *, permanent: bool = False, out: list[int] | None = None
) -> list[int]:
    """Sends a message of so many parts; returns those that went out in this try, and adds them to `out`."""
    out = [] if out is None else out
    with begun.going_on(row) as sent:
        for number in range(len(sent), parts):
            if number == fails_at:
                raise SendError("away", permanent=permanent)
            sent.append(f"p{number}")
            out.append(number)
    return out


@given(st.lists(st.integers(0, 5), max_size=6))
def test_every_part_goes_out_once_however_often_it_breaks_off(breaks: list[int]) -> None:
    begun, said = Begun(), list[int]()
    for fails_at in [*breaks, None]:
        with suppress(SendError):
            send(begun, 1, 5, fails_at, out=said)
            break
    assert said == [0, 1, 2, 3, 4]
    assert len(begun) == 0


def test_what_went_through_or_never_will_is_forgotten() -> None:
    begun = Begun()
    with pytest.raises(SendError):
        send(begun, 1, 3, fails_at=2, permanent=True)
    with pytest.raises(SendError):
        send(begun, 2, 3, fails_at=0)
    assert send(begun, 3, 3, fails_at=None) == [0, 1, 2]
    assert len(begun) == 0
    assert send(begun, 1, 3, fails_at=None) == [0, 1, 2]


def test_another_fault_forgets_it() -> None:
    begun = Begun()
    with pytest.raises(SendError):
        send(begun, 1, 3, fails_at=2)
    with suppress(RuntimeError), begun.going_on(1) as sent:
        assert sent == ["p0", "p1"]
        raise RuntimeError
    assert len(begun) == 0


def test_rows_are_apart_and_the_oldest_is_forgotten_first() -> None:
    begun = Begun(most=2)
    for row in (1, 2, 3):
        with pytest.raises(SendError):
            send(begun, row, 3, fails_at=1)
    assert len(begun) == 2
    assert send(begun, 1, 3, fails_at=None) == [0, 1, 2]
    assert send(begun, 3, 3, fails_at=None) == [1, 2]
    assert send(begun, 2, 3, fails_at=None) == [1, 2]
