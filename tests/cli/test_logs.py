"""Logs are lines of JSON on stderr, and hold nothing of what members said."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from actions.core.database import Database
from bot.settings import ROOT

PROGRAM = """
import logging, structlog
from bot.logs import configure
configure("info")
structlog.get_logger("bot").info("turn", ms=1)
structlog.get_logger("bot").debug("not told")
logging.getLogger("nlu").info("not told either")
said = "我不想活了"
try:
    raise ValueError("bad")
except ValueError:
    structlog.get_logger("bot").exception("one")
    logging.getLogger("bot.api").exception("two")
"""


@pytest.fixture(scope="module")
def logged() -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_every_line_is_json_whoever_logs(logged: str) -> None:
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("turn", "info"), ("one", "error"), ("two", "error")]
    assert all(line["timestamp"] for line in lines)
    assert all("ValueError: bad" in line["exception"] for line in lines[1:])


def test_a_trace_shows_no_variables(logged: str) -> None:
    assert "不想活" not in logged


async def test_an_error_of_the_database_tells_no_values() -> None:
    database = Database("sqlite+aiosqlite://")
    insert = text("insert into word values (:word)")
    async with database.write() as session:
        await session.execute(text("create table word (word text primary key)"))
        await session.execute(insert, {"word": "林一帆"})
    with pytest.raises(IntegrityError) as caught:
        async with database.write() as session:
            await session.execute(insert, {"word": "林一帆"})
    await database.close()
    assert "林一帆" not in str(caught.value)
    assert "word" in str(caught.value)
