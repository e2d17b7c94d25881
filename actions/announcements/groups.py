"""Groups: bound by a phrase that an officer says in them, spoken to by their row whatever the platform calls them."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from actions.announcements.rights import Reach, reach_of
from actions.announcements.rules import broadcast_rules
from actions.announcements.tables import ChatGroup, GroupPhrase, GroupWord
from actions.core.commands import Outcome
from actions.core.errors import DomainError, ForbiddenError
from actions.core.notify import ALPHABET, WAITING, Letter, Notice, notify, send_letter
from actions.core.tables import Outgoing, Unit
from actions.core.zones import SHANGHAI

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from actions.announcements import commands as c
    from actions.announcements.rules import Office
    from actions.core.commands import Context

#: What a group says that is not spoken in until somebody says otherwise.
_FOREVER = datetime(9000, 1, 1, tzinfo=SHANGHAI)
#: Who joins within this time of others is greeted with them: a group that fills up is not greeted fifty times.
_GREETED_TOGETHER = timedelta(minutes=10)
_PHRASE = 8
#: Why a row of the ledger waits, or is not said at all.
_MUTED = "muted"


async def issue_phrase(command: c.IssuePhrase, context: Context, office: Office) -> Outcome:
    """A phrase for the actor alone; an earlier one of theirs is void. A group's own title means: bind it anew.

    Raises DomainError: not_bound, no_such_unit; ForbiddenError.
    """
    del office
    _, rules = broadcast_rules(context.catalogue)
    reach = await _reach(context)
    title = command.title.strip()
    known = await _titled(context, title)
    if known is not None:
        _refuse_others(reach, known)
    unit_id = known.unit_id if known is not None else await _unit(context, reach, command.unit)
    member_id = context.actor.member_id
    await context.session.execute(
        delete(GroupPhrase).where((GroupPhrase.member_id == member_id) | (GroupPhrase.expires_at <= context.now))
    )
    phrase = "".join(secrets.choice(ALPHABET) for _ in range(_PHRASE))
    until = context.now + timedelta(minutes=rules.phrase_minutes)
    context.session.add(
        GroupPhrase(
            phrase_hash=context.vault.pseudonym(f"group:{phrase}"),
            member_id=member_id,
            title=title,
            unit_id=unit_id,
            expires_at=until,
        )
    )
    params = {"phrase": phrase, "title": title, "until": until, "again": known is not None}
    return Outcome(wording="groups.phrase", params=params)


async def _reach(context: Context) -> Reach:
    """Whom the actor may tell. Raises ForbiddenError for who is no officer."""
    reach = await reach_of(context, broadcast_rules(context.catalogue)[0])
    if not reach.everybody and not reach.units:
        raise ForbiddenError
    return reach


async def _unit(context: Context, reach: Reach, name: str) -> int | None:
    """The unit that a new group belongs to: of a unit's officer their own, else the one named, or none."""
    if not name:
        return None if reach.everybody else min(reach.unit_ids)
    unit = (await context.session.execute(select(Unit).where(Unit.name == name))).scalar_one_or_none()
    if unit is None:
        raise DomainError("no_such_unit", unit=name)
    if not reach.everybody and unit.id not in reach.unit_ids:
        raise ForbiddenError
    return unit.id


async def _titled(context: Context, title: str) -> ChatGroup | None:
    return (await context.session.execute(select(ChatGroup).where(ChatGroup.title == title))).scalar_one_or_none()


def _refuse_others(reach: Reach, group: ChatGroup) -> None:
    """Raises ForbiddenError for a group of another unit."""
    if not reach.everybody and group.unit_id not in reach.unit_ids:
        raise ForbiddenError


async def phrase_of(context: Context, phrase: str) -> GroupPhrase | None:
    """The open phrase that a text is, for whoever asked for it; locked, so that it counts once."""
    digest = context.vault.pseudonym(f"group:{phrase.upper()}")
    member = context.actor.member
    query = select(GroupPhrase).where(
        GroupPhrase.phrase_hash == digest,
        GroupPhrase.expires_at > context.now,
        GroupPhrase.member_id == (member.id if member else None),
    )
    if not context.database.is_sqlite:
        query = query.with_for_update()
    return (await context.session.execute(query)).scalar_one_or_none()


