"""Messages that go out in several parts and broke off: what has been said of them is not said again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.messages import SendError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 1_000


class Begun:
    """The parts that were sent, by row, of messages that will be tried again.

    It is kept in memory: after a restart such a message is said from its beginning, as one in doubt is. Of more than
    `most` messages the one that broke off first is forgotten.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._sent: dict[int, list[str]] = {}

    def __len__(self) -> int:
        """How many messages are remembered."""
        return len(self._sent)

    @contextmanager
    def going_on(self, row: int) -> Iterator[list[str]]:
        """What was sent of a row already, in order, one string (a platform's number, or empty) for each part.

        What is sent within the block is added to it. Where the block ends with a SendError that may pass, the list is
        there again at the next try; after any other end the row is forgotten.
        """
        sent = self._sent.pop(row, [])
        try:
            yield sent
        except SendError as error:
            if sent and not error.permanent:
                self._keep(row, sent)
            raise

    def _keep(self, row: int, sent: list[str]) -> None:
        if len(self._sent) >= self._most:
            del self._sent[next(iter(self._sent))]
        self._sent[row] = sent
