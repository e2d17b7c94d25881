"""Tables that every life shares. Times are UTC; whatever is said or asked in private is sealed by the vault."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    SmallInteger,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from actions.core.sealed import sealed
from actions.core.zones import to_utc

#: What a key may do, and how many requests it may make a minute, where nothing else was said when it was made.
KEY_SCOPES = "chat files events lists act rasa"
KEY_PER_MINUTE = 12_000
#: What keys could do that were made before there were scopes.
_BEFORE_SCOPES = f"{KEY_SCOPES} bridge"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC on every database; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python -> database."""
        if value is None:
            return None
        moment = to_utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Database -> Python."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; constraints have names that migrations and errors can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
    }


class Unit(Base):
    """A unit with a union of its own (二级单位工会)."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class Member(Base):
    """A person on the roster; `status` is active, retired or left, `enrolled_on` since when in the union, where known.

    `channel` is where the union writes to them, as they chose; empty is where they were heard last.
    """

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    sex: Mapped[str] = mapped_column(String(4), default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    phone: Mapped[str] = mapped_column(String(20), default="")
    email: Mapped[str] = mapped_column(String(120), default="")
    birthday: Mapped[date | None]
    enrolled_on: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(12), default="active")
    tags: Mapped[list[str]] = mapped_column(default=list)
    channel: Mapped[str] = mapped_column(String(20), default="", server_default="")
    unit: Mapped[Unit | None] = relationship(lazy="joined")


class Account(Base):
    """A sender of a channel; bound once it belongs to a member. `conversation` is where it is spoken to in private.

    `asked` is what was wanted in a group and goes on when they write in private (sealed), since `asked_at`.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("channel", "account", "sender"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60), default="")
    sender: Mapped[str] = mapped_column(String(120))
    conversation: Mapped[str | None] = mapped_column(String(160))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"), index=True)
    bound_at: Mapped[datetime | None]
    heard_at: Mapped[datetime]
    asked: Mapped[str] = sealed("asked", default="", server_default="")
    asked_at: Mapped[datetime | None]


class RoleGrant(Base):
    """A role, for one service and one unit where they are named, else for all."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("member_id", "role", "service", "unit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    role: Mapped[str] = mapped_column(String(20))
    service: Mapped[str] = mapped_column(String(40), default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))


class Credential(Base):
    """An officer's password for the console, as an Argon2 hash; `temporary` ones must be changed at first use."""

    __tablename__ = "credential"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    temporary: Mapped[bool]
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]


class ApiKey(Base):
    """A bearer key of a server-side caller; only its hash is kept.

    `scopes` are separated by spaces (see `bot.keys`). It speaks for senders, and in conversations, that begin with
    `senders` (all where that is empty). `per_minute` is how many requests; `public_key` (PEM) checks what it asserts
    of members. `used_on` is the day of its last request.
    """

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(120), default=KEY_SCOPES, server_default=_BEFORE_SCOPES)
    senders: Mapped[str] = mapped_column(String(60), default="", server_default="")
    per_minute: Mapped[int] = mapped_column(default=KEY_PER_MINUTE, server_default=str(KEY_PER_MINUTE))
    public_key: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    used_on: Mapped[date | None]


class WebSession(Base):
    """A cookie session of the chat page; only the hash of its token is kept."""

    __tablename__ = "web_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sender: Mapped[str] = mapped_column(String(120))
    conversation: Mapped[str] = mapped_column(String(160))
    expires_at: Mapped[datetime]


