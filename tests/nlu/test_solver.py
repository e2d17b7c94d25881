"""The solver finds the lowest point of a bowl, however stretched, and stays where nothing is lower."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.solver import minimise

Numbers = st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=6)


@given(Numbers, st.integers(0, 3))
def test_the_bottom_of_a_bowl_is_found(bottom: list[float], stretched: int) -> None:
    target = np.array(bottom, dtype=np.float32)
    steep = np.geomspace(1, 10**stretched, len(bottom)).astype(np.float32)

    def bowl(point: np.ndarray) -> tuple[float, np.ndarray]:
        away = point - target
        return float(steep @ (away * away)) + 1, 2 * steep * away

    found = minimise(bowl, np.zeros(len(bottom), dtype=np.float32), steps=200)
    assert bowl(found)[0] == pytest.approx(1, abs=1e-2)


def test_it_agrees_with_a_solver_made_by_others() -> None:
    dice = np.random.default_rng(0)
    matrix = dice.normal(size=(40, 8)).astype(np.float32)
    labels = (matrix @ dice.normal(size=8) > 0).astype(np.float32)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        scores = matrix @ point
        value = np.logaddexp(0, scores).sum() - labels @ scores + point @ point / 2
        return float(value), matrix.T @ (1 / (1 + np.exp(-scores)) - labels) + point

    ours = minimise(loss, np.zeros(8, dtype=np.float32), steps=100)
    theirs = import_module("scipy.optimize").minimize(loss, np.zeros(8), jac=True, method="L-BFGS-B").x
    assert ours == pytest.approx(theirs, abs=5e-3)


def test_at_the_bottom_it_stays() -> None:
    start = np.ones(3, dtype=np.float32)
    assert np.array_equal(minimise(lambda point: (2.0, np.zeros_like(point)), start, steps=10), start)
    assert np.array_equal(minimise(lambda point: (float(point @ point), 2 * point), start, steps=0), start)
