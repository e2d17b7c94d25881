"""The commands of this module; their handlers are in alerts."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from actions.core.commands import Command

Kind: TypeAlias = Literal["despair", "danger_now", "violence_at_home"]


class RaiseAlert(Command):
    """Answers a call for help and alerts who is on duty. The words of the person are no argument, on purpose."""

    name: ClassVar[str] = "safety.raise_alert"
    kind: Kind
    chat: Literal["private", "group"] = "private"


class Acknowledge(Command):
    """收到: the actor sees to it, and nobody else is prompted."""

    name: ClassVar[str] = "safety.acknowledge"
    alert_id: int


class CheckedBack(Command):
    """问候过了: the actor has asked after the person, the day after."""

    name: ClassVar[str] = "safety.checked_back"
    alert_id: int
