"""The trained model on disk: learned once for each state of the data, loaded ever after."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from nlu.data import data_hash, read
from nlu.engine import VERSION, Model, ModelError, train

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


def artefact_path(cache_dir: Path, data: str, seed: int = 0) -> Path:
    """Where the model of this data (its hash) and seed is kept."""
    return cache_dir / f"embedded-{VERSION}-{data[:16]}-{seed}.npz"


def ensure_model(data_dir: Path, cache_dir: Path, *, seed: int = 0) -> Model:
    """The model of the training data as it stands: loaded, or trained and kept.

    Args:
        data_dir: a file or folder of training data.
        cache_dir: where artefacts are kept; made when missing.
        seed: of the training.

    Raises:
        DataError: the training data cannot be read.
        ValueError: too little of it to learn from.
        OSError: the cache cannot be written.

    """
    examples = read(data_dir)
    data = data_hash(examples)
    path = artefact_path(cache_dir, data, seed)
    began = perf_counter()
    try:
        model = Model.load(path)
    except FileNotFoundError:
        log.info("no model of this data yet, training on %d examples", len(examples))
    except ModelError as error:
        log.warning("the cached model is unusable, training anew: %s", error)
    else:
        log.info("model %s loaded in %.2f s", path.name, perf_counter() - began)
        return model
    model = train(examples, seed=seed)
    model.save(path)
    log.info("model %s trained in %.2f s", path.name, perf_counter() - began)
    return model
