"""A server of the Bot API for the tests, after its public documentation, with people who write on it.

async with BotApi() as api:
    lin = api.person("林一帆")
    api.says(lin, "您好")
    ...
    assert api.read(lin)[-1].text
"""

from tests.peers.telegram.people import Group, Person, Shown
from tests.peers.telegram.server import TOKEN, USERNAME, BotApi

__all__ = ["TOKEN", "USERNAME", "BotApi", "Group", "Person", "Shown"]
