"""Learning: a multinomial logistic regression over n-grams and sentence vectors, and what it may be trusted with.

The n-grams are sparse and the vectors dense; kept apart they cost a quarter less than in scikit-learn's one sparse
matrix (docs/decisions/0006-embedded-nlu.md). Only who trains imports scipy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from nlu import vectors
from nlu.data import DataError, data_hash
from nlu.engine import MEANING, Model
from nlu.features import learn, views
from nlu.solver import minimise
from nlu.spelling import FEWEST, Speller
from nlu.text import normalise
from nlu.typos import slip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from nlu.data import Example
    from nlu.features import Views, Vocabulary

#: The intent that says "none of the others".
OUT_OF_SCOPE = "out_of_scope"

_STRENGTH = 10.0  # inverse of the regularisation
_STEPS, _STEPS_ON = 45, 60  # of the solver: from nothing, and from a model of most of the data (docs/nlu.md)
_PARTS = 4  # one of them is held out to see what confidences are worth
_FEWEST_TO_CALIBRATE = 300  # with less, held-out messages say nothing
_SLIPS = 0.35  # of the messages are learned once more as an input method may have left them
_BALANCE = 0.5  # 1 makes a rare intent count as much as a common one, 0 each message the same
_ALIKE = 0.0015  # share of the messages by which thresholds may differ and count as equal: the middle of those is taken
_HARM = 0.5  # what acting wrongly costs, beside 1 for acting rightly and 0 for asking again
_LOST = 0.01  # share of what is understood rightly that a threshold may turn away at most: a few messages prove little


@dataclass(frozen=True, kw_only=True, slots=True)
class _Learned:
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """Labelled messages as numbers: views, meanings (messages, DIMENSIONS), labels (messages,) into `intents`."""

    seen: Sequence[Views]
    meanings: NDArray[np.float32]
    labels: NDArray[np.intp]
    intents: tuple[str, ...]

    def part(self, places: NDArray[np.intp]) -> _Table:
        return _Table(
            seen=[self.seen[place] for place in places],
            meanings=self.meanings[places],
            labels=self.labels[places],
            intents=self.intents,
        )


def train(examples: Sequence[Example], *, seed: int = 0) -> Model:
    """Learn from labelled messages; the same examples in any order and the same seed give the same model.

    Args:
        examples: at least two intents among them.
        seed: deals the messages into the folds of the cross-validation.

    Raises:
        DataError: fewer than two intents.

    """
    ordered = _ordered(examples)
    texts = [normalise(example.text) for example in ordered]
    encoder = vectors.shipped().familiar_with(texts)
    with vectors.one_thread():  # so that a model does not depend on how many processors there are
        table = _read([*ordered, *_slips(ordered, seed)], encoder)
        vocabulary = learn(table.seen[: len(ordered)])
        temperature, threshold, start = _trust(table, vocabulary, seed)
        learned = _fit(table, vocabulary, _STEPS if start is None else _STEPS_ON, start)
    return Model(
        intents=table.intents,
        vocabulary=vocabulary,
        encoder=encoder,
        speller=Speller.learn(texts) if len(texts) >= FEWEST else None,
        weights=learned.weights,
        bias=learned.bias,
        temperature=temperature,
        threshold=threshold,
        data=data_hash(examples),
        seed=seed,
    )


def _slips(examples: Sequence[Example], seed: int) -> list[Example]:
    """Mistyped copies of some of the examples, so that a homophone more or less is nothing new."""
    dice = Random(seed)  # noqa: S311 -- slips keep no secret
    some = [example for example in examples if dice.random() < _SLIPS]
    return [replace(example, text=slip(example.text, dice, slips=dice.choice((1, 2)))) for example in some]


def _ordered(examples: Sequence[Example]) -> list[Example]:
    return sorted(examples, key=lambda example: (example.intent, example.text))


def _read(examples: Sequence[Example], encoder: vectors.Encoder) -> _Table:
    intents = tuple(sorted({example.intent for example in examples}))
    if len(intents) < 2:
        raise DataError("at least two intents are needed to tell them apart")
    texts = [normalise(example.text) for example in examples]
    return _Table(
        seen=[views(text) for text in texts],
        meanings=encoder.encode(texts) * np.float32(MEANING),
        labels=np.array([intents.index(example.intent) for example in examples], dtype=np.intp),
        intents=intents,
    )


def _matrix(seen: Sequence[Views], vocabulary: Vocabulary) -> Any:
    """The n-grams of messages, sparse, (messages, terms), float32."""
    sparse = import_module("scipy.sparse")
    found = [vocabulary.vector(each) for each in seen]
    ends = np.cumsum([0, *(len(rows) for rows, _ in found)])
    rows, values = (np.concatenate(part) for part in zip(*found, strict=True))
    return sparse.csr_matrix((values, rows, ends), shape=(len(seen), len(vocabulary)))


def _fit(table: _Table, vocabulary: Vocabulary, steps: int, start: _Learned | None = None) -> _Learned:
    """The weights that explain the labels best; `start` only shortens the way, since there is one best."""
    kinds, width = len(table.intents), len(vocabulary) + vectors.DIMENSIONS
    if start is None:
        first = np.zeros(width * kinds + kinds, dtype=np.float32)
    else:
        first = np.concatenate([start.weights.ravel(), start.bias])
    found = minimise(_loss(table, vocabulary), first, steps=steps)
    return _Learned(weights=found[:-kinds].reshape(width, kinds), bias=found[-kinds:])


def _loss(table: _Table, vocabulary: Vocabulary) -> Callable[[NDArray[np.float32]], tuple[float, NDArray[np.float32]]]:
    """What is to be made small, a function of weights and bias in a row: surprise at the labels, and the weights."""
    terms, matrix, meanings = len(vocabulary), _matrix(table.seen, vocabulary), table.meanings
    turned = matrix.T.tocsr()
    count, kinds = len(table.labels), len(table.intents)
    wanted = np.zeros((count, kinds), dtype=np.float32)
    wanted[np.arange(count), table.labels] = 1
    share = _shares(table.labels)
    damping = np.float32(1 / (_STRENGTH * count))

    def loss(point: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        weights, bias = point[:-kinds].reshape(-1, kinds), point[-kinds:]
        scores = matrix @ weights[:terms] + meanings @ weights[terms:] + bias
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        total = odds.sum(axis=1, keepdims=True)
        missed = share * (np.log(total) - (scores * wanted).sum(axis=1, keepdims=True))
        pull = (odds / total - wanted) * share
        slope = np.concatenate([turned @ pull, meanings.T @ pull, pull.sum(axis=0, keepdims=True)]).ravel()
        slope[:-kinds] += damping * point[:-kinds]
        return float(missed.sum(dtype=np.float64) + damping / 2 * (point[:-kinds] @ point[:-kinds])), slope

    return loss


def _shares(labels: NDArray[np.intp]) -> NDArray[np.float32]:
    """How much each message counts, (messages, 1), 1 in sum: rare intents somewhat more than common ones."""
    share = 1 / np.bincount(labels)[labels].astype(np.float64) ** _BALANCE
    found: NDArray[np.float32] = (share / share.sum()).astype(np.float32)[:, None]
    return found


def _trust(table: _Table, vocabulary: Vocabulary, seed: int) -> tuple[float, float, _Learned | None]:
    """Temperature and threshold, from the part of the messages that a first model never saw; and that model."""
    if len(table.labels) < _FEWEST_TO_CALIBRATE:
        return 1.0, 0.0, None
    deal = _deal(table.labels, _PARTS, seed)
    learned = _fit(table.part(np.flatnonzero(deal != 0)), vocabulary, _STEPS)
    held = table.part(np.flatnonzero(deal == 0))
    known = np.array([vocabulary.known_share(each) for each in held.seen], dtype=np.float32)[:, None]
    scores = _scores(held, vocabulary, learned) * known
    temperature = _temperature(scores, held.labels)
    return temperature, _threshold(_softmax(scores / np.float32(temperature)), held), learned


def _scores(table: _Table, vocabulary: Vocabulary, learned: _Learned) -> NDArray[np.float32]:
    """How much speaks for each intent, (messages, intents)."""
    shape, meaning = learned.weights[: len(vocabulary)], learned.weights[len(vocabulary) :]
    scores: NDArray[np.float32] = _matrix(table.seen, vocabulary) @ shape + table.meanings @ meaning + learned.bias
    return scores


def _deal(labels: NDArray[Any], folds: int, seed: int) -> NDArray[np.intp]:
    """The fold of each message: every label is spread evenly."""
    dice = np.random.default_rng(seed)
    found = np.empty(len(labels), dtype=np.intp)
    for label in np.unique(labels):
        places = dice.permutation(np.flatnonzero(labels == label))
        found[places] = (np.arange(len(places)) + int(dice.integers(folds))) % folds
    return found


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _temperature(scores: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """What scores are divided by so that of messages held out and given 80 %, 80 % are right."""

    def surprise(temperature: float) -> float:
        given = _softmax(scores / np.float32(temperature))[np.arange(len(labels)), labels]
        return -float(np.log(np.maximum(given, 1e-9)).mean())

    return min((round(step * 0.02, 2) for step in range(10, 101)), key=surprise)


def _threshold(shares: NDArray[np.float32], table: _Table) -> float:
    """The confidence from which acting does more good than harm; 0 where there is no out_of_scope to stand for it."""
    if OUT_OF_SCOPE not in table.intents:
        return 0.0
    best, sure = shares.argmax(axis=1), shares.max(axis=1)
    acts = best != table.intents.index(OUT_OF_SCOPE)
    gain = np.where(best == table.labels, 1.0, -_HARM)

    right = acts & (best == table.labels)

    def worth(threshold: float) -> float:
        return float(gain[acts & (sure >= threshold)].sum())

    steps = (round(step * 0.01, 2) for step in range(5, 70))
    worths = {step: worth(step) for step in steps if (right & (sure < step)).sum() <= _LOST * right.sum()}
    enough = max(worths.values(), default=0.0) - _ALIKE * len(sure)
    return round(float(np.mean([step for step, value in worths.items() if value >= enough] or [0.0])), 2)
