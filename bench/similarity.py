"""Like ideas among two thousand: planted duplicates found, strangers left alone, one search timed.

The share of characters and the threshold (0.40) were chosen on these pairs. Each planted duplicate says one of the
ideas again in other words (bench/similarity_pairs.jsonl, written by hand); the other ideas are made of places, wishes
and reasons, so that many of them share words with the duplicates.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from actions.blocks.similarity import alike, packed, unpacked
from bot.lives import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

_COUNT = 2000
_PAIRS = Path(__file__).parent / "similarity_pairs.jsonl"
_PLACES = ("南湖校区", "文昌校区", "图书馆", "体育馆", "食堂", "实验楼", "家属区", "校车站", "行政楼", "教师公寓")
_THINGS = (
    "饮水机",
    "停车位",
    "充电桩",
    "路灯",
    "健身器材",
    "打印点",
    "雨棚",
    "长椅",
    "公告栏",
    "垃圾分类点",
    "自行车棚",
)
_WISHES = ("多设几处", "换成节能的", "延长开放时间", "定期检修", "配上指示牌", "交给专人管理", "可以网上预约")
_REASONS = ("方便老师们", "一年能省下一笔钱", "现在经常坏", "排队时间太长")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Shares of the duplicates that were found, and found first, and of strangers that were shown something."""

    found: float
    first: float
    shown: float
    milliseconds: float


def _ideas() -> list[str]:
    made = itertools.product(_PLACES, _THINGS, _WISHES, _REASONS)
    return [f"{place}的{thing}{wish}，{reason}" for place, thing, wish, reason in made]


def _measure(pairs: Sequence[Sequence[str]], strangers: Sequence[str], least: float, *, vectors: bool) -> Figures:
    ideas = [*(first for first, _ in pairs), *_ideas()[: _COUNT - len(pairs)]]
    matrix = unpacked([packed(row) for row in encode(ideas)]) if vectors else None
    times: list[float] = []

    def search(text: str) -> list[int]:
        begun = perf_counter()
        vector: NDArray[np.float32] | None = encode([text])[0] if vectors else None
        hits = alike(text, vector, ideas, matrix, least=least, most=3)
        times.append((perf_counter() - begun) * 1000)
        return [hit.place for hit in hits]

    places = [search(again) for _, again in pairs]
    return Figures(
        found=sum(number in found for number, found in enumerate(places)) / len(pairs),
        first=sum(found[:1] == [number] for number, found in enumerate(places)) / len(pairs),
        shown=sum(bool(search(text)) for text in strangers) / len(strangers),
        milliseconds=median(times),
    )


def run(say: Callable[[str], None]) -> None:
    """Prints a line for each way to compare and each threshold."""
    lines = [json.loads(line) for line in _PAIRS.read_text(encoding="utf-8").splitlines()]
    pairs = [line["pair"] for line in lines if "pair" in line]
    strangers = [line["other"] for line in lines if "other" in line]
    say(f"{len(pairs)} planted duplicates among {_COUNT} ideas, {len(strangers)} ideas that are like none")
    for vectors, least in ((True, 0.35), (True, 0.4), (True, 0.45), (True, 0.5), (False, 0.2), (False, 0.4)):
        got = _measure(pairs, strangers, least, vectors=vectors)
        way = "meaning and characters" if vectors else "characters alone"
        say(
            f"{way:<24}from {least:.2f}: found {got.found:.0%}, first {got.first:.0%}, "
            f"shown without cause {got.shown:.0%}, {got.milliseconds:.1f} ms"
        )
