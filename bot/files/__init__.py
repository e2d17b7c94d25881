"""Files on the disk: the folder they lie in, the virus scanner, and the desk where every channel hands them over."""

from bot.files.desk import FileDesk, Kept
from bot.files.folder import FolderStore
from bot.files.scanning import scanner

__all__ = ["FileDesk", "FolderStore", "Kept", "scanner"]
