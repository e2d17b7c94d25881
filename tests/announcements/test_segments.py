"""Segments: what is written reads the same again, and each is one query that finds just the people it says."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, event, select

from actions.announcements import segment_text
from actions.announcements import segments as s
from actions.announcements.audience import Sources, resolve
from actions.announcements.commands import Preview
from actions.announcements.tables import Announcement
from actions.core.errors import DomainError
from actions.core.tables import Member, RoleGrant, Unit
from tests.announcements.conftest import HE, LIN, ZHOU, announce, run

if TYPE_CHECKING:
    from tests.conftest import World

_names = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3, unique=True).map(tuple)
_kinds: list[Any] = [kind for kind in segment_text.KINDS if kind is not s.Statuses]
_leaves = st.one_of(
    st.just(s.Everyone()),
    st.builds(lambda kind, names: kind(names=names), st.sampled_from(_kinds), _names),
    st.builds(s.Statuses, names=st.sampled_from([("active",), ("retired",), ("active", "retired")])),
    st.builds(s.Unanswered, names=st.integers(1, 999).map(lambda number: (f"announcement:{number}",))),
    st.builds(s.Roles, names=st.sampled_from([("unit_officer",), ("分工会干部",), ("reviewer", "或")])),
)


def _nested(inner: st.SearchStrategy[s.Segment]) -> st.SearchStrategy[s.Segment]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(s.And, parts=parts), st.builds(s.Or, parts=parts), st.builds(s.Not, part=inner))


_segments = st.recursive(_leaves, _nested, max_leaves=6)


@given(_segments)
def test_what_is_written_reads_the_same_again(segment: s.Segment) -> None:
    assert segment_text.read(segment_text.write(segment)) == segment


@given(_segments)
def test_json_gives_the_same_again(segment: s.Segment) -> None:
    assert s.from_json(s.to_json(segment)) == segment


@given(st.text(max_size=60))
def test_any_text_is_a_segment_or_is_refused(text: str) -> None:
    segment = None
    with contextlib.suppress(DomainError):
        segment = segment_text.read(text)
    assert segment is None or segment_text.read(segment_text.write(segment)) == segment


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("全体", s.Everyone()),
        ("all", s.Everyone()),
        ("unit:文学院", s.Units(names=("文学院",))),
        ("单位：文学院，机电学院", s.Units(names=("文学院", "机电学院"))),
        ("未回复:通知12", s.Unanswered(names=("announcement:12",))),
        ("unanswered:announcement:12", s.Unanswered(names=("announcement:12",))),
        ("角色:分工会干部", s.Roles(names=("unit_officer",))),
        ("状态:退休", s.Statuses(names=("retired",))),
        (
            "（单位:文学院 或 tag:教代会代表）且 非 性别:男",
            s.And(
                parts=(
                    s.Or(parts=(s.Units(names=("文学院",)), s.Tags(names=("教代会代表",)))),
                    s.Not(part=s.Sexes(names=("男",))),
                )
            ),
        ),
        (
            "all and not sex:女 | member:1",
            s.Or(parts=(s.And(parts=(s.Everyone(), s.Not(part=s.Sexes(names=("女",))))), s.People(names=("1",)))),
        ),
        ('标签:"含 空格,和逗号"', s.Tags(names=("含 空格,和逗号",))),
    ],
)
def test_the_text_form(text: str, segment: s.Segment) -> None:
    assert segment_text.read(text) == segment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "文学院",
        "单位:",
        "单位:文学院 且",
        "(全体",
        "全体)",
        "单位 文学院",
        "状态:出国",
        "(" * 40 + "全体",
        "!" * 2_001,
    ],
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        segment_text.read(text)
    assert refused.value.code == "segment_unclear"


def test_what_is_nested_without_end_is_refused() -> None:
    value: dict[str, Any] = {"kind": "everyone"}
    for _ in range(400):
        value = {"kind": "not", "part": value}
    with pytest.raises(DomainError, match="segment_unclear"):
        s.from_json(value)


# --- against the people of the demo world


_real = st.one_of(
    st.just(s.Everyone()),
    st.builds(s.Units, names=st.sampled_from([("文学院",), ("文学院", "机电学院"), ("校工会",)])),
    st.builds(s.Tags, names=st.sampled_from([("教代会代表",), ("福利委员", "羽毛球协会负责人")])),
    st.builds(s.Roles, names=st.sampled_from([("unit_officer",), ("union_officer", "counsellor")])),
    st.builds(s.Sexes, names=st.sampled_from([("女",), ("男", "女")])),
    st.builds(s.Statuses, names=st.sampled_from([("active",), ("retired",)])),
    st.builds(s.People, names=st.sampled_from([(LIN,), (LIN, ZHOU)])),
)


def _holds(segment: s.Segment, person: dict[str, Any]) -> bool:
    """What a segment means, in the plainest words."""
    match segment:
        case s.And():
            return all(_holds(part, person) for part in segment.parts)
        case s.Or():
            return any(_holds(part, person) for part in segment.parts)
        case s.Not():
            return not _holds(segment.part, person)
        case s.Everyone():
            return True
    held: Any = {
        "units": "unit",
        "tags": "tags",
        "roles": "roles",
        "sexes": "sex",
        "statuses": "status",
        "people": "id",
    }
    value = person[held[segment.kind]]
    return bool(set(segment.names) & (set(value) if isinstance(value, (list, set)) else {value}))


async def _people(world: World) -> list[dict[str, Any]]:
    async with world.unit_of_work() as context:
        members = (await context.session.execute(select(Member))).unique().scalars().all()
        members[3].status, members[5].status = "retired", "left"
        members[7].unit_id = None
        await context.session.flush()
        units = {unit.id: unit.name for unit in (await context.session.execute(select(Unit))).scalars()}
        grants = (await context.session.execute(select(RoleGrant.member_id, RoleGrant.role))).all()
        return [
            {
                "number": member.id,
                "id": member.staff_id,
                "unit": units.get(member.unit_id or 0, ""),
                "tags": list(member.tags),
                "sex": member.sex,
                "status": member.status,
                "roles": {role for member_id, role in grants if member_id == member.id},
            }
            for member in members
        ]


async def test_a_segment_is_one_query_that_finds_just_them(either_world: World) -> None:
    people = [person for person in await _people(either_world) if person["status"] != "left"]
    found: list[tuple[s.Segment, Select[int]]] = []

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.recursive(_real, _nested, max_leaves=5))
    def collect(segment: s.Segment) -> None:
        found.append((segment, s.query(segment, {}, sqlite=either_world.app.house.database.is_sqlite)))

    collect()
    async with either_world.unit_of_work() as context:
        for segment, query in found:
            numbers = set((await context.session.execute(query)).scalars())
            assert numbers == {person["number"] for person in people if _holds(segment, person)}, segment


async def test_the_audience_is_found_by_a_single_select(world: World) -> None:
    number = await announce(world, text="要回执", answer_in_days=3)
    await world.sent()
    text = f"(单位:文学院 或 报名:瑜伽室) 且 未回复:{number} 且 非 标签:教代会代表"
    async with world.unit_of_work() as context:
        announcements: Any = context.lives["announcement"]
        audience = await resolve(context, announcements.office.sources, segment_text.read(text))
        assert audience.members is not None
        statements: list[str] = []

        def note(_c: Any, _u: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        event.listen(world.app.house.database.engine.sync_engine, "before_cursor_execute", note)
        rows = (await context.session.execute(audience.members)).scalars().all()
        assert len(statements) == 1
        assert statements[0].startswith("SELECT")
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("单位:美术学院", "segment_unknown"),
        ("标签:没有这个标签", "segment_unknown"),
        ("工号:1", "segment_unknown"),
        ("群:没有的群", "segment_unknown"),
        ("角色:皇帝", "segment_unknown"),
        ("报名:没有的活动", "segment_unknown"),
        ("社团:没有的社团", "segment_unknown"),
        ("报名:多功能室", "segment_ambiguous"),
        ("未回复:通知99", "no_roster"),
        ("未回复:case:3", "segment_unclear"),
        ("全体 且 群:甲", "segment_group"),
        ("报名:何医生", "segment_private"),
        ("单位:文学院 且 非 报名:何医生", "segment_private"),
    ],
)
async def test_what_is_not_there_or_not_theirs_is_refused(world: World, to: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        await announce(world, to=to)
    assert refused.value.code == ("no_roster" if to == "未回复:case:3" else code)


async def test_nobody_learns_who_is_in_counselling(world: World) -> None:
    """Not by a count either: a segment with a single person in it would tell."""
    for who in (ZHOU, HE, ""):
        with pytest.raises(DomainError) as refused:
            await run(world, Preview(to=f"报名:何医生 且 工号:{LIN}"), who)
        assert refused.value.code == "segment_private" or (who == HE and refused.value.code == "not_your_audience")


async def test_registrants_are_those_who_are_to_come(world: World) -> None:
    for line in ("周五下午三点约瑜伽室", "5个人", "确认"):
        await world.say(line)
    number = await announce(world, to="报名:瑜伽室@南湖校区", text="瑜伽垫已消毒")
    sent = await world.sent()
    assert [message.address.conversation for message in sent if message.text == "瑜伽垫已消毒"] == [LIN]
    async with world.unit_of_work() as context:
        row = await context.session.get_one(Announcement, number)
        assert row.kind == "service"  # they are in it: it is no news to them
    assert Sources().registrants == {}
