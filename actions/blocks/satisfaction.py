"""Satisfaction in several aspects apart (态度, 结果), read from an answer in one's own words. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def marks(text: str, aspects: Sequence[str], levels: Sequence[str]) -> dict[str, str] | None:
    """The level of each aspect, or None where an aspect has none.

    A level that is said with no aspect before it counts for all that have none of their own (都满意). The longest level
    that fits is meant: 不满意 and 基本满意 are no 满意.

    Args:
        text: what was said (态度满意，结果不满意).
        aspects: what is marked.
        levels: the marks, best first.

    """
    by_length = "|".join(map(re.escape, sorted(levels, key=len, reverse=True)))
    names = "|".join(map(re.escape, aspects))
    found: dict[str, str] = {}
    common = ""
    for match in re.finditer(rf"(?:({names})[^\n，,；;。]{{0,6}}?)?({by_length})", text):
        if match[1]:
            found[match[1]] = match[2]
        else:
            common = match[2]
    whole = {aspect: found.get(aspect, common) for aspect in aspects}
    return whole if all(whole.values()) else None
