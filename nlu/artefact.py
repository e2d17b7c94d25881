"""The trained model on disk: learned once for each state of the data, loaded ever after."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Final

from nlu.data import ModelError, data_hash, read
from nlu.engine import VERSION, Model

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

#: What a model is called in a folder of its own.
FILE: Final = "model.npz"


def artefact_path(cache_dir: Path, data: str, seed: int = 0) -> Path:
    """Where the model of this data (its hash) and seed is kept."""
    return cache_dir / f"embedded-{VERSION}-{data[:16]}-{seed}.npz"


def load_model(folder: Path) -> Model:
    """The model that `bot train --out` put into a folder. Raises FileNotFoundError, ModelError."""
    return Model.load(folder / FILE)


def ensure_model(data_dir: Path, cache_dir: Path, *, seed: int = 0) -> Model:
    """The model of the training data as it stands: loaded, or trained and kept.

    Args:
        data_dir: a file or folder of training data.
        cache_dir: where artefacts are kept; made when missing.
        seed: of the training.

    Raises:
        DataError: the training data cannot be read, or is too little to learn from.
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
    from nlu.training import train  # noqa: PLC0415 -- scipy is for who learns

    model = train(examples, seed=seed)
    model.save(path)
    log.info("model %s trained in %.2f s", path.name, perf_counter() - began)
    return model
