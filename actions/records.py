"""A member's own records across all lives: looked at, withdrawn, moved, and asked how far they have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from actions.core.catalogue import Declared, NoRules
from actions.core.commands import Command, Context, Outcome, Registration, bound
from actions.core.errors import DomainError
from actions.core.life import Choice, Item, Resolved
from actions.core.zones import day_bounds, local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from actions.core.catalogue import Declaration
    from actions.core.life import Records
    from actions.core.tables import Offering

# What fits into one message of a chat.
_MOST = 12


class RecordsRules(Declared):
    """What a service of this life does with the member's records."""

    action: Literal["list", "withdraw", "reschedule", "status"]


class ListItems(Command):
    """Everything that the actor has open."""

    name: ClassVar[str] = "records.list"


class ListStates(Command):
    """How far each open record of the actor's has come."""

    name: ClassVar[str] = "records.status"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """A form's fields by their type, so that none is known by its name; `time` is empty where nothing is moved."""

    action: str
    item: str
    time: str

    @property
    def hint(self) -> str:
        """What a message said of the record: {"services": ids, "names": parts of its title, "wish": a time}."""
        return f"{self.item}_hint"

    @property
    def wish(self) -> str:
        """The time mention behind the new time."""
        return f"{self.time}_wish"

    @property
    def earlier(self) -> str:
        """The wish as the messages before this one left it."""
        return f"{self.time}_earlier"

    @property
    def time_of(self) -> str:
        """The record that the new time was looked up for."""
        return f"{self.time}_of"

    def able(self, item: Item) -> bool:
        """Whether a record can be withdrawn, or moved."""
        return item.movable if self.time else item.withdrawable


