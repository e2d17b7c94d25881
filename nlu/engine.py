"""The embedded engine: characters and sounds of a message, weighed by a logistic regression.

Character n-grams carry what is written, toneless pinyin n-grams what is meant when the input method picked the
wrong homophone. Learning uses scikit-learn; a trained `Model` needs numpy alone.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from nlu.data import data_hash
from nlu.text import normalise, syllables
from nlu.types import Ranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nlu.data import Example

#: Raise this when features or the artefact change: a cached model of another version is trained anew.
VERSION = 1

_LONGEST = 3  # of the n-grams
_STRENGTH = 20.0  # inverse of the regularisation; chosen by cross-validation on data/nlu
_BEGIN, _END = "\u2402", "\u2403"
_LONG_NUMBER = re.compile(r"\d{6,}")
_NUMBER = re.compile(r"\d+")
_SILENT = re.compile(r"[^\w?]+")
_FIELDS = ("meta", "vocabulary", "idf", "weights", "bias")


class ModelError(ValueError):
    """An artefact that is damaged, of another version, or no model at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A trained classifier.

    `vocabulary` gives a feature's row; `idf` is (features,), `weights` (features, intents), `bias` (intents,),
    all float32. `data` is the hash of what it was trained on.
    """

    intents: tuple[str, ...]
    vocabulary: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    data: str
    seed: int

    def classify(self, text: str) -> tuple[Ranked, ...]:
        """Rank every intent for a message, best first; confidences sum to 1.

        Returns:
            Nothing at all when the message has no word the model has ever met: the prior alone must not speak.

        """
        letters, sounds = _views(text)
        known = _known_share(letters, sounds, self.vocabulary)
        if not known:
            return ()
        rows, values = _vector(letters, sounds, self.vocabulary, self.idf)
        logits = (values * np.float32(known)) @ self.weights[rows] + self.bias
        odds = np.exp(logits.astype(np.float64) - float(logits.max()))
        shares = (odds / odds.sum()).tolist()
        ranked = sorted(zip(shares, self.intents, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return tuple(Ranked(intent=intent, confidence=share) for share, intent in ranked)

    def save(self, path: Path) -> None:
        """Write the artefact in one move, so that a reader never meets half a file; folders are made."""
        meta = {"version": VERSION, "data": self.data, "seed": self.seed, "intents": self.intents}
        terms = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez_compressed(
                file,
                meta=_bytes(json.dumps(meta, ensure_ascii=False)),
                vocabulary=_bytes("\n".join(terms)),
                idf=self.idf,
                weights=self.weights,
                bias=self.bias,
            )
        part.replace(path)

    @staticmethod
    def load(path: Path) -> Model:
        """Read an artefact; nothing in it is ever executed (no pickle).

        Raises:
            FileNotFoundError: no such file.
            ModelError: it is no artefact of this version.

        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                parts = {name: stored[name] for name in _FIELDS}
            return _assemble(parts)
        except FileNotFoundError:
            raise
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"{path}: no model of version {VERSION}: {error}") from error


