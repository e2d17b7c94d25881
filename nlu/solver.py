"""The lowest point of a smooth convex function of a million numbers: limited-memory BFGS, in single precision.

scipy's L-BFGS-B also minds bounds, in double precision: three quarters of the training's time were spent on that
(docs/decisions/0006-embedded-nlu.md). The method is that of Nocedal, Updating quasi-Newton matrices with limited
storage (1980), with a backtracking line search.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_REMEMBERED: Final = 4  # corrections; more cost time and find nothing better (docs/nlu.md)
_ENOUGH = 1e-6  # a step that gains less than this share of the value is the last
_FALL = 1e-4  # of the fall that the slope promises, so much must come true
_SHORTEST = 1e-4  # of a step, before it is taken as it is


def minimise(
    loss: Callable[[NDArray[np.float32]], tuple[float, NDArray[np.float32]]],
    point: NDArray[np.float32],
    *,
    steps: int,
) -> NDArray[np.float32]:
    """Walk down from a point.

    Args:
        loss: value and slope (as long as the point) at a point; convex and smooth.
        point: where to begin, (numbers,).
        steps: taken at most.

    Returns:
        The lowest point that was found.

    """
    value, slope = loss(point)
    past: deque[tuple[NDArray[np.float32], NDArray[np.float32]]] = deque(maxlen=_REMEMBERED)
    for _ in range(steps):
        way = _downhill(slope, past)
        fall, share = float(slope @ way), 1.0
        if fall >= 0:  # nothing is lower, as far as single precision sees
            break
        after, steep = loss(point + way)
        while after > value + _FALL * share * fall and share > _SHORTEST:
            share /= 2
            after, steep = loss(point + np.float32(share) * way)
        if after >= value:
            break
        way *= np.float32(share)
        gained = value - after
        if way @ (steep - slope) > 0:  # as it is but for rounding
            past.append((way, steep - slope))
        point, value, slope = point + way, after, steep
        if gained <= _ENOUGH * abs(value):
            break
    return point


def _downhill(
    slope: NDArray[np.float32], past: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> NDArray[np.float32]:
    """Down the slope, bent by how the slope has changed along the last steps."""
    if not past:
        steep = np.linalg.norm(slope)
        return -slope / steep if steep else -slope
    way, shares = -slope, []
    for moved, changed in reversed(past):
        share = (moved @ way) / (moved @ changed)
        way -= share * changed
        shares.append(share)
    moved, changed = past[-1]
    way *= (moved @ changed) / (changed @ changed)
    for (moved, changed), share in zip(past, reversed(shares), strict=True):
        way += (share - (changed @ way) / (moved @ changed)) * moved
    return way
