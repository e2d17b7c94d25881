"""Officers load files, confirm, retire, and see what became of a passage; others may not."""

import base64

import pytest
from sqlalchemy import select

from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Audit, Member, RoleGrant
from actions.knowledge.tables import PassageVersion
from bot.app import execute
from tests.conftest import World
from tests.knowledge.conftest import Office
from tests.knowledge.papers import pdf, word

DOCUMENT = {"document": "badminton-2026", "service": "club_info", "title": "羽毛球协会通知", "source": "羽毛球协会通知"}
MARKDOWN = "## 羽毛球协会周几打球\n每周三晚上七点。\n\n## 羽毛球协会会费\n不收会费。"


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def test_what_an_officer_loads_is_quoted_as_an_example_until_it_is_confirmed(office: Office) -> None:
    world = office.world
    assert "没有查到" in await world.told("羽毛球协会周几晚上打球")
    assert "新的或改过的 2 条" in await office.do("knowledge.load", **DOCUMENT, text=MARKDOWN)
    first = await world.told("羽毛球协会周几晚上打球")
    assert "每周三晚上七点。" in first
    assert "示例" in first
    said = await office.do(
        "knowledge.confirm", ref="badminton-2026#羽毛球协会周几打球", effective="2026-11-01", issuer="校工会"
    )
    assert "2026年11月1日起" in said
    second = await world.told("羽毛球协会周几晚上打球")
    assert "羽毛球协会通知，校工会，2026年11月1日起" in second
    assert "示例" not in second


@pytest.mark.parametrize("kind", ["word", "pdf", "markdown"])
async def test_word_pdf_and_markdown_are_read(office: Office, kind: str) -> None:
    content = {
        "word": word([("门球场地开放时间", "每天早上六点到晚上九点。")]),
        "pdf": pdf(["第一条 门球场地每天开放。"]),
        "markdown": "# 门球场地开放时间\n每天早上六点到晚上九点。".encode(),
    }[kind]
    await office.do("knowledge.load", **DOCUMENT, file_name=f"门球.{kind}", content=_encoded(content))
    assert "每天" in await office.world.told("门球场地每天开放吗")
    async with office.world.app.house.database.read() as session:
        (row,) = (await session.execute(select(PassageVersion))).scalars()
    assert (row.change, row.origin, row.status) == ("loaded", f"门球.{kind}", "示例")


async def test_the_same_document_again_changes_only_what_is_new(office: Office) -> None:
    await office.do("knowledge.load", **DOCUMENT, text=MARKDOWN)
    assert "新的或改过的 0 条" in await office.do("knowledge.load", **DOCUMENT, text=MARKDOWN)
    newer = "## 羽毛球协会周几打球\n改到每周四晚上七点。"
    assert "已经没有的 1 条停用" in await office.do("knowledge.load", **DOCUMENT, text=newer)
    assert "每周四" in await office.world.told("羽毛球协会周几打球")
    listed = await office.data("knowledge.list", service="club_info")
    refs = [row["ref"] for row in listed["passages"]]
    assert "badminton-2026#羽毛球协会会费" not in refs


async def test_a_passage_of_the_files_is_confirmed_with_what_the_officer_knows(office: Office) -> None:
    ref = "union-how#提案要几个人附议"
    await office.do("knowledge.confirm", ref=ref, text="至少三位代表附议才能提交。", source="《提案工作办法》")
    said = await office.world.told("提案要几个人附议")
    assert "至少三位代表附议才能提交。" in said
    assert "《提案工作办法》" in said
    assert "示例" not in said


async def test_the_history_shows_every_version_down_to_the_file(office: Office) -> None:
    ref = "union-how#提案要几个人附议"
    await office.do("knowledge.confirm", ref=ref, text="至少三位代表附议。")
    office.world.clock.move(days=1)
    await office.do("knowledge.retire", ref=ref)
    rows = (await office.data("knowledge.history", ref=ref))["rows"]
    assert [row["change"] for row in rows] == ["retired", "confirmed", "file"]
    said = await office.do("knowledge.history", ref=ref)
    assert "11月23日(周一)09:00停用" in said
    assert "随系统带来" in said


