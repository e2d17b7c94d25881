"""The commands of announcements, receipts, wishes and groups."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from actions.core.commands import Command

#: Code points of a notice: what one message of a chat holds.
LONGEST = 1_500

_Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
_Link = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s]{1,480})?$")]


class _Addressed(Command):
    """Whom a message is for: the short text form of a segment, or its JSON."""

    to: str | dict[str, Any] = Field(union_mode="left_to_right")


class Preview(_Addressed):
    """How many would get a message, and whether a second person would have to agree; changes nothing."""

    name: ClassVar[str] = "announcements.preview"


class Announce(_Addressed):
    """Tells many, now or `at` a moment. The text is said word for word.

    `title` is what lists show, the beginning of the text where it is empty. `topic` is what members can have no more
    of; empty, it is guessed from the text. With `answer_by` (or so many working days after it is sent, at
    17:00) those who get it are asked to say 收到. `must_know`
    makes it a service message, which no quiet hours, cap or wish holds back: for the union's officers. `files` are
    pictures of the actor's own.
    """

    name: ClassVar[str] = "announcements.announce"
    text: _Text
    title: str = Field("", max_length=40)
    link: _Link = ""
    files: tuple[str, ...] = Field((), max_length=9)
    topic: str = Field("", max_length=40)
    at: AwareDatetime | None = None
    answer_by: AwareDatetime | None = None
    answer_in_days: int | None = Field(None, ge=0, le=60)
    must_know: bool = False


class _OfOne(Command):
    announcement_id: int


class Approve(_OfOne):
    """A second person agrees: it is sent when its time has come."""

    name: ClassVar[str] = "announcements.approve"


class Refuse(_OfOne):
    """A second person sends it back, with the reason."""

    name: ClassVar[str] = "announcements.refuse"
    reason: str = Field("", max_length=200)


class Pause(_OfOne):
    """Nothing more is handed over until it is resumed."""

    name: ClassVar[str] = "announcements.pause"


class Resume(_OfOne):
    """Goes on where it was paused."""

    name: ClassVar[str] = "announcements.resume"


class Withdraw(_OfOne):
    """Takes back what has not been said; what has been cannot be unsaid, and can be corrected."""

    name: ClassVar[str] = "announcements.withdraw"


class Correct(_OfOne):
    """Sets an announcement right. `reason` is the right text, as a notification's option hands it over.

    Who has got the earlier one gets a correction; who has not gets the right text instead of it.
    """

    name: ClassVar[str] = "announcements.correct"
    reason: str = Field("", max_length=LONGEST)


class Progress(_OfOne):
    """The ledger's counts."""

    name: ClassVar[str] = "announcements.progress"


class Chase(Command):
    """催办表: of an announcement, or of whatever has a roster (`ref`), who has not answered, by unit.

    With `send` each unit's chair is told of their own people; with `file` the actor gets the table as Excel.
    """

    name: ClassVar[str] = "announcements.chase"
    announcement_id: int | None = None
    ref: str = Field("", pattern=r"^([a-z_]+:\d{1,9})?$")
    send: bool = False
    file: bool = False

    @model_validator(mode="after")
    def _one(self) -> Chase:
        if (self.announcement_id is None) == (not self.ref):
            message = "name either announcement_id or ref"
            raise ValueError(message)
        return self

    @property
    def roster(self) -> str:
        """The ref of the roster."""
        return self.ref or f"announcement:{self.announcement_id}"


class Acknowledge(Command):
    """收到. Without an id the only one that waits for the actor's answer is meant."""

    name: ClassVar[str] = "announcements.acknowledge"
    announcement_id: int | None = None


class ListAnnouncements(Command):
    """What was said lately to all or to the actor."""

    name: ClassVar[str] = "announcements.list"


class ShowAnnouncement(_OfOne):
    """One of those once more."""

    name: ClassVar[str] = "announcements.show"


class SetWishes(Command):
    """What the actor wants of the union's news, by topic; the empty topic is all others, and takes back single ones."""

    name: ClassVar[str] = "announcements.set_wishes"
    wishes: tuple[tuple[str, Literal["all", "none", "digest"]], ...] = Field(min_length=1, max_length=40)


class IssuePhrase(Command):
    """A one-time phrase that binds the group it is said in; of a group that is bound already, binds it anew."""

    name: ClassVar[str] = "groups.phrase"
    title: str = Field(min_length=1, max_length=30)
    unit: str = Field("", max_length=80)


class BindGroup(Command):
    """The phrase was said in a group."""

    name: ClassVar[str] = "groups.bind"
    phrase: str = Field(max_length=20)
    channel: str
    account: str = ""
    conversation: str


class MoveGroup(Command):
    """The platform has given a group another id; for channels, which see it."""

    name: ClassVar[str] = "groups.move"
    channel: str
    account: str = ""
    before: str
    conversation: str = Field(max_length=160)


class SeeGroups(Command):
    """The groups that a channel sees now, id by title: one that is known by its title alone is found again."""

    name: ClassVar[str] = "groups.see"
    channel: str
    account: str = ""
    seen: dict[str, str]


class _OfGroup(Command):
    group: str = Field(min_length=1, max_length=60)


class SetWelcome(_OfGroup):
    """What is said to who joins; empty says nothing."""

    name: ClassVar[str] = "groups.welcome"
    text: str = Field("", max_length=500)


class SetWord(_OfGroup):
    """What is answered to an exact word; empty answers nothing any more."""

    name: ClassVar[str] = "groups.answer"
    word: str = Field(min_length=2, max_length=20)
    text: str = Field("", max_length=500)


class Mute(_OfGroup):
    """Says nothing in a group, for so many hours or (0) until told otherwise."""

    name: ClassVar[str] = "groups.mute"
    hours: int = Field(0, ge=0, le=24 * 31)


class Unmute(_OfGroup):
    """Speaks in a group again."""

    name: ClassVar[str] = "groups.unmute"


class Unbind(_OfGroup):
    """Forgets a group."""

    name: ClassVar[str] = "groups.unbind"


class ListGroups(Command):
    """The groups that the actor may speak in."""

    name: ClassVar[str] = "groups.list"


class MembersJoined(Command):
    """Somebody has joined a group; for channels, which see it."""

    name: ClassVar[str] = "groups.joined"
    channel: str
    account: str = ""
    conversation: str
    names: tuple[str, ...] = Field((), max_length=50)


class Answer(Command):
    """A word of a group was said in it."""

    name: ClassVar[str] = "groups.say"
    group_id: int
    word: str
