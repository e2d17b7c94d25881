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
        given = json.loads(line)
        text = given["text"]
        moment = datetime.fromisoformat(given["now"]) if given.get("now") else now
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    if not isinstance(text, str):
        return {"error": "text: expected a string"}
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return to_json(await pipeline.parse(text, moment))
