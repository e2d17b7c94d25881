"""Files that came with a message, handed over: what every channel does with them before the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from actions.core.errors import DomainError
from bot.messages import Attachment

if TYPE_CHECKING:
    from typing import BinaryIO

    from bot.files import FileDesk
    from bot.messages import Address


async def taken(
    files: FileDesk, address: Address, sender: str, *, name: str, kind: Literal["picture", "file"], source: BinaryIO
) -> Attachment:
    """Keeps a file, or carries why it was refused into the turn, which says so.

    `source` is a file object, read once; `name` is what the platform calls the file.
    """
    try:
        view = await files.keep(address, sender, name, source)
    except DomainError as error:
        return Attachment(kind=kind, name=name, refused=error)
    return Attachment(kind=kind, name=view.name, id=view.id)


def refused(files: FileDesk, *, name: str, kind: Literal["picture", "file"]) -> Attachment:
    """A file that is not even fetched: the platform says that it is too large."""
    megabytes = files.rules.max_bytes // 2**20
    return Attachment(kind=kind, name=name, refused=DomainError("file_too_large", megabytes=megabytes))