async def bind(command: c.BindGroup, context: Context, office: Office) -> Outcome:
    """The group that the phrase was said in is the one that it was asked for.

    Raises DomainError: phrase_gone (used, too late, or somebody else's), group_bound (it has another title already).
    """
    del office
    open_phrase = await phrase_of(context, command.phrase)
    if open_phrase is None:
        raise DomainError("phrase_gone")
    there = await at(context, command.channel, command.account, command.conversation)
    group = await _titled(context, open_phrase.title)
    if there is not None and there is not group:
        raise DomainError("group_bound", title=there.title)
    if group is None:
        group = ChatGroup(
            title=open_phrase.title,
            channel=command.channel,
            account=command.account,
            conversation=command.conversation,
            unit_id=open_phrase.unit_id,
            bound_by=open_phrase.member_id,
            bound_at=context.now,
        )
        context.session.add(group)
    else:
        await _move(context, group, command.channel, command.account, command.conversation)
    await context.session.delete(open_phrase)
    await context.session.flush()
    await notify(
        context,
        Notice(member_id=open_phrase.member_id, wording="groups.bound_for_you", params={"title": group.title}),
    )
    return Outcome(wording="groups.bound", params={"title": group.title}, subject=group.subject)


async def at(context: Context, channel: str, account: str, conversation: str) -> ChatGroup | None:
    """The group of a raw id."""
    query = select(ChatGroup).where(
        ChatGroup.channel == channel, ChatGroup.account == account, ChatGroup.conversation == conversation
    )
    return (await context.session.execute(query)).scalar_one_or_none()


async def _move(context: Context, group: ChatGroup, channel: str, account: str, conversation: str) -> int:
    """The group goes by another raw id: what is still to be said there goes with it; returns how many rows do."""
    moved = await _change_waiting(context, group, channel=channel, account=account, conversation=conversation)
    group.channel, group.account, group.conversation = channel, account, conversation
    await context.session.flush()
    return moved


async def _change_waiting(context: Context, group: ChatGroup, *which: ColumnElement[bool], **values: Any) -> int:
    """Changes what is still to be said in a group; returns how many rows. What answers a message is left alone."""
    statement = update(Outgoing).where(
        Outgoing.channel == group.channel,
        Outgoing.account == group.account,
        Outgoing.conversation == group.conversation,
        Outgoing.state.in_(WAITING),
        Outgoing.turn_id.is_(None),
        *which,
    )
    changed = await context.session.execute(statement.values(**values).execution_options(synchronize_session=False))
    return changed.rowcount  # type: ignore[attr-defined,no-any-return]


async def move(command: c.MoveGroup, context: Context, office: Office) -> Outcome:
    """Raises DomainError: no_such_group, group_bound."""
    del office
    group = await at(context, command.channel, command.account, command.before)
    if group is None:
        raise DomainError("no_such_group", group=command.before)
    there = await at(context, command.channel, command.account, command.conversation)
    if there is not None and there is not group:
        raise DomainError("group_bound", title=there.title)
    moved = await _move(context, group, command.channel, command.account, command.conversation)
    return Outcome(wording="groups.moved", params={"title": group.title, "rows": moved}, subject=group.subject)


async def see(command: c.SeeGroups, context: Context, office: Office) -> Outcome:
    """Groups whose raw id has gone are found again by their title, where exactly one group is called so."""
    del office
    query = select(ChatGroup).where(ChatGroup.channel == command.channel, ChatGroup.account == command.account)
    bound = (await context.session.execute(query)).scalars().all()
    taken = {group.conversation for group in bound}
    found = 0
    for group in bound:
        if group.conversation in command.seen:
            continue
        same = [raw for raw, title in command.seen.items() if title.strip() == group.title and raw not in taken]
        if len(same) == 1:
            await _move(context, group, command.channel, command.account, same[0])
            found += 1
    return Outcome(wording="groups.seen", params={"found": found}, data={"found": found})


async def one(context: Context, title: str) -> ChatGroup:
    """A group that the actor may steer, by its title or number. Raises DomainError("no_such_group"), ForbiddenError."""
    reach = await _reach(context)
    group = await context.session.get(ChatGroup, int(title)) if title.isdecimal() else await _titled(context, title)
    if group is None:
        raise DomainError("no_such_group", group=title)
    _refuse_others(reach, group)
    return group


async def set_welcome(command: c.SetWelcome, context: Context, office: Office) -> Outcome:
    """Raises as `one`."""
    del office
    group = await one(context, command.group)
    group.welcome = command.text.strip()
    return Outcome(
        wording="groups.welcome_set", params={"title": group.title, "text": group.welcome}, subject=group.subject
    )


async def set_word(command: c.SetWord, context: Context, office: Office) -> Outcome:
    """Raises as `one`, and DomainError("too_many_words")."""
    del office
    group = await one(context, command.group)
    word, text = fold(command.word), command.text.strip()
    row = await context.session.get(GroupWord, (group.id, word))
    if row is not None and not text:
        await context.session.delete(row)
    elif row is not None:
        row.answer = text
    elif text:
        counted = select(func.count()).select_from(GroupWord).where(GroupWord.group_id == group.id)
        if (await context.session.execute(counted)).scalar_one() >= 100:
            raise DomainError("too_many_words")
        context.session.add(GroupWord(group_id=group.id, word=word, answer=text))
    params = {"title": group.title, "word": word, "text": text}
    return Outcome(wording="groups.word_set", params=params, subject=group.subject)


