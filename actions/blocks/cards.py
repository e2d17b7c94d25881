"""Bank cards that somebody types: never to be kept, so they are masked before anything else reads the message. Pure."""

from __future__ import annotations

import re

# 13 to 19 digits, in groups as they stand on the card or in one; no part of a longer number.
_LONG = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ \-]?[0-9]){12,18}(?![0-9A-Za-z])")
_CARD = re.compile(r"卡号|银行卡|工资卡|账号|帐号|开户|打到|储蓄卡|信用卡")
#: What stands in its place.
MASK = "（卡号已隐去）"
_IDENTITY = 18


def masked(text: str) -> str:
    """The text with every number that is a bank card's masked.

    A number is a card's where its check digit fits (ISO/IEC 7812-1, Luhn), or where the text speaks of a card and it is
    no identity number.
    """
    spoken = _CARD.search(text) is not None

    def replaced(match: re.Match[str]) -> str:
        digits = re.sub(r"[^0-9]", "", match[0])
        card = len(digits) >= 15 and (_fits(digits) or spoken) and not _identity(digits)
        return MASK if card else match[0]

    return _LONG.sub(replaced, text)


def _fits(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _identity(digits: str) -> bool:
    """Whether eighteen digits hold a date of birth where an identity number has it (GB 11643)."""
    if len(digits) != _IDENTITY:
        return False
    year, month, day = int(digits[6:10]), int(digits[10:12]), int(digits[12:14])
    return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31
