"""What a text means, as numbers: how actions ask the NLU for sentence vectors without importing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Encoder(Protocol):
    """Sentence vectors."""

    def __call__(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """The vectors of some texts, (texts, dimensions), each of length 1; zeros for a text without words."""
        ...

    def __hash__(self) -> int:
        """As functions have it: what was made once is not made again."""
        ...
