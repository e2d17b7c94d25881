"""Identity numbers of citizens (GB 11643-1999): read from a message and held against their check digit. Pure."""

from __future__ import annotations

import re
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_NUMBER = re.compile(r"(?<![0-9A-Za-z])([0-9]{6}\s?[0-9]{4}\s?[0-9]{4}\s?[0-9]{3}[0-9Xx])(?![0-9A-Za-z])")
_OLDEST = 1900


def said(text: str) -> str | None:
    """The one number of eighteen places in a message, in capitals and without blanks; None for none or several."""
    full = text.translate(str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789XX"))
    found = {re.sub(r"\s", "", match).upper() for match in _NUMBER.findall(full)}
    return found.pop() if len(found) == 1 else None


def genuine(number: str, today: date) -> bool:
    """Whether a number has a day of birth that has been, and the check digit of ISO 7064 MOD 11-2 over its places."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    if not born.year >= _OLDEST or born > today:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return _CHECK[total % 11] == number[17]