def fold(word: str) -> str:
    """A word as it is compared: small letters, no blanks around it or marks behind it."""
    return word.strip().rstrip("?？!！。.").strip().lower()[:20]


async def mute(command: c.Mute, context: Context, office: Office) -> Outcome:
    """What was to be said there meanwhile waits (see `hush`). Raises as `one`."""
    del office
    group = await one(context, command.group)
    group.muted_until = context.now + timedelta(hours=command.hours) if command.hours else _FOREVER
    await hush(context, group)
    until = group.muted_until if command.hours else None
    return Outcome(wording="groups.muted", params={"title": group.title, "until": until}, subject=group.subject)


async def hush(context: Context, group: ChatGroup) -> None:
    """In a group that is muted, what is to be said waits for the end of that; where it has none, it is not said."""
    until = group.muted_until
    if until is None or until <= context.now:
        return
    if until >= _FOREVER:
        await _change_waiting(context, group, state="suppressed", reason=_MUTED)
    else:
        await _change_waiting(context, group, Outgoing.due_at < until, due_at=until, reason=_MUTED)


async def unmute(command: c.Unmute, context: Context, office: Office) -> Outcome:
    """Raises as `one`."""
    del office
    group = await one(context, command.group)
    group.muted_until = None
    await _change_waiting(context, group, Outgoing.reason == _MUTED, due_at=context.now, reason="")
    return Outcome(wording="groups.unmuted", params={"title": group.title}, subject=group.subject)


async def unbind(command: c.Unbind, context: Context, office: Office) -> Outcome:
    """Raises as `one`. What still waited to be said there is taken back."""
    del office
    group = await one(context, command.group)
    await _change_waiting(context, group, state="cancelled")
    await context.session.execute(delete(GroupWord).where(GroupWord.group_id == group.id))
    await context.session.delete(group)
    return Outcome(wording="groups.unbound", params={"title": group.title}, subject=group.subject)


async def list_groups(command: c.ListGroups, context: Context, office: Office) -> Outcome:
    """Those that the actor may speak in."""
    del command, office
    reach = await _reach(context)
    rows = (await context.session.execute(select(ChatGroup).order_by(ChatGroup.id))).scalars().all()
    mine = [row for row in rows if reach.everybody or row.unit_id in reach.unit_ids]
    told = [{"title": row.title, "muted": is_muted(row, context.now), "welcome": bool(row.welcome)} for row in mine]
    return Outcome(wording="groups.list", params={"rows": told}, data={"groups": told})


def is_muted(group: ChatGroup, now: datetime) -> bool:
    """Whether nothing is said in a group."""
    return group.muted_until is not None and group.muted_until > now


# --- what happens in a group


async def joined(command: c.MembersJoined, context: Context, office: Office) -> Outcome:
    """Greets who joins, those who join one after the other together; a group without words for it greets nobody."""
    del office
    group = await at(context, command.channel, command.account, command.conversation)
    greeted = group is not None and bool(group.welcome) and not is_muted(group, context.now)
    if group is None or not greeted:
        return Outcome(wording="groups.nothing_said", data={"greeted": False})
    if group.welcomed_at is not None and context.now - group.welcomed_at < _GREETED_TOGETHER:
        return Outcome(wording="groups.nothing_said", data={"greeted": False})
    group.welcomed_at = context.now
    letter = Letter(
        channel=group.channel,
        account=group.account,
        conversation=group.conversation,
        chat="group",
        wording="groups.said",
        params={"text": group.welcome},
        kind="service",
        expires=context.now + timedelta(hours=1),
    )
    await send_letter(context, letter)
    return Outcome(wording="groups.nothing_said", subject=group.subject, data={"greeted": True})


async def answer(command: c.Answer, context: Context, office: Office) -> Outcome:
    """Raises DomainError("no_such_group") where the word has gone."""
    del office
    row = await context.session.get(GroupWord, (command.group_id, command.word))
    if row is None:
        raise DomainError("no_such_group", group=str(command.group_id))
    return Outcome(wording="groups.said", params={"text": row.answer}, subject=f"group:{command.group_id}")


async def words(context: Context, group: ChatGroup) -> Sequence[str]:
    """The words that a group knows."""
    query = select(GroupWord.word).where(GroupWord.group_id == group.id).order_by(GroupWord.word)
    return (await context.session.execute(query)).scalars().all()
