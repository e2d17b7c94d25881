"""A slip keeps the sound and changes the character."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.text import syllables
from nlu.typos import slip


@settings(deadline=None)  # the first one reads the table of sounds
@given(st.text(alphabet="下周三约心理咨询好的 abc1，"), st.integers(0, 3), st.integers())
def test_a_slip_sounds_alike(text, slips, seed):
    found = slip(text, Random(seed), slips=slips)
    assert len(found) == len(text)
    assert syllables(found) == syllables(text)
    changed = sum(a != b for a, b in zip(text, found, strict=True))
    assert changed == min(slips, sum(char in "下周三约心理咨询好的" for char in text))


@pytest.mark.parametrize("text", ["", "abc", "1，2", "😀"])
def test_what_has_no_sound_stays(text):
    assert slip(text, Random(1), slips=2) == text
