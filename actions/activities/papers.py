"""The papers of an activity: lists to sign, order book. What stands on them is worded in data/responses/closing.yml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actions.activities.competition import Words
from actions.blocks.documents import Column, Paper, Part, SignOff, Table
from actions.core.zones import local, spoken, spoken_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from actions.activities.competition import Competition, Say
    from actions.activities.rules import ActivitySpec
    from actions.activities.tables import Entry
    from actions.blocks.documents import Cell
    from actions.core.tables import Offering


_STANDINGS = (
    ("place", 2),
    ("entrant", 6),
    ("played", 2),
    ("won", 2),
    ("drawn", 2),
    ("lost", 2),
    ("goals", 3),
    ("points", 2),
    ("decided", 5),
)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One offering with all that its papers tell.

    `entries` take part, in the order of their sign-up; `present` are ids of members who were at each session;
    `columns` are the answers that a sheet for picking up shows: (key, label); `split` is the key it is divided by.
    """

    offering: Offering
    spec: ActivitySpec
    entries: Sequence[Entry]
    present: Mapping[int, frozenset[int]]
    columns: Sequence[tuple[str, str]] = ()
    split: str = ""
    competition: Competition | None = None


class Papers:
    """Makes papers. `say` renders a sentence, `now` is the day that they are signed off with."""

    def __init__(self, say: Say, now: datetime) -> None:
        self._say = say
        self._now = now

    def text(self, key: str, **params: Any) -> str:
        """A sentence of closing.yml."""
        return self._say(f"closing.{key}", params)

    def _columns(self, *wanted: tuple[str, float]) -> tuple[Column, ...]:
        return tuple(Column(title=self.text(f"column.{key}"), width=width) for key, width in wanted)

    def _paper(self, title: str, event: Event, parts: Sequence[Part], *, subtitle: str = "") -> Paper:
        sign_off = SignOff(name=self.text("sign_off"), day=local(self._now).date())
        closing = (self.text("hand"),)
        named = self.text(title, title=event.offering.title)
        return Paper(title=named, subtitle=subtitle, parts=tuple(parts), closing=closing, sign_off=sign_off)

    # --- lists to sign

    def attendance(self, event: Event) -> Paper:
        """A list for each session; who was checked in is marked."""
        columns = self._columns(("number", 2), ("name", 4), ("unit", 7), ("checked", 3), ("signature", 6))
        sessions = event.spec.sessions
        parts = []
        for number in range(max(len(sessions), 1)):
            there = event.present.get(number, frozenset())
            mark = self.text("checked")
            rows = [
                (count, name, unit, mark if member_id in there else "", "")
                for count, (member_id, name, unit) in enumerate(_people(event), start=1)
            ]
            heading = self._session(event, number)
            parts.append(
                Part(heading=heading, table=Table(columns=columns, rows=tuple(rows), tall=True), new_page=number > 0)
            )
        return self._paper("attendance", event, parts)

    def _session(self, event: Event, number: int) -> str:
        if not event.spec.sessions:
            return ""
        session = sorted(event.spec.sessions, key=lambda one: one.starts_at)[number]
        return self.text("session", when=spoken(session.starts_at), place=session.place, title=session.title)

    def prizes(self, event: Event) -> Paper:
        """Who has a prize, to sign for; the results stand beside."""
        columns = self._columns(
            ("number", 2), ("entrant", 6), ("unit", 5), ("result", 3), ("prize", 4), ("signature", 5)
        )
        rows: list[tuple[Cell, ...]] = []
        for entry in event.entries:
            prize = str(entry.fields.get("prize") or "")
            if prize:
                result = str(entry.fields.get("result") or "")
                rows.append((len(rows) + 1, "、".join(_names(entry)), _unit(entry), result, prize, ""))
        return self._paper("prizes", event, [Part(table=Table(columns=columns, rows=tuple(rows), tall=True))])

    def pickup(self, event: Event) -> Paper:
        """Who picks up what, by unit; a colleague who collects it signs in the last but one column."""
        base = self._columns(("number", 2), ("name", 4), ("unit", 6))
        own = tuple(Column(title=label, width=4) for key, label in event.columns if key != event.split)
        ending = self._columns(("signature", 4), ("proxy", 4), ("date", 3))
        parts: dict[str, list[Entry]] = {}
        for entry in event.entries:
            parts.setdefault(str(entry.fields.get(event.split) or "") if event.split else "", []).append(entry)
        made: list[Part] = []
        for heading, entries in sorted(parts.items()):
            ordered = sorted(entries, key=lambda entry: (_unit(entry), entry.member.staff_id))
            rows: list[tuple[Cell, ...]] = [
                (number, entry.member.name, _unit(entry), *self._answers(event, entry), "", "", "")
                for number, entry in enumerate(ordered, start=1)
            ]
            table = Table(columns=(*base, *own, *ending), rows=tuple(rows), tall=True)
            made.append(Part(heading=heading, table=table, new_page=bool(made)))
        return self._paper("pickup", event, made or [Part(table=Table(columns=(*base, *own, *ending), rows=()))])

    def _answers(self, event: Event, entry: Entry) -> tuple[str, ...]:
        return tuple(str(entry.fields.get(key) or "") for key, _ in event.columns if key != event.split)

    def roster(self, event: Event) -> Paper:
        """Who is in it, with numbers and duties."""
        parts = [Part(lines=tuple(self._facts(event))), self._teams(event)]
        return self._paper("roster", event, parts)

    def _facts(self, event: Event) -> list[str]:
        spec = event.spec
        sessions = [self._session(event, number) for number in range(len(spec.sessions))]
        note = [spec.note] if spec.note else []
        count = self.text("count", entries=len(event.entries), people=len(_people(event)))
        return [*sessions, *note, count]

    def _teams(self, event: Event) -> Part:
        """A line for each entry: who leads it, who plays."""
        if event.spec.entry == "person":
            columns = self._columns(("number", 2), ("name", 4), ("unit", 8))
            people = enumerate(_people(event), start=1)
            rows: list[tuple[Cell, ...]] = [(number, name, unit) for number, (_, name, unit) in people]
            return Part(heading=event.offering.title, table=Table(columns=columns, rows=tuple(rows)))
        columns = self._columns(("number", 2), ("unit", 5), ("leader", 4), ("captain", 4), ("players", 14))
        rows = [
            (number, _unit(entry), *(_role(entry, role) for role in ("leader", "captain")), "、".join(_players(entry)))
            for number, entry in enumerate(event.entries, start=1)
        ]
        return Part(heading=event.offering.title, table=Table(columns=columns, rows=tuple(rows)))

    # --- order book

    def order_book(self, events: Sequence[Event], title: str) -> Paper:
        """秩序册: of one event, or of all events of a festival: rules, entrants, groups, timetable."""
        parts: list[Part] = []
        for event in events:
            parts.append(Part(heading=event.offering.title, lines=tuple(self._facts(event)), new_page=bool(parts)))
            teams = self._teams(event)
            parts.append(Part(heading=self.text("entrants"), table=teams.table))
            if event.competition is not None:
                parts += self._drawn(event.competition)
        sign_off = SignOff(name=self.text("sign_off"), day=local(self._now).date())
        return Paper(title=self.text("order_book", title=title), parts=tuple(parts), sign_off=sign_off)

    def _drawn(self, competition: Competition) -> list[Part]:
        words, seed = Words(self._say, competition), self.text("seed", seed=competition.draw.seed)
        if not competition.draw.games:
            return [self._heats(competition, seed)]
        parts = [Part(heading=self.text("rules"), lines=(*words.rules(), seed))]
        if len(competition.draw.groups) > 1:
            columns = self._columns(("group", 2), ("entrants", 16))
            rows = [
                (group.name, "、".join(competition.names[one] for one in group.entrants))
                for group in competition.draw.groups
            ]
            parts.append(Part(heading=self.text("groups"), table=Table(columns=columns, rows=tuple(rows))))
        return [*parts, self._timetable(competition, words)]

    def _heats(self, competition: Competition, seed: str) -> Part:
        """A line for each heat, a column for each lane."""
        width = max(len(heat.entrants) for heat in competition.draw.groups)
        lanes = tuple(Column(title=self.text("lane", number=number + 1), width=4) for number in range(width))
        rows: list[tuple[Cell, ...]] = []
        for heat in competition.draw.groups:
            names = [competition.names[one] for one in heat.entrants]
            rows.append((heat.name, *names, *[""] * (width - len(names))))
        table = Table(columns=(*self._columns(("group", 2)), *lanes), rows=tuple(rows))
        return Part(heading=self.text("groups"), lines=(seed,), table=table)

    def _timetable(self, competition: Competition, words: Words) -> Part:
        """Games in the order of their time, those without one at the end."""
        columns = self._columns(
            ("game", 2), ("stage", 4), ("home", 5), ("away", 5), ("day", 4), ("clock", 2.5), ("venue", 4), ("score", 3)
        )
        slots = competition.slots
        games = sorted(
            (game.id for game in competition.draw.games),
            key=lambda ref: (ref not in slots, slots[ref].start.timestamp() if ref in slots else 0, words.number(ref)),
        )
        rows: list[tuple[Cell, ...]] = []
        for ref in games:
            facts, slot = words.facts(ref), slots.get(ref)
            day, clock = (spoken_day(slot.start), f"{local(slot.start):%H:%M}") if slot else ("", "")
            score = "" if facts["home_score"] is None else f"{facts['home_score']} : {facts['away_score']}"
            sides = (facts["home"], facts["away"])
            rows.append((words.number(ref), facts["stage"], *sides, day, clock, facts["venue"], score))
        return Part(heading=self.text("timetable"), table=Table(columns=columns, rows=tuple(rows)))

    def results(self, event: Event, competition: Competition) -> Paper:
        """Scores and tables."""
        words = Words(self._say, competition)
        parts = [self._timetable(competition, words)]
        for group in competition.draw.groups:
            columns = self._columns(*_STANDINGS)
            rows: list[tuple[Cell, ...]] = [
                tuple(told[key] for key, _ in _STANDINGS) for told in map(_with_goals, words.rows(group.name))
            ]
            heading = self.text("standings", group=group.name if len(competition.draw.groups) > 1 else "")
            parts.append(Part(heading=heading, table=Table(columns=columns, rows=tuple(rows))))
        return self._paper("results", event, parts)


def _players(entry: Entry) -> list[str]:
    players = [person for person in entry.people if person.role != "leader"]
    return [f"{person.number} {person.member.name}" if person.number else person.member.name for person in players]


def _names(entry: Entry) -> list[str]:
    return [person.member.name for person in entry.people if person.role != "leader"]


def _role(entry: Entry, role: str) -> str:
    return "、".join(person.member.name for person in entry.people if person.role == role)


def _unit(entry: Entry) -> str:
    return entry.unit.name if entry.unit else ""


def _people(event: Event) -> list[tuple[int, str, str]]:
    """Everybody who takes part: (id, name, unit), by unit and 工号."""
    found = {}
    for entry in event.entries:
        for person in entry.people:
            if person.role != "leader":
                unit = person.member.unit.name if person.member.unit else ""
                found[person.member_id] = (unit, person.member.staff_id, person.member.name)
    return [(one, name, unit) for one, (unit, _, name) in sorted(found.items(), key=lambda item: item[1])]


def _with_goals(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "entrant": row["name"], "goals": f"{row['scored']}:{row['conceded']}"}
