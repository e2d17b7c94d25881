"""Sealed texts: what opens, what does not, and keys that are changed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.blocks.vault import AesVault, new_key, parse_keys
from actions.core.errors import ConfigurationError

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
VAULT = AesVault({"a": OLD})

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_json, st.text(max_size=20))
def test_what_is_sealed_opens_again(value, about):
    assert VAULT.open(VAULT.seal(value, about=about), about=about) == value


def test_the_same_text_is_never_sealed_alike():
    first, second = (VAULT.seal("最近睡不好", about="appointment") for _time in range(2))
    assert first != second
    assert "睡" not in first


def test_a_time_is_kept_as_text():
    moment = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    assert VAULT.open(VAULT.seal({"at": moment}, about="x"), about="x") == {"at": moment.isoformat()}


def test_what_is_no_json_is_refused():
    with pytest.raises(TypeError, match="Decimal"):
        VAULT.seal(Decimal(1), about="x")


@given(st.data())
def test_a_text_that_was_tampered_with_does_not_open(data):
    sealed = VAULT.seal({"words": "最近睡不好"}, about="appointment")
    place = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda char: char != sealed[place]))
    changed = sealed[:place] + other + sealed[place + 1 :]
    try:
        opened = VAULT.open(changed, about="appointment")
    except ConfigurationError:
        return
    # The last digit of base64 has bits to spare: it may differ and mean the same bytes.
    assert opened == {"words": "最近睡不好"}


@given(st.text(max_size=60))
def test_any_other_text_is_refused_and_not_half_read(text):
    with pytest.raises(ConfigurationError):
        VAULT.open(text, about="appointment")


def test_a_text_does_not_open_in_another_place():
    with pytest.raises(ConfigurationError, match="does not open"):
        VAULT.open(VAULT.seal("x", about="appointment"), about="conversation")


def test_a_new_key_seals_and_the_old_one_still_opens():
    before = VAULT.seal("x", about="p")
    both = AesVault({"a": OLD, "b": NEW})
    after = both.seal("y", about="p")
    assert (both.open(before, about="p"), both.open(after, about="p")) == ("x", "y")
    assert after.startswith("v1.b.")
    with pytest.raises(ConfigurationError, match="key 'b' is missing"):
        VAULT.open(after, about="p")
    assert both.pseudonym("member:1") == VAULT.pseudonym("member:1")


def test_a_key_of_the_same_name_that_differs_does_not_open():
    with pytest.raises(ConfigurationError, match="does not open with key 'a'"):
        AesVault({"a": NEW}).open(VAULT.seal("x", about="p"), about="p")


def test_pseudonyms_are_stable_and_tell_nothing():
    names = {VAULT.pseudonym(f"member:{number}") for number in range(500)}
    assert len(names) == 500
    assert VAULT.pseudonym("member:7") in names
    assert AesVault({"a": NEW}).pseudonym("member:7") not in names


@pytest.mark.parametrize("keys", [{}, {"a": b"short"}, {"": OLD}, {"a.b": OLD}])
def test_keys_that_will_not_do(keys):
    with pytest.raises(ConfigurationError, match="vault keys"):
        AesVault(keys)


def test_keys_are_read_oldest_first():
    text = ",".join(f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in (("a", OLD), ("b", NEW)))
    assert list(parse_keys(f" {text} ,").items()) == [("a", OLD), ("b", NEW)]
    assert len(parse_keys(f"k1:{new_key()}")["k1"]) == 32


@pytest.mark.parametrize(
    "text", ["a", "a:!!!", "a:AAA", pytest.param(f"a:{new_key()},a:{new_key()}", id="one name twice")]
)
def test_keys_of_another_shape_are_refused(text):
    with pytest.raises(ConfigurationError, match="vault keys"):
        AesVault(parse_keys(text))