class OwnRecords:
    """The life whose records are those of all the others."""

    name = "records"
    rules = RecordsRules
    spec = NoRules

    def __init__(self, records: Sequence[Records]) -> None:
        """`records` are those of every life; their kinds must differ."""
        self._records = tuple(records)
        self._by_kind = {kind: own for own in self._records for kind in own.kinds}

    def registrations(self) -> Sequence[Registration[Any]]:
        """The commands that only look; withdrawing and moving are commands of the record's own life."""
        return (
            Registration(command=ListItems, handler=self._list, right=bound, private=_always),
            Registration(command=ListStates, handler=self._states, right=bound, private=_always),
        )

    async def begin(self, context: Context, service: Declaration) -> Mapping[str, Any]:
        """Raises DomainError("nothing_to_withdraw") or ("nothing_to_move"); `titles` are what is open all the same."""
        form = _form(service)
        if form.action not in ("withdraw", "reschedule"):
            return {}
        _refuse_none(form, await self.items(context))
        return {}

    async def resolve(
        self, context: Context, service: Declaration, values: Mapping[str, Any], changed: Iterable[str]
    ) -> Resolved:
        """Finds the record that is meant, and then the time that it can be moved to.

        The only record that can be meant is filled in. A new time belongs to one record, and goes when another is
        chosen; the wish behind it stays and is tried anew.
        """
        form = _form(service)
        known, said = dict(values), set(changed)
        refusals: list[DomainError] = []
        if not form.item:
            return Resolved(values=known)
        items = await self.items(context)
        try:
            _find_item(form, known, said, items)
        except DomainError as error:
            refusals.append(error)
        chosen = _chosen(form, known, [item for item in items if form.able(item)])
        try:
            await self._find_time(context, form, known, said, chosen)
        except DomainError as error:
            refusals.append(error)
        return Resolved(values=known, refusals=tuple(refusals))

    async def _find_time(
        self, context: Context, form: _Form, known: dict[str, Any], said: set[str], item: Item | None
    ) -> None:
        if not form.time:
            return
        ref = item.ref if item else None
        if form.time not in said and known.get(form.time_of) != ref:
            known.pop(form.time, None)
        wish = known.get(form.wish)
        tried = known.get(form.time_of) == ref and form.wish not in said
        known[form.time_of] = ref
        if item is None or wish is None or tried or form.time in said:
            return
        known.pop(form.time, None)
        known[form.wish] = wish = _anchored(wish, item)
        exact = await self._exact(context, item.ref, wish)
        if len(exact) == 1:
            known[form.time] = exact[0].value
        elif not exact and not await self.owner(item.ref).moves(context, item.ref, wish):
            raise DomainError("no_move_then", field=form.time, text=wish["text"], title=item.title)

    async def _exact(self, context: Context, ref: str, wish: Mapping[str, Any]) -> tuple[Choice, ...]:
        """Choices at the very moment that was named: a point, or a day with the clock kept from before."""
        point = wish if wish["kind"] == "point" else _at_clock(wish)
        return () if point is None else await self.owner(ref).moves(context, ref, point)

    async def choices(
        self, context: Context, service: Declaration, values: Mapping[str, Any], key: str
    ) -> tuple[Choice, ...]:
        """Records that will do, those that fit what was said of them; or times, the nearest to the wish."""
        form = _form(service)
        items = await self.items(context)
        if key == form.item:
            _refuse_none(form, items)
            able = [item for item in items if form.able(item)]
            meant = [item for item in able if _fits(item, values.get(form.hint) or {})]
            return tuple(Choice(value=item.ref, label=item.title) for item in meant or able)
        item = next((item for item in items if item.ref == values.get(form.item)), None)
        if item is None:
            raise DomainError("item_gone", field=form.item)
        for wish in _wider(values.get(form.wish)):
            times = await self.owner(item.ref).moves(context, item.ref, wish)
            if times:
                return times
        raise DomainError("no_move_left", title=item.title)

    async def hold(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Holds nothing: the old time is kept until the new one is taken. Returns `<field>_label` for the read-back."""
        form = _form(service)
        items = {item.ref: item.title for item in await self.items(context)}
        if values.get(form.item) not in items:
            raise DomainError("item_gone", field=form.item)
        labels = {f"{form.item}_label": items[values[form.item]]}
        if form.time:
            times = await self.choices(context, service, values, form.time)
            found = next((choice.label for choice in times if choice.value == values[form.time]), None)
            if found is not None:
                labels[f"{form.time}_label"] = found
        return labels

    async def release(self, context: Context, service: Declaration, values: Mapping[str, Any]) -> None:
        """Nothing was held."""

    def commit(self, service: Declaration, values: Mapping[str, Any]) -> Command:
        """The command of this life, or of the life that the record belongs to. Raises DomainError("item_gone")."""
        form = _form(service)
        if form.action == "list":
            return ListItems()
        if form.action == "status":
            return ListStates()
        ref = values[form.item]
        if form.time:
            return self.owner(ref).move(ref, values[form.time])
        return self.owner(ref).withdrawal(ref)

    async def offering_cancelled(self, context: Context, offering: Offering) -> int:
        """There are no offerings of this life."""
        del context, offering
        return 0

    def owner(self, ref: str) -> Records:
        """Whose record a ref names. Raises DomainError("item_gone") for none."""
        kind = ref.partition(":")[0]
        if kind not in self._by_kind:
            raise DomainError("item_gone")
        return self._by_kind[kind]

    async def items(self, context: Context) -> list[Item]:
        """What the actor has open, soonest first; what has no time is last. Raises DomainError("not_bound")."""
        member = context.actor.member_id
        found = [item for own in self._records for item in await own.items(context, member)]
        return sorted(found, key=lambda item: (item.starts_at is None, item.starts_at or context.now))

    async def _list(self, _command: ListItems, context: Context) -> Outcome:
        return _told(await self.items(context), some="records.items", none="records.nothing")

    async def _states(self, _command: ListStates, context: Context) -> Outcome:
        return _told(await self.items(context), some="records.states", none="records.nothing_pending")


def _always(_command: Command, _context: Context) -> bool:
    return True


def _told(items: Sequence[Item], *, some: str, none: str) -> Outcome:
    if not items:
        return Outcome(wording=none)
    rows = [
        {
            "title": item.title,
            "state": item.state,
            "state_text": item.params.get("state_text", ""),
            "example": bool(item.params.get("example")),
        }
        for item in items[:_MOST]
    ]
    return Outcome(wording=some, params={"items": rows, "total": len(items)})


def _form(service: Declaration) -> _Form:
    if not isinstance(service.rules, RecordsRules):
        message = f"{service.id} is no service of a member's own records"
        raise TypeError(message)
    keys = {item.type: item.key for item in service.form}
    return _Form(action=service.rules.action, item=keys.get("record", ""), time=keys.get("slot", ""))


def _refuse_none(form: _Form, items: Sequence[Item]) -> None:
    if not any(form.able(item) for item in items):
        code = "nothing_to_move" if form.time else "nothing_to_withdraw"
        raise DomainError(code, titles=[item.title for item in items])


def _chosen(form: _Form, known: Mapping[str, Any], able: Sequence[Item]) -> Item | None:
    return next((item for item in able if item.ref == known.get(form.item)), None)


def _find_item(form: _Form, known: dict[str, Any], said: set[str], items: Sequence[Item]) -> None:
    """Fills the record in where only one can be meant. Raises DomainError where none can."""
    able = [item for item in items if form.able(item)]
    if form.item in known and _chosen(form, known, able) is None:
        del known[form.item]
        raise DomainError("item_gone", field=form.item)
    if form.time:
        _tell_apart(form, known, said, items)
    try:
        if form.hint in said and form.hint in known and form.item not in said:
            _narrow(form, known, items)
    finally:
        if form.item not in known and len(able) == 1:
            known[form.item] = able[0].ref
        if form.item in known:
            known.pop(form.hint, None)  # it has found its record: whoever wants another is offered all of them


def _tell_apart(form: _Form, known: dict[str, Any], said: set[str], items: Sequence[Item]) -> None:
    """Whether a time is the record's ("周三的咨询改个时间") or the one to move it to ("改到周五").

    A lone time is the record's where it fits one and none is chosen yet; else it is where the member wants to go.
    What was picked by its label names a time too, and says nothing new.
    """
    chosen = _chosen(form, known, items)
    if form.time in said:
        known.pop(form.hint, None)
    wish = known.get(form.wish) if form.wish in said else None
    named = (known.get(form.hint) or {}).get("wish") if form.hint in said else None
    if form.item in said and chosen is not None and wish is not None and _within(chosen, wish):
        _take_back(form, known, said)
    elif named and (wish is None or wish["text"] == named["text"]):
        if chosen is None and any(_fits(item, known[form.hint]) for item in items):
            _take_back(form, known, said)
        else:
            # A wish that is not as it was named has been completed by the day talked about before.
            whole = wish is not None and wish["start"] != named["start"]
            known[form.wish] = {**(wish or named), **({"day_named": True} if whole else {})}
            known[form.hint] = {key: value for key, value in known[form.hint].items() if key != "wish"}
            said.add(form.wish)
    if form.wish in known:
        known[form.earlier] = known[form.wish]


def _take_back(form: _Form, known: dict[str, Any], said: set[str]) -> None:
    """The wish is what it was before this message."""
    said.discard(form.wish)
    known.pop(form.wish, None)
    if form.earlier in known:
        known[form.wish] = known[form.earlier]


def _narrow(form: _Form, known: dict[str, Any], items: Sequence[Item]) -> None:
    """Holds what a message says of the record against what there is."""
    hint = known[form.hint]
    meant = [item for item in items if _fits(item, hint)]
    able = [item for item in meant if form.able(item)]
    if _chosen(form, known, able) is not None:
        return
    if able:
        known.pop(form.item, None)
        if len(able) == 1:
            known[form.item] = able[0].ref
        return
    del known[form.hint]
    if meant:
        code = "not_movable" if form.time else "not_withdrawable"
        raise DomainError(code, field=form.item, title=meant[0].title, state=meant[0].state)
    raise DomainError("no_such_item", field=form.item)


def _fits(item: Item, hint: Mapping[str, Any]) -> bool:
    """Whether a record is one of those that a message names; a message that names none fits all."""
    services, names, wish = hint.get("services"), hint.get("names"), hint.get("wish")
    return (
        (not services or item.service in services)
        and (not names or any(name in item.title for name in names))
        and (not wish or _within(item, wish))
    )


def _within(item: Item, wish: Mapping[str, Any]) -> bool:
    """Whether a record is at a time that was named. A clock or part of the day with no day fits on any day."""
    if item.starts_at is None:
        return False
    wish = _anchored(wish, item)
    start, end = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    return item.starts_at == start or start <= item.starts_at < end


def _anchored(wish: Mapping[str, Any], item: Item) -> dict[str, Any]:
    """A time of which no day was named ("改到五点") is on the record's own day."""
    if wish.get("day_named", True) or item.starts_at is None:
        return dict(wish)
    start, end = local(datetime.fromisoformat(wish["start"])), local(datetime.fromisoformat(wish["end"]))
    day = local(item.starts_at).date()
    moved = datetime.combine(day, start.timetz())
    return {**wish, "start": moved.isoformat(), "end": (moved + (end - start)).isoformat(), "day_named": True}


def _at_clock(wish: Mapping[str, Any]) -> dict[str, Any] | None:
    """The moment of a one-day wish whose clock time is known; None for any other span."""
    low, high = datetime.fromisoformat(wish["start"]), datetime.fromisoformat(wish["end"])
    if not wish.get("clock") or high - low > timedelta(days=1):
        return None
    hour, minute = map(int, wish["clock"].split(":"))
    moment = local(low).replace(hour=hour, minute=minute).isoformat()
    return {**wish, "start": moment, "end": moment, "kind": "point"}


def _wider(wish: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any] | None]:
    """The wish, its day, the week from that day, and any time."""
    if wish is not None:
        yield wish
        low, high = day_bounds(local(datetime.fromisoformat(wish["start"])).date())
        for end in (high, low + timedelta(days=7)):
            yield {**wish, "start": low.isoformat(), "end": end.isoformat(), "kind": "span"}
    yield None
