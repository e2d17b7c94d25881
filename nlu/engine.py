"""The embedded engine: sound, shape and meaning of a message, weighed by a multinomial logistic regression."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nlu.data import ModelError
from nlu.features import Vocabulary, views
from nlu.spelling import Speller
from nlu.text import normalise
from nlu.types import Ranked
from nlu.vectors import DIMENSIONS, Encoder, one_thread

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Raise this when features or the artefact change: a cached model of another version is trained anew.
VERSION = 4

#: How much the sentence vector counts beside the n-grams, whose two views have length 1 each.
MEANING = 1.5

# Parts of an artefact that are lists of texts, joined by what no normalised message holds.
_TEXTS = ("vocabulary", "pieces", "grams")
_ENCODER = "encoder_"  # begins the names of the encoder's arrays


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A trained classifier.

    `weights` is (terms + vectors.DIMENSIONS, intents), `bias` (intents,), both float32. `temperature` makes
    confidences mean what they say; below `threshold` an intent is not to be acted upon. Both were found by
    cross-validation on the training data, whose hash is `data`. `speller` is None where that was too little.
    """

    intents: tuple[str, ...]
    vocabulary: Vocabulary
    encoder: Encoder
    speller: Speller | None
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
        known = self.vocabulary.known_share(views(plain))
        if not known:
            return ()
        plain = self.speller.mended(plain) if self.speller else plain
        scores = self._scores(plain).astype(np.float64) * (known / self.temperature)
        odds = np.exp(scores - scores.max())
        shares = (odds / odds.sum()).tolist()
        ranked = sorted(zip(shares, self.intents, strict=True), key=lambda pair: (-pair[0], pair[1]))
        return tuple(Ranked(intent=intent, confidence=share) for share, intent in ranked)

    def _scores(self, plain: str) -> NDArray[np.float32]:
        rows, values = self.vocabulary.vector(views(plain))
        terms = len(self.vocabulary)
        with one_thread():
            meaning = self.encoder.encode([plain])[0] * np.float32(MEANING)
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
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, meta=_bytes(json.dumps(meta, ensure_ascii=False)), **self._parts())
        part.replace(path)

    def _parts(self) -> Any:
        counts = self.speller.counts if self.speller else {}
        texts = (sorted(self.vocabulary.rows, key=self.vocabulary.rows.__getitem__), self.encoder.pieces, counts)
        return {
            "idf": self.vocabulary.idf,
            "weights": self.weights,
            "bias": self.bias,
            "counts": np.fromiter(counts.values(), dtype=np.int32, count=len(counts)),
            **{name: _bytes("\n".join(each)) for name, each in zip(_TEXTS, texts, strict=True)},
            **{_ENCODER + name: array for name, array in self.encoder.arrays.items()},
        }

    @staticmethod
    def load(path: Path) -> Model:
        """Read an artefact; nothing in it is ever executed (no pickle).

        Raises:
            FileNotFoundError: no such file.
            ModelError: it is no artefact of this version.

        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return _assemble(dict(stored))
        except FileNotFoundError:
            raise
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(f"{path}: no model of version {VERSION}: {error}") from error


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _assemble(parts: dict[str, NDArray[Any]]) -> Model:
    meta = json.loads(parts["meta"].tobytes())
    if meta["version"] != VERSION:
        raise ValueError(f"version {meta['version']}")
    terms, pieces, grams = (parts[name].tobytes().decode().split("\n") for name in _TEXTS)
    encoder = {name.removeprefix(_ENCODER): array for name, array in parts.items() if name.startswith(_ENCODER)}
    counts = parts["counts"].tolist()
    model = Model(
        intents=tuple(meta["intents"]),
        vocabulary=Vocabulary(rows={term: row for row, term in enumerate(terms)}, idf=parts["idf"]),
        encoder=Encoder(pieces, encoder),
        speller=Speller(dict(zip(grams, counts, strict=True))) if counts else None,
        weights=parts["weights"],
        bias=parts["bias"],
        temperature=float(meta["temperature"]),
        threshold=float(meta["threshold"]),
        data=str(meta["data"]),
        seed=int(meta["seed"]),
    )
    _check(model)
    return model


def _check(model: Model) -> None:
    """Raises ValueError where the arrays of a model do not fit together."""
    terms, kinds, pieces = len(model.vocabulary), len(model.intents), len(model.encoder.pieces)
    wanted = ((terms,), (terms + DIMENSIONS, kinds), (kinds,), (pieces, DIMENSIONS))
    table = model.encoder.arrays["table"]
    if (model.vocabulary.idf.shape, model.weights.shape, model.bias.shape, table.shape) != wanted:
        raise ValueError("its arrays do not fit together")
