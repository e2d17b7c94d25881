"""Questions that come with what was chosen: several answers at once, and answers that are meant for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from actions.core.catalogue import Catalogue, Declaration, DeclaredChoice, FormField
from actions.core.life import Choice
from bot.dialogue import forms
from bot.dialogue.picking import picked_several
from bot.dialogue.state import Frame
from bot.dialogue.words import load_words
from bot.settings import ROOT
from nlu.types import Entity, Parse

CHOICES = tuple(Choice(value=label, label=label) for label in ("球类比赛", "讲座和培训", "亲子活动", "3D打印"))


def _parse(text: str, *entities: Entity) -> Parse:
    return Parse(text=text, intent="out_of_scope", confidence=0.0, entities=entities)


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("1、3", (0, 2)),
        ("1,3", (0, 2)),
        ("3 1", (0, 2)),
        ("第一个和第三个", (0, 2)),
        ("一、二", (0, 1)),
        ("讲座和培训", (1,)),
        ("讲座和培训、亲子活动", (1, 2)),
        ("球类、亲子", (0, 2)),
        ("3d打印", (3,)),
        ("4", (3,)),
        ("2、2", (1,)),
        ("1、9", ()),
        ("球类、打牌", ()),
        ("随便", ()),
        ("、", ()),
    ],
)
def test_several_are_picked_by_number_or_label(text: str, picked: tuple[int, ...]) -> None:
    assert picked_several(CHOICES, _parse(text)) == tuple(CHOICES[index] for index in picked)


def _field(key: str, **more: object) -> FormField:
    described = {"key": key, "label": key, "prompt": key, "why": key, **more}
    return FormField.model_validate(described)


def _declaration() -> Declaration:
    return Declaration(
        id="poll",
        title="问卷",
        short="问卷",
        life="activity",
        triggers={"intents": ("list_activities",)},
        form=(_field("which", type="offering", entity="activity"),),
    )


def test_an_answer_is_meant_for_its_question_alone() -> None:
    """A label that is also the name of an activity does not choose another survey."""
    question = _field(
        "question_a",
        type="choice",
        choices=(DeclaredChoice(value="篮球"), DeclaredChoice(value="讲座")),
        only_asked=True,
    )
    more = _field("question_b", type="choice", choices=(DeclaredChoice(value="篮球"),), only_asked=True)
    asked = tuple(Choice(value=label, label=label) for label in ("篮球", "讲座"))
    frame = Frame(
        service="poll",
        values={"which": "问卷"},
        asked="question_a",
        choices=asked,
        further=(question, more),
        touched=datetime(2026, 11, 22, tzinfo=UTC),
    )
    words = load_words(ROOT / "data" / "responses")
    named = Entity(name="activity", value="篮球", start=2, end=4)
    declaration = frame.declared(Catalogue({"poll": _declaration()}))
    taken = forms.take(declaration, frame, _parse("就是篮球吧", named), words)
    assert taken.frame.values == {"which": "问卷", "question_a": "篮球"}
    nothing = forms.take(declaration, frame, _parse("看情况吧"), words)
    assert nothing.changed == frozenset()


def test_what_is_answered_in_secret_is_not_read_back() -> None:
    secret = _field("question_a", type="text", unsaid=True)
    frame = Frame(
        service="poll",
        values={"which": "问卷", "question_a": "食堂"},
        asked="question_a",
        further=(secret,),
        touched=datetime(2026, 11, 22, tzinfo=UTC),
    )
    catalogue = Catalogue({"poll": _declaration()})
    assert frame.asks_in_secret(catalogue)
    assert not frame.but(asked="which").asks_in_secret(catalogue)
    assert [field.key for field in forms.told(frame.declared(catalogue), frame)] == ["which"]
    assert [field.key for field in forms.revisable(frame.declared(catalogue), frame)] == ["which", "question_a"]
