"""`bot parse`: one JSON line in, one JSON line out, whatever the line holds."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from actions.core.zones import SHANGHAI
from nlu.pipeline import to_json

if TYPE_CHECKING:
    from nlu.pipeline import Pipeline


async def parse_line(pipeline: Pipeline, line: bytes, now: datetime) -> dict[str, Any]:
    """The parse of a line {"text", "now"?}; {"error"} for a line that is no such JSON."""
    try:
        text, moment = _read(line, now)
    # RecursionError: a line that nests without end.
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        return {"error": str(error) or type(error).__name__}
    return to_json(await pipeline.parse(text, moment))


def _read(line: bytes, now: datetime) -> tuple[str, datetime]:
    """Text and moment of a line. Raises ValueError, TypeError, OverflowError, RecursionError."""
    given = json.loads(line)
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise TypeError('expected {"text": "…", "now"?: "…"}')
    told = given.get("now")
    if told is None:
        return given["text"], now
    if not isinstance(told, str):
        raise TypeError("now: expected ISO 8601 text")
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return given["text"], moment.astimezone(SHANGHAI)
