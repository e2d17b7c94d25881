"""What a message says, read without a database: set phrases, picked choices, contacts, times completed by others."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.core.life import Choice
from actions.core.zones import SHANGHAI
from bot.dialogue.contacts import contact, contact_values
from bot.dialogue.picking import number_said, picked
from bot.dialogue.state import Frame, State, expire
from bot.dialogue.wishes import with_known
from bot.dialogue.words import Words, load_words
from bot.settings import ROOT
from nlu.types import Entity, Parse

NOW = datetime(2026, 11, 22, 9, tzinfo=SHANGHAI)
ROOMS = [Choice(value=name, label=name) for name in ("瑜伽室", "乒乓球室", "放松减压室")]
IDLE, KEEP = timedelta(minutes=30), timedelta(days=7)


@pytest.fixture(scope="module")
def words() -> Words:
    return load_words(ROOT / "data" / "responses")


def _parse(text: str, *entities: Entity) -> Parse:
    return Parse(text=text, intent="out_of_scope", confidence=0.0, entities=entities)


@pytest.mark.parametrize(
    "text",
    ["嗯", "对的", "好滴", "OK", "ok!", "👌", "没问题就这样", "好的谢谢", "那就这样吧", "确认无误", "嗯嗯，好的呀"],
)
def test_these_are_yes(words: Words, text: str) -> None:
    assert words.says("affirm", text)


@pytest.mark.parametrize(
    "text", ["", "谢谢", "那", "老师好", "可以改吗", "好像不对", "确认一下能停车吗", "不行", "行不行", "好的好的" * 9]
)
def test_these_are_not_yes(words: Words, text: str) -> None:
    assert not words.says("affirm", text)


def test_no_phrase_is_yes_and_no(words: Words) -> None:
    assert not words.affirm & (words.deny | words.cancel | words.keep)


@settings(deadline=None)
@given(text=st.text(max_size=3_000))
def test_any_text_can_be_asked_for_its_meaning(words: Words, text: str) -> None:
    assert isinstance(words.says("affirm", text), bool)
    assert (number_said(text) or 0) >= 0
    assert all(isinstance(part, str) for part in contact(_parse(text)))


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), ("２", 2), ("二", 2), ("第2个", 2), ("选十二", 12), ("二十", 20), ("两", 2), ("2号楼", None)],
)
def test_numbers(text: str, number: int | None) -> None:
    assert number_said(text) == number


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("乒乓", "乒乓球室"),
        ("减压室吧", "放松减压室"),
        ("就瑜伽室", "瑜伽室"),
        ("3", "放松减压室"),
        ("4", None),
        ("室", None),
        ("不要瑜伽室", None),
        ("瑜伽室还是乒乓球室", None),
        ("都行", "瑜伽室"),
    ],
)
def test_choices(words: Words, text: str, room: str | None) -> None:
    choice = picked(ROOMS, _parse(text), words)
    assert (choice.value if choice else None) == room


def test_where_it_is_grave_only_the_whole_label_counts(words: Words) -> None:
    consent = [Choice(value="true", label="同意"), Choice(value="false", label="不同意")]
    said = {
        text: picked(consent, _parse(text), words, whatever=False, whole=True) for text in ("同意", "不太同意", "都行")
    }
    assert [choice.value if choice else None for choice in said.values()] == ["true", None, None]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("13912345678 王芳", ("王芳", "13912345678")),
        ("我老公李强，电话139 1234 5678", ("老公李强", "13912345678")),
        ("+86 139-1234-5678 王芳", ("王芳", "13912345678")),
        ("王芳 0516-83590000", ("王芳", "051683590000")),
        ("王芳 1391234567", ("", "")),
        ("王芳 139123456789", ("", "")),
        ("王芳", ("王芳", "")),
        ("我老公李强", ("李强", "")),
        ("换成周四", ("", "")),
        ("不想留", ("", "")),
        ("Robert'); DROP TABLE students;-- 13912345678", ("", "13912345678")),
    ],
)
def test_contacts(text: str, parts: tuple[str, str]) -> None:
    assert contact(_parse(text)) == parts


def test_a_contact_comes_in_two_messages() -> None:
    first = contact_values("contact", _parse("王芳"), {})
    assert first == {"contact_name": "王芳"}
    assert contact_values("contact", _parse("13912345678"), first)["contact"] == "王芳 13912345678"
    assert contact_values("contact", _parse("没有"), first) == {}


def _wish(start: datetime, end: datetime, *, day_named: bool) -> dict[str, object]:
    kind = "point" if start == end else "span"
    return {"start": start.isoformat(), "end": end.isoformat(), "kind": kind, "text": "", "day_named": day_named}


@pytest.mark.parametrize(("hour", "meant"), [(7, 19), (8, 20), (19, 19), (3, 3)])
def test_an_hour_falls_into_the_part_of_the_day_that_was_named(hour: int, meant: int) -> None:
    evening = _wish(NOW.replace(day=28, hour=18), NOW.replace(day=29, hour=0), day_named=True)
    said = NOW.replace(hour=hour)
    wish = with_known("time_wish", _wish(said, said, day_named=False), {"time_wish": evening})
    assert datetime.fromisoformat(wish["start"]) == NOW.replace(day=28, hour=meant)


@pytest.mark.parametrize(("minutes", "shelved"), [(29, False), (30, True), (31, True)])
def test_a_form_that_lay_idle_becomes_a_draft(minutes: int, shelved: bool) -> None:
    state = State(stack=(Frame(service="counseling", values={"mode": "线上"}, asked="time", touched=NOW),))
    after, told = expire(state, NOW + timedelta(minutes=minutes), idle=IDLE, keep=KEEP)
    assert (told, after.top is None, len(after.drafts)) == (shelved, shelved, int(shelved))
    assert [frame.values for frame in (*after.stack, *after.drafts)] == [{"mode": "线上"}]


@pytest.mark.parametrize("as_draft", [True, False])
def test_a_draft_is_forgotten_after_a_week(as_draft: bool) -> None:
    frame = Frame(service="counseling", touched=NOW)
    state = State(drafts=(frame,)) if as_draft else State(stack=(frame,))
    kept, _told = expire(state, NOW + timedelta(days=6), idle=IDLE, keep=KEEP)
    gone, told = expire(state, NOW + timedelta(days=8), idle=IDLE, keep=KEEP)
    assert (len(kept.drafts), len(gone.drafts), gone.top, told) == (1, 0, None, False)
