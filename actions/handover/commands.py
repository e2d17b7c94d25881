"""The commands of this module: the first four are the member's, the others an officer's."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from actions.core.commands import Command

#: Code points of a message, and of an answer to it.
LONGEST = 2_000


class Request(Command):
    """人工: puts the actor's private chat through to the duty officers. `parked`: a form was put aside for it."""

    name: ClassVar[str] = "handover.request"
    parked: bool = False


class Leave(Command):
    """留言: off hours, the next message is left for the officers."""

    name: ClassVar[str] = "handover.leave"
    parked: bool = False


class Say(Command):
    """A message for the person at the other end. `sure`: private matters may be told to them as well from now on."""

    name: ClassVar[str] = "handover.say"
    handover_id: int
    text: str = Field(min_length=1, max_length=LONGEST)
    sure: bool = False


class GiveBack(Command):
    """回来: the member needs no person any more."""

    name: ClassVar[str] = "handover.give_back"
    handover_id: int


class Take(Command):
    """接手: the actor has it, and nobody else."""

    name: ClassVar[str] = "handover.take"
    handover_id: int


class Reply(Command):
    """回复: words for the member; without any, the actor's next message is them. Takes what nobody has yet."""

    name: ClassVar[str] = "handover.reply"
    handover_id: int
    reason: str = Field("", max_length=LONGEST)


class End(Command):
    """结束: the officer is done, and the assistant answers again."""

    name: ClassVar[str] = "handover.end"
    handover_id: int
