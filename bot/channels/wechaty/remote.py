"""Files that a gateway does not hand over, but names by their address."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

import httpx

from bot.channels.wechaty.seen import RefusedError, TooLargeError

_SECONDS = 60.0


async def fetch(url: str, *, most: int) -> bytes:
    """What lies at an address of the open net; one inside the house is never asked, whoever names it.

    Raises TooLargeError for more than `most` bytes, RefusedError for what cannot be fetched or may not be.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError("a file at no address of the web")
    await _check_public(parts.hostname)
    found = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            async for part in answer.aiter_bytes():
                found += part
                if len(found) > most:
                    raise TooLargeError
    except httpx.HTTPError as error:
        raise RefusedError(f"a file could not be fetched: {type(error).__name__}") from error
    return bytes(found)


async def _check_public(host: str) -> None:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise RefusedError("a file at an unknown host") from error
    if not all(is_public(str(address[0])) for *_, address in found):
        raise RefusedError("a file at an address inside the house")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open net."""
    return ipaddress.ip_address(address.partition("%")[0]).is_global
