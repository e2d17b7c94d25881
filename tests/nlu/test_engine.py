"""The embedded engine: learned once, the same ever after, and silent about what it never met."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.artefact import artefact_path, ensure_model
from nlu.data import Example, ModelError, data_hash
from nlu.engine import Model
from nlu.text import normalise, syllables
from nlu.training import train

FEW = tuple(
    Example(text=text, intent=intent)
    for intent, texts in {
        "greet": ("你好", "您好呀", "早上好", "老师好"),
        "goodbye": ("再见", "拜拜", "明天见", "回头见"),
        "book_room": ("约瑜伽室", "订一个乒乓球室", "预约多功能室", "想借阅览室"),
    }.items()
    for text in texts
)


@lru_cache(maxsize=1)
def small() -> Model:
    return train(FEW)


def best(model: Model, text: str) -> str:
    return model.classify(text)[0].intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("我想约下周三下午的心理咨询", "book_counseling"),
        ("瑜伽室明天晚上还能订吗，给我订一个", "book_room"),
        ("我都预约了哪些东西", "my_items"),
        ("绑定工号 20180312", "bind"),
        ("明天的咨询去不了了，取消吧", "withdraw"),
        ("周三的咨询想改到周五", "reschedule"),
        ("我的金点子进度怎么样了", "status"),
        ("想預約心理諮詢", "book_counseling"),
        ("想玉约心里自询", "book_counseling"),
        ("好的可以", "affirm"),
        ("不对，不是周三", "deny"),
        ("给我转人工", "human"),
    ],
)
def test_the_main_job_is_understood(model, text, intent):
    assert best(model, text) == intent


def test_a_saved_model_ranks_alike(tmp_path):
    path = tmp_path / "deep" / "model.npz"
    small().save(path)
    loaded = Model.load(path)
    assert loaded.intents == small().intents
    assert (loaded.data, loaded.seed) == (data_hash(FEW), 0)
    for text in ("你好", "约个瑜伽室", "拜", "再约一次"):
        assert loaded.classify(text) == small().classify(text)
    assert [p.name for p in path.parent.iterdir()] == ["model.npz"]


def test_training_is_repeatable_and_knows_no_order():
    again = train(FEW[::-1], seed=0)
    assert again.vocabulary.rows == small().vocabulary.rows
    assert np.array_equal(again.weights, small().weights)
    assert train(FEW, seed=5).seed == 5


def test_two_intents_are_enough_and_one_is_not():
    two = train([e for e in FEW if e.intent != "goodbye"])
    assert best(two, "您好") == "greet"
    assert best(two, "订多功能室") == "book_room"
    assert sum(r.confidence for r in two.classify("您好")) == pytest.approx(1)
    with pytest.raises(ValueError, match="two intents"):
        train([e for e in FEW if e.intent == "greet"])


@pytest.mark.parametrize(
    "text", ["", " ", "😀", "[微笑][抱拳]", "。。。", "鑫淼焱", "ኣማርኛ", "\ud800", "\u202e\u200b", "żółć"]
)
def test_what_holds_no_known_word_is_not_ranked(text):
    assert small().classify(text) == ()


@pytest.mark.parametrize("text", ["躞蹀", "ኣማርኛ", "☃☃☃", "Ω≈ç√", "ქართული"])
def test_the_full_model_does_not_guess_at_unseen_words(model, text):
    assert model.classify(text) == ()


def test_an_unknown_word_beside_a_known_one_lowers_the_confidence():
    sure, less = small().classify("你好")[0], small().classify("你好鑫淼焱垚")[0]
    assert sure.confidence > less.confidence


def test_what_is_no_model_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(FileNotFoundError):
        Model.load(path)
    for content in (b"", b"nonsense", b"PK\x03\x04broken"):
        path.write_bytes(content)
        with pytest.raises(ModelError):
            Model.load(path)
    np.savez(path, meta=np.frombuffer(b'{"version": 0}', dtype=np.uint8))
    with pytest.raises(ModelError):
        Model.load(path)
    np.savez(path, meta=np.array([object()]), vocabulary=1, idf=1, weights=1, bias=1)
    with pytest.raises(ModelError):
        Model.load(path)


def test_a_model_whose_parts_do_not_fit_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    small().save(path)
    with np.load(path) as stored:
        parts = dict(stored)
    np.savez(path, **parts | {"bias": parts["bias"][:-1]})
    with pytest.raises(ModelError, match="fit"):
        Model.load(path)


def test_the_cache_follows_the_data(tmp_path):
    data, cache = tmp_path / "few.jsonl", tmp_path / "cache"
    rows = [f'{{"text": "{e.text}", "intent": "{e.intent}"}}' for e in FEW]
    data.write_text("\n".join(rows), encoding="utf-8")
    first = ensure_model(data, cache)
    path = artefact_path(cache, data_hash(FEW))
    assert [p.name for p in cache.iterdir()] == [path.name]
    before = path.stat().st_mtime_ns
    assert ensure_model(data, cache).classify("你好") == first.classify("你好")
    assert path.stat().st_mtime_ns == before, "the second time it is only loaded"
    data.write_text("\n".join([*rows, '{"text": "嗨", "intent": "greet"}']), encoding="utf-8")
    ensure_model(data, cache)
    assert len(list(cache.iterdir())) == 2


def test_a_damaged_cache_is_replaced(tmp_path, caplog):
    data, cache = tmp_path / "few.jsonl", tmp_path / "cache"
    data.write_text("\n".join(f'{{"text": "{e.text}", "intent": "{e.intent}"}}' for e in FEW), encoding="utf-8")
    path = artefact_path(cache, data_hash(FEW))
    cache.mkdir()
    path.write_bytes(b"half a file")
    assert best(ensure_model(data, cache), "你好") == "greet"
    assert best(Model.load(path), "你好") == "greet"
    assert "unusable" in caplog.text


@settings(deadline=None)  # the first one loads the encoder
@given(st.text())
def test_any_text_is_ranked_or_not(text):
    ranking = small().classify(text)
    shares = [r.confidence for r in ranking]
    assert shares == sorted(shares, reverse=True)
    assert ranking == () or sum(shares) == pytest.approx(1)


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once
    assert len(once) <= 2000


def test_a_message_is_read_as_it_was_meant():
    assert normalise("　我想預約ＹＯＧＡ　室！！！😀[微笑]\u200b") == "我想预约yoga 室!"
    assert normalise("活著，著名，[OK]") == "活着,著名, ok"
    assert syllables(normalise("約ppt室3號")) == ["yue", "ppt", "shi", "3", "hao"]
    assert len(normalise("好" * 10_000)) == 2000