def train(examples: Sequence[Example], *, seed: int = 0) -> Model:
    """Learn from labelled messages; the same examples in any order and the same seed give the same model.

    Args:
        examples: at least two intents among them.
        seed: kept in the artefact and given to the solver.

    Raises:
        ValueError: fewer than two intents.

    """
    # Learning is rare and scikit-learn heavy (about 100 MB): a process that only answers never loads it.
    sparse, linear = import_module("scipy.sparse"), import_module("sklearn.linear_model")
    ordered = sorted(examples, key=lambda example: (example.intent, example.text))
    intents = tuple(sorted({example.intent for example in ordered}))
    if len(intents) < 2:
        raise ValueError("at least two intents are needed to tell them apart")
    views = [_views(example.text) for example in ordered]
    vocabulary, idf = _learn_vocabulary(views)
    vectors = [_vector(*view, vocabulary, idf) for view in views]
    ends = np.cumsum([0, *(len(rows) for rows, _ in vectors)])
    matrix = sparse.csr_matrix(
        (np.concatenate([v for _, v in vectors]), np.concatenate([r for r, _ in vectors]), ends),
        shape=(len(vectors), len(vocabulary)),
    )
    solver = linear.LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=200, tol=1e-3, random_state=seed)
    solver.fit(matrix, [intents.index(example.intent) for example in ordered])
    weights, bias = solver.coef_, solver.intercept_
    if len(intents) == 2:  # two intents are learned as one score, for the second
        weights, bias = np.vstack([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
    return Model(
        intents=intents,
        vocabulary=vocabulary,
        idf=idf,
        weights=np.ascontiguousarray(weights.T, dtype=np.float32),
        bias=bias.astype(np.float32),
        data=data_hash(ordered),
        seed=seed,
    )


def _views(text: str) -> tuple[list[str], list[str]]:
    """The n-grams of a message: of its characters, and of its syllables (marked with ~)."""
    plain = _SILENT.sub("", _NUMBER.sub("0", _LONG_NUMBER.sub("#", normalise(text))))
    return list(_grams(list(plain), "")), ["~" + gram for gram in _grams(syllables(plain), " ")]


def _grams(tokens: list[str], glue: str) -> Iterator[str]:
    if not tokens:
        return
    yield from tokens
    padded = [_BEGIN, *tokens, _END]
    for size in range(2, _LONGEST + 1):
        for start in range(len(padded) - size + 1):
            yield glue.join(padded[start : start + size])


def _known_share(letters: Iterable[str], sounds: Iterable[str], vocabulary: dict[str, int]) -> float:
    """How much of a message the model has met, 0 to 1; a character known by its sound alone counts half.

    A single syllable proves nothing (every other one is known), so by sound alone it takes two in a row.
    """
    single = [term in vocabulary for term in letters if len(term) == 1]
    heard = [term in vocabulary for term in sounds if " " not in term]
    pairs = (term for term in sounds if " " in term and _BEGIN not in term and _END not in term)
    if not any(single) and not any(term in vocabulary for term in pairs):
        return 0.0
    return max(sum(single) / len(single), sum(heard) / (2 * max(1, len(heard))))


def _learn_vocabulary(views: Sequence[tuple[list[str], list[str]]]) -> tuple[dict[str, int], NDArray[np.float32]]:
    seen = Counter(term for letters, sounds in views for term in {*letters, *sounds})
    # A triple met once tells nothing that its pairs do not, and half of all features are such.
    terms = sorted(term for term, count in seen.items() if count > 1 or _size(term) < _LONGEST)
    # The root of the usual weight: the rarest n-grams of short messages are accidents more than topics.
    idf = [math.sqrt(math.log((1 + len(views)) / (1 + seen[term])) + 1) for term in terms]
    return {term: row for row, term in enumerate(terms)}, np.array(idf, dtype=np.float32)


def _size(term: str) -> int:
    return term.count(" ") + 1 if term.startswith("~") else len(term)


def _vector(
    letters: Iterable[str], sounds: Iterable[str], vocabulary: dict[str, int], idf: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Rows and values of one message; each view has length 1 (or 0), so that neither drowns the other."""
    blocks = [_block(view, vocabulary, idf) for view in (letters, sounds)]
    rows, values = zip(*blocks, strict=True)
    return np.concatenate(rows), np.concatenate(values)


def _block(
    terms: Iterable[str], vocabulary: dict[str, int], idf: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    counts = Counter(vocabulary[term] for term in terms if term in vocabulary)
    rows = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
    values = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))) * idf[rows]
    length = float(np.sqrt(values @ values))
    return rows, (values / length if length else values).astype(np.float32)


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _assemble(parts: dict[str, NDArray[np.generic]]) -> Model:
    meta = json.loads(parts["meta"].tobytes())
    if meta["version"] != VERSION:
        raise ValueError(f"version {meta['version']}")
    terms = parts["vocabulary"].tobytes().decode().split("\n")
    model = Model(
        intents=tuple(meta["intents"]),
        vocabulary={term: row for row, term in enumerate(terms)},
        idf=parts["idf"].astype(np.float32, copy=False),
        weights=parts["weights"].astype(np.float32, copy=False),
        bias=parts["bias"].astype(np.float32, copy=False),
        data=str(meta["data"]),
        seed=int(meta["seed"]),
    )
    features, intents = len(model.vocabulary), len(model.intents)
    if (model.idf.shape, model.weights.shape, model.bias.shape) != ((features,), (features, intents), (intents,)):
        raise ValueError("its arrays do not fit together")
    return model
