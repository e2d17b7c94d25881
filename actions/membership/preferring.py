"""Where a member wants to be written to: one of the channels that they are bound on, or wherever they wrote last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.hearing import Hearing, InPrivate
from actions.core.yamlfile import YamlFile
from actions.membership.commands import PreferChannel
from actions.membership.people import accounts_of, member_of

if TYPE_CHECKING:
    from pathlib import Path

    from actions.core.commands import Context
    from actions.core.hearing import Heard

_WHAT = r"(?:提醒|通知|消息|回信)"
_BEFORE = r"(?:以后|今后|请|麻烦|帮我|都|把|给我|的|我)*"
_SAID = (
    # 以后提醒都发到微信, 把通知发在这里
    re.compile(rf"{_BEFORE}{_WHAT}{_BEFORE}(?:发|推|送|改)(?:送|给我|我)?(?:到|在|去)?(?P<where>\S{{1,12}}?)"),
    # 以后在Telegram上提醒我, 用微信通知我
    re.compile(rf"{_BEFORE}(?:在|用|从|到)(?P<where>\S{{1,12}}?)(?:上|里)?(?:给我发|发|推)?{_WHAT}我?"),
)
_AFTER = re.compile(r"(?:上|里|来|吧|就行|就好|就可以|了)+$")
_NOISE = re.compile(r"[\s,，。.!！~～]+")


class ChannelNames(BaseModel):
    """data/channels.yml: what people call the channels, the one they speak on (`here`), and all of them (`any`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: dict[str, frozenset[str]]
    here: frozenset[str]
    any: frozenset[str]

    def meant(self, text: str, spoken_on: str) -> str | None:
        """The channel that a message chooses, "" for whichever; None where it chooses none."""
        said = _NOISE.sub("", text).lower()
        for pattern in _SAID:
            found = pattern.fullmatch(_AFTER.sub("", said))
            where = _AFTER.sub("", found["where"]) if found else ""
            if where in self.here:
                return spoken_on
            if where in self.any:
                return ""
            named = next((channel for channel, names in self.channels.items() if where in names), None)
            if named is not None:
                return named
        return None


def load_channel_names(data_dir: Path) -> ChannelNames:
    """Reads channels.yml. Raises ConfigurationError with file and line."""
    return YamlFile(data_dir / "channels.yml").validate(ChannelNames)


class PreferenceListener(InPrivate):
    """Hears the exact words; they count where no form is open."""

    def __init__(self, names: ChannelNames) -> None:
        self._names = names

    async def hears(self, context: Context, heard: Heard, *, alone: bool) -> Hearing | None:
        """A member who says where."""
        if heard.group or not alone or context.actor.member is None:
            return None
        channel = self._names.meant(heard.text, heard.channel)
        return None if channel is None else Hearing(command=PreferChannel(channel=channel))


async def prefer(command: PreferChannel, context: Context) -> Outcome:
    """Raises DomainError("not_bound_there") for a channel that the member cannot be written to on."""
    member = await member_of(context, context.actor.member.staff_id if context.actor.member else "")
    if command.channel:
        accounts = await accounts_of(context, member.id)
        there = [each for each in accounts if each.channel == command.channel and each.conversation is not None]
        if not there:
            raise DomainError("not_bound_there", channel=command.channel)
    member.channel = command.channel
    return Outcome(wording="channels.preferred", params={"channel": command.channel}, subject=f"member:{member.id}")
