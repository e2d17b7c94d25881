"""What a member wants of the union's news: taken down in one sentence, kept to from the next message on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.tables import Wish

if TYPE_CHECKING:
    from actions.announcements.commands import SetWishes
    from actions.announcements.rules import Office
    from actions.core.commands import Context


async def set_wishes(command: SetWishes, context: Context, office: Office) -> Outcome:
    """Writes the wishes; one for all takes back the single ones before it. Raises DomainError("no_such_topic")."""
    member_id = context.actor.member_id
    known = {topic.id for topic in office.topics.topics} | {""}
    for topic, _wants in command.wishes:
        if topic not in known:
            raise DomainError("no_such_topic", field="topic", topic=topic)
    if any(not topic for topic, _wants in command.wishes):
        await context.session.execute(delete(Wish).where(Wish.member_id == member_id))
    for topic, wants in command.wishes:
        await _set(context, member_id, topic, wants)
    await context.session.flush()
    return Outcome(wording="announcements.wishes", params=await standing(context, office, member_id))


async def _set(context: Context, member_id: int, topic: str, wants: str) -> None:
    query = select(Wish).where(Wish.member_id == member_id, Wish.topic == topic)
    wish = (await context.session.execute(query)).scalar_one_or_none()
    if wish is None:
        context.session.add(Wish(member_id=member_id, topic=topic, wants=wants, at=context.now))
    else:
        wish.wants, wish.at = wants, context.now


async def standing(context: Context, office: Office, member_id: int) -> dict[str, object]:
    """What a member wants: of the rest, and titles of topics by wish, those left out that are as the rest."""
    query = select(Wish.topic, Wish.wants).where(Wish.member_id == member_id)
    wishes = {topic: wants for topic, wants in (await context.session.execute(query)).all()}  # noqa: C416 - rows are no pairs
    rest = wishes.pop("", "all")
    titles: dict[str, list[str]] = {"all": [], "none": [], "digest": []}
    for topic in office.topics.topics:
        wants = wishes.get(topic.id, rest)
        if wants != rest:
            titles[wants].append(topic.title)
    return {"rest": rest, "kept": titles["all"], "stopped": titles["none"], "digest": titles["digest"]}
