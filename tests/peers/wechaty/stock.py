"""The package `wechaty` itself, answering what it is told: `python -m tests.peers.wechaty.stock ENDPOINT TOKEN`.

It was last published in 2022. What it needs to be imported on Python 3.11 to 3.13 is done here first.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import socket
import sys
import types
import warnings

warnings.simplefilter("ignore")


class _Telnet:
    """All that is wanted of telnetlib: to see that somebody listens."""

    def open(self, host: str, port: int = 0, timeout: float = 3) -> None:
        socket.create_connection((host, port), timeout).close()


def make_importable() -> None:
    """Puts back what the libraries around it have dropped since, on whatever Python this is."""
    try:
        importlib.import_module("telnetlib")
    except ModuleNotFoundError:  # Python 3.13 has none
        module = types.ModuleType("telnetlib")
        module.Telnet = _Telnet  # type: ignore[attr-defined]
        sys.modules["telnetlib"] = module
    pyee, emitters = importlib.import_module("pyee"), importlib.import_module("pyee.asyncio")
    pyee.AsyncIOEventEmitter = emitters.AsyncIOEventEmitter  # type: ignore[attr-defined]  # pyee 12 moved it
    urllib3 = importlib.import_module("urllib3")
    if not hasattr(urllib3, "get_host"):  # urllib3 2 dropped it
        urllib3.get_host = lambda url: (  # type: ignore[attr-defined]
            (parsed := urllib3.util.parse_url(url)).scheme or "http",
            parsed.hostname,
            parsed.port,
        )
    options = importlib.import_module("wechaty_puppet.schemas.puppet").PuppetOptions
    # Python 3.11 refuses a default that cannot be hashed.
    options.__hash__ = object.__hash__


def main(endpoint: str, token: str) -> None:
    """Answers every message but its own, until it ends by itself or is killed."""
    os.environ.update(WECHATY_PUPPET_SERVICE_ENDPOINT=endpoint, WECHATY_PUPPET_SERVICE_TOKEN=token)
    make_importable()
    wechaty = importlib.import_module("wechaty")

    class Echo(wechaty.Wechaty):  # type: ignore[misc, name-defined]
        async def on_message(self, message: object) -> None:
            if not message.is_self():  # type: ignore[attr-defined]
                talker = message.talker()  # type: ignore[attr-defined]
                await talker.ready()
                await talker.say(f"原装的回答：{message.text()}")  # type: ignore[attr-defined]

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    asyncio.run(Echo(wechaty.WechatyOptions(host="127.0.0.1", port=port)).start())


if __name__ == "__main__":
    main(*sys.argv[1:])
