"""Signs of danger: found however they are put (crisis.yml), and not found in idioms."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nlu.crisis import detect, kind_of, readable

MESSAGES: dict[str, list[str]] = yaml.safe_load((Path(__file__).parent / "crisis.yml").read_text(encoding="utf-8"))

INVISIBLE = ["", " ", "\u200b", "\u202e", "\n"]


@pytest.mark.parametrize("text", MESSAGES["despair"])
def test_despair_is_heard(text):
    assert detect(text) == "despair"


@pytest.mark.parametrize("text", MESSAGES["attempt"])
def test_an_attempt_is_heard(text):
    assert detect(text) in {"despair", "danger_now"}


@pytest.mark.parametrize("text", MESSAGES["danger_now"])
def test_danger_at_this_moment_is_told_apart(text):
    assert detect(text) == "danger_now"


@pytest.mark.parametrize("text", MESSAGES["violence_at_home"])
def test_violence_is_heard(text):
    assert detect(text) in {"violence_at_home", "danger_now"}


@pytest.mark.parametrize("text", MESSAGES["harmless"])
def test_idioms_pass(text):
    assert detect(text) is None, readable(text)


def test_no_message_is_tried_under_two_answers():
    rows = [text for texts in MESSAGES.values() for text in texts]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    "text",
    [
        "累死了，真的不想活了",
        "报销难得要死，我也不想活了",
        "打我电话也没用，我已经吃了一瓶安眠药",
        "笑死，老公又打我",
        "预防自杀的讲座听完了，可我还是想自杀",
    ],
)
def test_an_idiom_hides_nothing(text):
    assert detect(text) is not None


def test_the_worst_decides():
    assert detect("老公又打我，我不想活了，刚吃了一瓶安眠药") == "danger_now"
    assert detect("不想活了，老公又打我") == "violence_at_home"


def test_the_end_of_a_long_letter_is_read():
    assert detect("这些年工会对我很好。" * 900 + "可是我不想活了") == "despair"


def test_a_crisis_known_by_other_means_has_a_kind():
    assert kind_of("他回来就要动手") == "violence_at_home"
    assert kind_of("心里空荡荡的") == "despair"


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    assert detect(text) in {None, "despair", "danger_now", "violence_at_home"}


@given(st.sampled_from(MESSAGES["despair"]), st.sampled_from(INVISIBLE), st.integers(0, 40))
def test_invisible_characters_do_not_hide_it(text, noise, at):
    assert detect(text[:at] + noise + text[at:]) == detect(text)
