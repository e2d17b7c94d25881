"""Chinese time expressions: text and now -> the times named in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from nlu.types import TimeMention


def parse(text: str, now: datetime) -> tuple[TimeMention, ...]:
    """Find the times."""
    return ()


def impossible(text: str, now: datetime) -> tuple[str, ...]:
    """Find what looks like a time and is none."""
    return ()