class Conversation(Base):
    """Dialogue state of one conversation, sealed."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("channel", "account", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60), default="")
    key: Mapped[str] = mapped_column(String(160))
    state: Mapped[str] = sealed("conversation", default="")
    touched_at: Mapped[datetime]


class Turn(Base):
    """One message that was answered. The unique event id makes a repeated delivery harmless.

    `exchange` is a pseudonym of what was said and answered, by which a conversation that repeats is known.
    """

    __tablename__ = "turn"
    __table_args__ = (UniqueConstraint("channel", "account", "event_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60), default="")
    event_id: Mapped[str] = mapped_column(String(160))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    exchange: Mapped[str] = mapped_column(String(32), default="")
    created_at: Mapped[datetime] = mapped_column(index=True)


class Batch(Base):
    """What many are told at once: an announcement, a round of greetings. Its recipients are rows of `Outgoing`.

    `content` (sentences, options) is sealed, and said to every recipient whose row has none of its own.
    `state` is running, paused or cancelled. `title` is what officers read in a list.
    """

    __tablename__ = "batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120), default="")
    subject: Mapped[str] = mapped_column(String(60), default="", index=True)
    kind: Mapped[str] = mapped_column(String(8))
    topic: Mapped[str] = mapped_column(String(40), default="")
    content: Mapped[str] = sealed("outgoing")
    state: Mapped[str] = mapped_column(String(12), default="running")
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Outgoing(Base):
    """Something to be said to one recipient: a reply to a turn, a notice, a part of a batch. These rows are the ledger.

    `state`:
        queued      waits for `due_at`, its limits and its hour (`reason`: why it was put off)
        paused      its batch is paused
        sending     `worker` is handing it over; when that worker is dead it becomes unknown
        unknown     somebody died while handing it over: it may have arrived; it is said again
        sent        said: shown on a page, or confirmed by the platform
        accepted    the platform took it, which of some platforms is all that can be known
        failed      `reason` tells why; not tried again
        suppressed  `reason` names the rule that kept it back
        expired     not useful any more when its turn came
        cancelled   taken back

    `kind` is reply, alert, service, reminder or news (see `notify.LANES`); `lane` is the order they are served in.
    `doubts` counts the tries of which nobody knows how they ended: for each, a recipient may have it once more.
    `routed` rows were written to a member: where they go is looked up when their turn comes, and again before they go.
    `position` grows in the order in which things are said in a conversation whose client fetches them.
    `subject` ("appointment:12") is what it speaks of, so that it can be cancelled with it. `content` (sentences,
    options) is sealed; empty where the batch's is said, or where the text has been forgotten.
    """

    __tablename__ = "outgoing"
    __table_args__ = (
        Index("ix_outgoing_next", "state", "channel", "lane", "due_at", "id"),
        Index("ix_outgoing_batch_id_state", "batch_id", "state"),
        Index("ix_outgoing_member_id_kind_sent_at", "member_id", "kind", "sent_at"),
        Index("ix_outgoing_conversation_position", "conversation", "position"),
        UniqueConstraint("unique_key"),
        UniqueConstraint("batch_id", "member_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    channel: Mapped[str] = mapped_column(String(20), default="")
    account: Mapped[str] = mapped_column(String(60), default="")
    conversation: Mapped[str] = mapped_column(String(160), default="")
    chat: Mapped[str] = mapped_column(String(8), default="private")
    routed: Mapped[bool] = mapped_column(default=False)
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turn.id"), index=True)
    kind: Mapped[str] = mapped_column(String(8), default="service")
    lane: Mapped[int] = mapped_column(SmallInteger, default=1)
    topic: Mapped[str] = mapped_column(String(40), default="")
    content: Mapped[str] = sealed("outgoing")
    fingerprint: Mapped[str] = mapped_column(String(32), default="")
    subject: Mapped[str] = mapped_column(String(60), default="", index=True)
    unique_key: Mapped[str | None] = mapped_column(String(120))
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(12), default="queued")
    worker: Mapped[str] = mapped_column(String(60), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    doubts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(120), default="")
    sent_at: Mapped[datetime | None]
    position: Mapped[int | None] = mapped_column(BigInteger, index=True)


class Handing(Base):
    """One call to a platform, kept for as long as a limit looks back: what was said lately, by whichever process."""

    __tablename__ = "handing"
    __table_args__ = (
        Index("ix_handing_place", "channel", "account", "conversation", "at"),
        Index("ix_handing_channel_at", "channel", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(60), default="")
    conversation: Mapped[str] = mapped_column(String(160))
    at: Mapped[datetime]


class Gate(Base):
    """One channel, locked by whoever picks what is said on it next: limits are kept over all processes.

    Until `closed_until` nothing is said there: the platform asked to wait, or is away.
    """

    __tablename__ = "gate"

    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    closed_until: Mapped[datetime | None]


class Worker(Base):
    """A process that delivers. One that has not been seen for a while is dead: others take over what it had in hand."""

    __tablename__ = "worker"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    seen_at: Mapped[datetime]


class Wish(Base):
    """What a member wants of the union's news. `topic` is empty for all that have no wish of their own.

    `wants` is all, none or digest.
    """

    __tablename__ = "wish"
    __table_args__ = (UniqueConstraint("member_id", "topic"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    topic: Mapped[str] = mapped_column(String(40), default="")
    wants: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]


class Firing(Base):
    """A schedule that came due at a moment: done once, by whichever process wrote this row.

    `result` is done, or late for what was not useful any more.
    """

    __tablename__ = "firing"

    schedule: Mapped[str] = mapped_column(String(80), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    result: Mapped[str] = mapped_column(String(8))


class Prompt(Base):
    """Options on a notification, each of which runs a command ("同意" -> approve).

    `options` and `notice` (the sentences, for as long as the prompt is open) are sealed.
    """

    __tablename__ = "prompt"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    options: Mapped[str] = sealed("prompt")
    notice: Mapped[str] = sealed("prompt", default="")
    subject: Mapped[str] = mapped_column(String(60), index=True)
    expires_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Audit(Base):
    """What was changed, by whom. Actors of private services are pseudonyms; `detail` holds no personal data."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(40), index=True)
    command: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(60), default="")
    result: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Offering(Base):
    """What runs this year of a service: a counsellor's calendar, a room, a match, a call. `spec` fits its life.

    `state` is draft, open, closed or cancelled. `owner_id` is who answers for it: the counsellor, the key-holder.
    """

    __tablename__ = "offering"
    __table_args__ = (UniqueConstraint("service", "title", "campus"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(120))
    campus: Mapped[str] = mapped_column(String(20), default="")
    state: Mapped[str] = mapped_column(String(12), default="open")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict)
    example: Mapped[bool] = mapped_column(default=False)
