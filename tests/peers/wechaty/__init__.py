"""A real Wechaty gateway, from npm, around the mock puppet: a child process with a remote control.

with Gateway.open(folder) as gateway:
    gateway.people("alice", "bob")
    await gateway.say("alice", "您好")
    assert await gateway.sent()

`python -m tests.peers.wechaty` installs it, and prints where.
"""

from tests.peers.wechaty.gateway import TOKEN, Gateway
from tests.peers.wechaty.installing import installed

__all__ = ["TOKEN", "Gateway", "installed"]
