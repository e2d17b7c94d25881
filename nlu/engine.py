"""The embedded engine: sound, shape and meaning of a message, weighed by a multinomial logistic regression."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nlu import vectors
from nlu.data import ModelError
from nlu.features import Vocabulary, views
from nlu.text import normalise
from nlu.types import Ranked

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nlu.features import Views

#: Raise this when features or the artefact change: a cached model of another version is trained anew.
VERSION = 2

#: How much the sentence vector counts beside the n-grams, whose two views have length 1 each.
MEANING = 1.5

_FIELDS = ("meta", "vocabulary", "idf", "weights", "bias")


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A trained classifier.

    `weights` is (terms + vectors.DIMENSIONS, intents), `bias` (intents,), both float32. `temperature` makes
    confidences mean what they say; below `threshold` an intent is not to be acted upon. Both were found by
    cross-validation on the training data, whose hash is `data`.
    """

    intents: tuple[str, ...]
    vocabulary: Vocabulary
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    threshold: float
    data: str
    seed: int

    def classify(self, text: str) -> tuple[Ranked, ...]:
        """Rank every intent for a message, best first; confidences sum to 1.

        Returns:
            Nothing at all when the message has no word the model has ever met: the prior alone must not speak.

        """
        plain = normalise(text)
        seen = views(plain)
        known = self.vocabulary.known_share(seen)
        if not known:
            return ()
        scores = self._scores(seen, plain).astype(np.float64) * (known / self.temperature)
        odds = np.exp(scores - scores.max())
        shares = (odds / odds.sum()).tolist()
        ranked = sorted(zip(shares, self.intents, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return tuple(Ranked(intent=intent, confidence=share) for share, intent in ranked)

    def _scores(self, seen: Views, plain: str) -> NDArray[np.float32]:
        rows, values = self.vocabulary.vector(seen)
        terms = len(self.vocabulary)
        meaning = vectors.encode([plain])[0] * np.float32(MEANING)
        scores: NDArray[np.float32] = values @ self.weights[rows] + meaning @ self.weights[terms:] + self.bias
        return scores

    def save(self, path: Path) -> None:
        """Write the artefact in one move, so that a reader never meets half a file; folders are made."""
        meta = {
            "version": VERSION,
            "data": self.data,
            "seed": self.seed,
            "intents": self.intents,
            "temperature": self.temperature,
            "threshold": self.threshold,
        }
        terms = sorted(self.vocabulary.rows, key=self.vocabulary.rows.__getitem__)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(
                file,
                meta=_bytes(json.dumps(meta, ensure_ascii=False)),
                vocabulary=_bytes("\n".join(terms)),
                idf=self.vocabulary.idf,
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


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _assemble(parts: dict[str, NDArray[np.generic]]) -> Model:
    meta = json.loads(parts["meta"].tobytes())
    if meta["version"] != VERSION:
        raise ValueError(f"version {meta['version']}")
    terms = parts["vocabulary"].tobytes().decode().split("\n")
    rows = {term: row for row, term in enumerate(terms)}
    model = Model(
        intents=tuple(meta["intents"]),
        vocabulary=Vocabulary(rows=rows, idf=parts["idf"].astype(np.float32, copy=False)),
        weights=parts["weights"].astype(np.float32, copy=False),
        bias=parts["bias"].astype(np.float32, copy=False),
        temperature=float(meta["temperature"]),
        threshold=float(meta["threshold"]),
        data=str(meta["data"]),
        seed=int(meta["seed"]),
    )
    wanted = ((len(rows),), (len(rows) + vectors.DIMENSIONS, len(model.intents)), (len(model.intents),))
    if (model.vocabulary.idf.shape, model.weights.shape, model.bias.shape) != wanted:
        raise ValueError("its arrays do not fit together")
    return model