async def test_what_is_retired_is_not_quoted_any_more(office: Office) -> None:
    await office.do("knowledge.retire", ref="union-funds#会费交多少")
    assert "5‰" not in await office.world.told("会费交多少")
    await office.do("knowledge.confirm", ref="union-law-money#工会经费从哪里来")  # others stay as they are
    with pytest.raises(DomainError, match="no_such_passage"):
        await office.do("knowledge.retire", ref="union-funds#会费交多少")


async def test_another_process_sees_what_was_changed(office: Office) -> None:
    library = office.world.app.house.lives["question"].library  # type: ignore[attr-defined]
    async with office.world.app.house.database.read() as session:
        before = await library.index(session)
        assert await library.index(session) is before
    await office.do("knowledge.load", **DOCUMENT, text=MARKDOWN)
    async with office.world.app.house.database.read() as session:
        after = await library.index(session)
    assert len(after.passages) == len(before.passages) + 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"service": "counseling", "text": MARKDOWN}, "no_such_service"),
        ({"service": "nothing", "text": MARKDOWN}, "no_such_service"),
        ({"text": "没有标题的一段话。"}, "knowledge_no_headings"),
        ({"content": "不是base64"}, "knowledge_file_broken"),
        ({"content": _encoded(b"PK\x03\x04")}, "knowledge_file_broken"),
        ({"text": "\n".join(f"## {n}\n字" for n in range(301))}, "knowledge_too_many"),
        ({"document": "../etc/passwd", "text": MARKDOWN}, "bad_arguments"),
    ],
)
async def test_what_cannot_be_loaded_is_refused(office: Office, arguments: dict[str, object], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        await office.do("knowledge.load", **{**DOCUMENT, **arguments})
    assert refused.value.code == code
    assert office.world.app.house.wording.text(f"errors.{code}", refused.value.params)


async def test_a_validity_that_ends_before_it_begins_is_refused(office: Office) -> None:
    with pytest.raises(DomainError, match="knowledge_bad_dates"):
        await office.do(
            "knowledge.confirm", ref="union-how#提案要几个人附议", effective="2026-01-02", expires="2026-01-01"
        )


@pytest.mark.parametrize("who", ["20180312", "20130517"])
@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("knowledge.load", {**DOCUMENT, "text": MARKDOWN}),
        ("knowledge.confirm", {"ref": "union-how#提案要几个人附议"}),
        ("knowledge.retire", {"ref": "union-how#提案要几个人附议"}),
        ("knowledge.history", {"ref": "union-how#提案要几个人附议"}),
        ("knowledge.list", {}),
        ("unanswered.list", {}),
        ("unanswered.answer", {"question_id": 1, "reason": "好"}),
        ("unanswered.label", {"question_id": 1, "reason": "ask_club"}),
        ("unanswered.dismiss", {"question_id": 1}),
        ("unanswered.export", {}),
    ],
)
async def test_members_and_unit_officers_may_not(
    world: World, who: str, command: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(ForbiddenError):
        await execute(world.app, who, command, arguments)


async def test_an_officer_of_one_service_keeps_that_one_alone(world: World) -> None:
    async with world.unit_of_work() as context:
        member = (await context.session.execute(select(Member).where(Member.staff_id == "20150108"))).unique()
        grant = RoleGrant(member_id=member.scalar_one().id, role="union_officer", service="club_info")
        context.session.add(grant)
    await execute(world.app, "20150108", "knowledge.load", {**DOCUMENT, "text": MARKDOWN})
    await execute(world.app, "20150108", "knowledge.confirm", {"ref": "badminton-2026#羽毛球协会会费"})
    with pytest.raises(ForbiddenError):
        await execute(world.app, "20150108", "knowledge.confirm", {"ref": "union-how#提案要几个人附议"})
    with pytest.raises(ForbiddenError):
        await execute(world.app, "20150108", "knowledge.load", {**DOCUMENT, "service": "welfare", "text": MARKDOWN})


async def test_every_change_is_audited(office: Office) -> None:
    await office.do("knowledge.confirm", ref="union-how#提案要几个人附议")
    async with office.world.app.house.database.read() as session:
        entry = (await session.execute(select(Audit).where(Audit.command == "knowledge.confirm"))).scalar_one()
    assert (entry.actor, entry.subject) == ("20100903", "passage:union-how#提案要几个人附议")
