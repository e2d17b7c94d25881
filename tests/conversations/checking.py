"""What a dialogue expects, and where a played one differs from it.

A turn's `expect` is held against everything that the turn said; a dialogue's `expect` against everything that it left
in the database. Nothing is taken on trust: who speaks must be answered, and whoever else is told something, every
alert, and every record must have been expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.replay import Dialogue, TurnSpec

#: No reply may hold these: a value that is not there, a template that was not filled, a word of the wrong tone.
NEVER = re.compile(r"\bNone\b|\{%|Undefined|Traceback|用户|亲[，,~]|驳回|患者")


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Told(_Strict):
    """What somebody else reads because of this turn."""

    says: Texts = ()
    never_says: Texts = ()


class TurnExpectation(_Strict):
    """What a turn must do.

    `says` and `never_says` are parts of what the speaker reads in answer; `options` labels that must be offered,
    `only_options` all of them in order; `to` names everybody else who is told something (`group` is the group), with
    what; `alerts` are the kinds of the alerts that the turn raises.
    """

    intent: str | None = None
    service: str | None = None
    says: Texts = ()
    never_says: Texts = ()
    options: Texts = ()
    only_options: tuple[str, ...] | None = None
    to: dict[str, Texts | Told] = Field(default_factory=dict)
    alerts: tuple[str, ...] = ()


class RecordExpectation(_Strict):
    """A record that is left; what is not given may be anything."""

    service: str | None = None
    kind: str | None = None
    state: str | None = None
    member: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is the one that is meant."""
        plain = (self.service, self.kind, self.state, self.member)
        found = (record["service"], record["kind"], record["state"], record["member"])
        alike = all(wanted is None or wanted == actual for wanted, actual in zip(plain, found, strict=True))
        return alike and all(record["fields"].get(key) == value for key, value in self.fields.items())


class DialogueExpectation(_Strict):
    """What a dialogue must leave: exactly these records."""

    records: tuple[RecordExpectation, ...]


def differences(dialogue: Dialogue, played: Mapping[str, Any], speaker: str) -> list[str]:
    """Where a played dialogue is not as expected; empty where it is.

    Args:
        dialogue: the dialogue with its `expect`; raises pydantic's ValidationError for one that is not well-formed.
        played: what `Stage.play` returned.
        speaker: who speaks where neither turn nor dialogue says so.

    """
    default = dialogue.given.who or speaker
    faults: list[str] = []
    for number, (spec, turn) in enumerate(zip(dialogue.turns, played["turns"], strict=True), 1):
        where = f"turn {number} ({turn['text'][:20]})"
        if isinstance(spec, str):
            faults += [f"{where}: {fault}" for fault in _turn(TurnExpectation(), turn, _home(default, dialogue, None))]
            continue
        expected = TurnExpectation.model_validate(spec.expect or {})
        home = _home(spec.who or default, dialogue, spec)
        faults += [f"{where}: {fault}" for fault in _turn(expected, turn, home)]
    return [*faults, *_records(DialogueExpectation.model_validate(dialogue.expect), played["records"])]


def _home(who: str, dialogue: Dialogue, spec: TurnSpec | None) -> str:
    chat = (spec.chat if spec else None) or dialogue.given.chat
    return "group" if chat == "group" else who


def _turn(expected: TurnExpectation, turn: Mapping[str, Any], home: str) -> Iterator[str]:
    own = [reply for reply in turn["replies"] if reply["to"] == home]
    if not own:
        yield "nothing was answered"
    for wanted, actual in ((expected.intent, turn["intent"]), (expected.service, turn["service"])):
        if wanted is not None and wanted != actual:
            yield f"expected {wanted}, got {actual or 'nothing'}"
    yield from _texts(Told(says=expected.says, never_says=expected.never_says), own)
    yield from _options(expected, own)
    yield from _others(expected, [reply for reply in turn["replies"] if reply["to"] != home])
    kinds = tuple(alert["kind"] for alert in turn["alerts"])
    if kinds != expected.alerts:
        yield f"expected alerts {list(expected.alerts)}, got {list(kinds)}"
    for reply in turn["replies"]:
        if wrong := NEVER.search(reply["text"]):
            yield f"{reply['to']} reads {wrong[0]!r}"


def _texts(expected: Told, replies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    said = "\n".join(reply["text"] for reply in replies)
    for part in expected.says:
        if part not in said:
            yield f"does not say {part!r} but: {said}"
    for part in expected.never_says:
        if part in said:
            yield f"says {part!r}: {said}"


def _options(expected: TurnExpectation, replies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    offered = [option["label"] for reply in replies for option in reply["options"]]
    for label in expected.options:
        if label not in offered:
            yield f"does not offer {label!r} but {offered}"
    if expected.only_options is not None and list(expected.only_options) != offered:
        yield f"offers {offered}, not {list(expected.only_options)}"


def _others(expected: TurnExpectation, replies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for who in sorted({reply["to"] for reply in replies} - set(expected.to)):
        yield f"{who} was told something, too: {[reply['text'] for reply in replies if reply['to'] == who]}"
    for who, wanted in expected.to.items():
        told = [reply for reply in replies if reply["to"] == who]
        if not told:
            yield f"{who} was told nothing"
            continue
        for fault in _texts(wanted if isinstance(wanted, Told) else Told(says=wanted), told):
            yield f"{who}: {fault}"


def _records(expected: DialogueExpectation, actual: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(expected.records) != len(actual):
        return [f"expected {len(expected.records)} records, got {len(actual)}: {list(actual)}"]
    if not _matched(expected.records, actual):
        return [f"the records are others: {list(actual)}"]
    return []


def _matched(expected: Sequence[RecordExpectation], actual: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each expectation can have a record of its own."""
    if not expected:
        return True
    first, *rest = expected
    return any(
        first.fits(record) and _matched(rest, [*actual[:index], *actual[index + 1 :]])
        for index, record in enumerate(actual)
    )
