"""The messages of a Wechaty gateway, from the project's own package `wechaty-grpc`.

Its generated code is of 2021: what later gateways use for larger files is added here, with the field numbers of
wechaty/puppet/download-upload.proto (npm wechaty-grpc 1.5.2).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

with warnings.catch_warnings():
    # A dependency of theirs has invalid escape sequences, which a Python that compiles it warns of.
    warnings.simplefilter("ignore")
    import betterproto
    from wechaty_grpc.wechaty import puppet

__all__ = ["DownloadRequest", "DownloadResponse", "UploadRequest", "UploadResponse", "puppet"]


@dataclass(eq=False, repr=False)
class DownloadRequest(betterproto.Message):
    """Which file."""

    id: str = betterproto.string_field(1)


@dataclass(eq=False, repr=False)
class DownloadResponse(betterproto.Message):
    """A part of it."""

    chunk: bytes = betterproto.bytes_field(1)


@dataclass(eq=False, repr=False)
class UploadRequest(betterproto.Message):
    """A part of a file."""

    chunk: bytes = betterproto.bytes_field(1)


@dataclass(eq=False, repr=False)
class UploadResponse(betterproto.Message):
    """What the file is called from now on."""

    id: str = betterproto.string_field(1)
