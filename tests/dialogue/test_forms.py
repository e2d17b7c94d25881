"""Forms and policy as pure functions: any order fills the same, nothing said makes them fail."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.core.catalogue import Catalogue, Declaration
from actions.core.life import Choice
from bot.dialogue import forms, policy
from bot.dialogue.policy import Registry
from bot.dialogue.state import Frame, State, expire
from bot.dialogue.words import load_words
from bot.lives import load_services
from bot.settings import ROOT, Settings
from bot.understanding import intent_kinds
from nlu.pipeline import Pipeline
from nlu.types import Parse
from tests.conftest import NOW

_FIELDS = ["time", "counsellor", "mode", "consent", "contact", "note", ""]
_VAGUE = ["🙂🙂", "13点60分", "DROP TABLE member;", "<b>何医生</b>", "zzqq", "。。。", "嗯哼", "1", "同意"]
_NAMES = {"counsellor": {"何医生": "何医生", "高老师": "高老师"}, "room": {"瑜伽室": "瑜伽室"}}


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_services(Settings())


@pytest.fixture(scope="session")
def registry(catalogue: Catalogue) -> Registry:
    return Registry(
        catalogue=catalogue,
        words=load_words(ROOT / "data" / "responses"),
        kinds=intent_kinds(ROOT / "data"),
        open_confidence=0.45,
        clarify_margin=0.12,
    )


@pytest.fixture(scope="session")
def counseling(catalogue: Catalogue) -> Declaration:
    return catalogue["counseling"]


class Listener:
    """The real NLU with the names of two counsellors and a room."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def hear(self, text: str) -> Parse:
        self._pipeline.update_gazetteer(_NAMES)
        return asyncio.run(self._pipeline.parse(text, NOW))


@pytest.fixture(scope="session")
def listener(pipeline: Pipeline) -> Listener:
    return Listener(pipeline)


def _ask(declaration: Declaration, frame: Frame) -> Frame:
    """Asks the next question, as a turn would; choices are those that the declaration itself gives."""
    following = forms.advance(declaration, frame)
    if not isinstance(following, forms.Ask):
        return frame.but(asked="")
    field = following.field
    return frame.but(asked=field.key, choices=tuple(Choice(value=c.value, label=c.value) for c in field.choices))


@settings(max_examples=24, deadline=None)
@given(order=st.permutations(["下周三下午三点", "何医生", "线下", "南湖校区"]))
def test_a_form_fills_the_same_in_any_order(
    order: list[str], counseling: Declaration, registry: Registry, listener: Listener
) -> None:
    frame = Frame(service="counseling", touched=NOW, facts={"first": False})
    for text in order:
        frame = forms.take(counseling, _ask(counseling, frame), listener.hear(text), registry.words).frame
    expected = {"counsellor": "何医生", "mode": "线下", "campus": "南湖校区"}
    wish = frame.values.pop("time_wish")
    assert frame.values == expected
    assert wish["start"] == "2026-11-25T15:00:00+08:00"


def test_one_message_fills_several_fields(counseling: Declaration, registry: Registry, listener: Listener) -> None:
    frame = Frame(service="counseling", touched=NOW, facts={"first": False})
    taken = forms.take(counseling, frame, listener.hear("下周三下午三点线上，找何医生"), registry.words)
    assert taken.changed == {"time_wish", "counsellor", "mode"}


def test_a_changed_day_keeps_the_hour_and_a_changed_hour_keeps_the_day(
    counseling: Declaration, registry: Registry, listener: Listener
) -> None:
    frame = Frame(service="counseling", touched=NOW, values={"time": "2026-11-25T15:00:00+08:00"})
    other_day = forms.take(counseling, frame, listener.hear("改成周四"), registry.words).frame.values["time_wish"]
    other_hour = forms.take(counseling, frame, listener.hear("改成四点"), registry.words).frame.values["time_wish"]
    assert (other_day["start"][:10], other_day["clock"]) == ("2026-11-26", "15:00")
    assert other_hour["start"] == "2026-11-25T16:00:00+08:00"


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=60), asked=st.sampled_from(["time", "counsellor", "mode", "consent", "contact", "note", ""])
)
def test_whatever_is_said_gives_a_step(text: str, asked: str, registry: Registry, listener: Listener) -> None:
    phase = "filling" if asked else "confirming"
    frame = Frame(service="counseling", touched=NOW, asked=asked, phase=phase, choices=(Choice(value="a", label="甲"),))
    step = policy.decide(State(stack=(frame,)), listener.hear(text), registry, NOW)
    assert isinstance(step, policy.Step)


@settings(max_examples=100, deadline=None)
@given(
    text=st.sampled_from(
        ["🙂🙂", "13点60分", "DROP TABLE member;", "<b>何医生</b>", "zzqq", "。。。", "嗯哼", "1", "同意"]
    )
)
def test_nothing_vague_commits_an_empty_conversation(text: str, registry: Registry, listener: Listener) -> None:
    step = policy.decide(State(), listener.hear(text), registry, NOW)
    assert not isinstance(step, policy.Fill | policy.Do)


def test_an_idle_form_becomes_a_draft_and_a_draft_is_forgotten() -> None:
    state = State(stack=(Frame(service="counseling", touched=NOW, values={"mode": "线上"}),))
    idle, keep = timedelta(minutes=30), timedelta(days=7)
    same, shelved = expire(state, NOW + timedelta(minutes=29), idle=idle, keep=keep)
    assert (same, shelved) == (state, False)
    state, shelved = expire(state, NOW + timedelta(minutes=30), idle=idle, keep=keep)
    assert (shelved, state.stack, state.drafts[0].values) == (True, (), {"mode": "线上"})
    assert expire(state, NOW + timedelta(days=8), idle=idle, keep=keep)[0].drafts == ()


def test_a_state_survives_its_json(listener: Listener) -> None:
    frame = Frame(service="counseling", touched=NOW, choices=(Choice(value="a", label="甲"),), values={"n": 1})
    state = State(stack=(frame,), unclear=listener.hear("下周三下午"), clarify=(Choice(value="b", label="乙"),))
    assert State.model_validate(state.model_dump(mode="json")) == state


@pytest.mark.parametrize(("text", "services"), [("是的", 1), ("确认", 1), ("确认", 2)])
def test_yes_takes_the_only_thing_that_was_offered(
    text: str, services: int, registry: Registry, listener: Listener
) -> None:
    offered = [Choice(value=each, label=each) for each in ("withdraw", "my_items")[:services]]
    unclear = listener.hear("zzqq")
    state = State(clarify=(*offered, Choice(value="none", label="都不是")), unclear=unclear)
    step = policy.decide(state, listener.hear(text), registry, NOW)
    opened = policy.Open(service="withdraw", parse=unclear)
    assert (step == opened) is (services == 1)
