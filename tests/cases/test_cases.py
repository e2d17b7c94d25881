"""Rules of the life case that no conversation shows: publicity, quota, limits, papers, what the audit and rows hold."""

from __future__ import annotations

import asyncio
import base64
import io
from typing import TYPE_CHECKING, Any

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import select

from actions.cases.sweep import sweep
from actions.cases.tables import Case, CaseStep
from actions.core.errors import DomainError, ForbiddenError
from actions.core.tables import Audit

if TYPE_CHECKING:
    from actions.core.commands import Outcome
    from tests.conftest import World

LIN, ZHOU, CHEN, HU, ZHANG = "20180312", "20100903", "20130517", "20160008", "20160001"


async def do(world: World, who: str, command: str, **arguments: Any) -> Outcome:
    async with world.unit_of_work(who) as context:
        return await context.bus.execute(context.bus.command(command, arguments), context)


async def state(world: World, case_id: int) -> str:
    async with world.unit_of_work() as context:
        case = await context.session.get(Case, case_id)
        assert case is not None
        return case.state


async def _publicised(world: World) -> int:
    fields = {"award": "四育人", "nominee": "张建国", "deeds": "二十年教书育人"}
    number = (await do(world, LIN, "cases.submit", service="nomination", fields=fields)).data["case_id"]
    await do(world, CHEN, "cases.move", case_id=number, move="endorse")
    await do(world, ZHOU, "cases.move", case_id=number, move="pass")
    for step in ("political", "discipline"):
        await do(world, ZHOU, "cases.tick", case_id=number, step=step)
    await do(world, ZHOU, "cases.move", case_id=number, move="choose")
    return int(number)


async def _sweep(world: World) -> None:
    async with world.unit_of_work() as context:
        await sweep(context)


async def test_publicity_ends_by_itself_unless_somebody_objects(world: World) -> None:
    number = await _publicised(world)
    with pytest.raises(DomainError, match="period_not_over"):
        await do(world, ZHOU, "cases.move", case_id=number, move="confirm")
    kept = await do(world, HU, "cases.object", case_id=number, body="校工会", reason="事迹与事实不符")
    world.clock.move(days=10)
    await _sweep(world)
    assert await state(world, number) == "publicised"
    settled = await do(world, ZHOU, "cases.settle", objection_id=kept.params["number"], reason="已核实，事迹属实")
    assert settled.params["said"] == "事迹与事实不符"
    await _sweep(world)
    assert await state(world, number) == "chosen"


async def test_an_objection_is_sealed_and_its_body_must_exist(world: World) -> None:
    number = await _publicised(world)
    with pytest.raises(DomainError, match="no_such_body"):
        await do(world, HU, "cases.object", case_id=number, body="居委会", reason="不合适")
    fields = {"content": "路灯坏了"}
    other = (await do(world, LIN, "cases.submit", service="suggestion", fields=fields)).data["case_id"]
    with pytest.raises(DomainError, match="not_publicised"):
        await do(world, HU, "cases.object", case_id=other, body="校工会", reason="不合适")


async def test_the_person_concerned_does_not_decide(world: World) -> None:
    fields = {"award": "四育人", "nominee": "陈静", "deeds": "服务师生"}
    number = (await do(world, LIN, "cases.submit", service="nomination", fields=fields)).data["case_id"]
    with pytest.raises(DomainError, match="recused"):
        await do(world, CHEN, "cases.move", case_id=number, move="endorse")
    await do(world, ZHOU, "cases.move", case_id=number, move="endorse")
    assert await state(world, number) == "filed"


async def test_who_withdraws_decides_no_more(world: World) -> None:
    secret = {"kind": "本人患病", "situation": "手术"}
    submitted = await do(world, LIN, "cases.submit", service="aid", confidential=secret, consent=True)
    number = submitted.data["case_id"]
    await do(world, CHEN, "cases.move", case_id=number, move="verify")
    await do(world, ZHOU, "cases.recuse", case_id=number)
    with pytest.raises(DomainError, match="recused"):
        await do(world, ZHOU, "cases.move", case_id=number, move="grant")
    await do(world, HU, "cases.move", case_id=number, move="grant", reason="按办法")
    assert await state(world, number) == "decided"


async def test_without_consent_nothing_is_kept(world: World) -> None:
    with pytest.raises(DomainError, match="consent_needed"):
        await do(world, LIN, "cases.submit", service="aid", confidential={"kind": "本人患病"})
    async with world.unit_of_work() as context:
        assert (await context.session.execute(select(Case).where(Case.service == "aid"))).first() is None


async def test_the_audit_of_a_private_case_names_nobody(world: World) -> None:
    secret = {"kind": "本人患病", "situation": "手术"}
    submitted = await do(world, LIN, "cases.submit", service="aid", confidential=secret, consent=True)
    number = submitted.data["case_id"]
    await do(world, CHEN, "cases.move", case_id=number, move="verify", reason="情况属实")
    async with world.unit_of_work() as context:
        rows = (await context.session.execute(select(Audit).where(Audit.subject == f"case:{number}"))).scalars().all()
        assert len(rows) == 2
        assert all(row.actor.startswith("p-") for row in rows)
        case = await context.session.get(Case, number)
        assert case is not None
        assert case.title == ""
        assert "手术" not in case.confidential
        steps = (await context.session.execute(select(CaseStep).where(CaseStep.case_id == number))).scalars().all()
        assert not any("情况属实" in step.words for step in steps)


async def test_one_idea_each_however_it_races(either_world: World) -> None:
    async def submit(number: int) -> str:
        try:
            fields = {"content": f"第{number}个点子，走廊装感应灯"}
            await do(either_world, LIN, "cases.submit", service="idea", fields=fields)
        except DomainError as error:
            return error.code
        return "done"

    results = await asyncio.gather(*(submit(number) for number in range(6)))
    assert sorted(results) == ["done", *["limit_reached"] * 5]


async def test_a_unit_has_its_allotment_however_it_races(either_world: World) -> None:
    people = ("20180312", "20130517", "20160001", "20160009", "20160017", "20160025")  # six of one unit, two places

    async def order(who: str) -> str:
        try:
            fields = {"item": "肩颈放松", "people": 20}
            await do(either_world, who, "cases.submit", service="service_order", fields=fields, offering="肩颈放松")
        except DomainError as error:
            return error.code
        return "done"

    results = await asyncio.gather(*map(order, people))
    assert sorted(results) == ["done", "done", *["quota_full"] * 4]


async def test_a_program_meets_the_same_rules_as_the_chat(world: World) -> None:
    with pytest.raises(DomainError, match="not_a_delegate"):
        await do(world, LIN, "cases.submit", service="proposal", fields={"title": "关于食堂"})
    with pytest.raises(ForbiddenError, match="not_for_you"):
        await do(world, LIN, "cases.submit", service="unit_project", fields={"kind": "一会一品"})
    with pytest.raises(DomainError, match="no_call_for"):
        await do(world, LIN, "cases.submit", service="nomination", fields={"award": "劳模"})
    with pytest.raises(DomainError, match="only_club_leaders"):
        await do(world, LIN, "cases.submit", service="club_review", fields={"kind": "社团年审", "club": "围棋"})
    with pytest.raises(DomainError, match="no_such_move"):
        await do(world, ZHOU, "cases.move", case_id=1, move="nothing")


async def test_a_formula_stays_text_in_the_table(world: World) -> None:
    await do(world, LIN, "cases.submit", service="suggestion", fields={"content": '=HYPERLINK("http://x","点我")'})
    exported = await do(world, ZHOU, "cases.export", service="suggestion")
    page = load_workbook(io.BytesIO(base64.b64decode(exported.data["base64"]))).active
    assert page is not None
    cells = [cell for row in page.iter_rows() for cell in row if str(cell.value).startswith("=")]
    assert cells
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in cells)
    with pytest.raises(ForbiddenError):
        await do(world, LIN, "cases.export", service="suggestion")


async def test_a_proposal_is_printed_to_be_signed(world: World) -> None:
    printed = await do(world, "20160002", "cases.print", case_id=1)
    document = Document(io.BytesIO(base64.b64decode(printed.data["base64"])))
    lines = {row.cells[0].text: row.cells[1].text for row in document.tables[0].rows}
    assert lines["案由"] == "关于增加教学楼直饮水点的提案"
    assert lines["代表团"] == "机电学院代表团"
    assert any("签名" in paragraph.text for paragraph in document.paragraphs)


async def test_figures_of_a_year(world: World) -> None:
    figures = await do(world, ZHOU, "cases.figures", service="proposal", year=2026)
    assert figures.params["total"] == 3
    assert figures.params["states"] == {"寻附议中": 3}
    with pytest.raises(ForbiddenError):
        await do(world, LIN, "cases.figures", service="proposal", year=2026)


async def test_a_cancelled_item_of_the_menu_calls_its_orders_off(world: World) -> None:
    fields = {"item": "中医义诊", "people": 20}
    ordered = await do(world, CHEN, "cases.submit", service="service_order", fields=fields, offering="中医义诊")
    number = ordered.data["case_id"]
    async with world.unit_of_work() as context:
        case = await context.session.get(Case, number)
        assert case is not None
        offering = case.offering_id
    cancelled = await do(world, ZHOU, "offerings.cancel", offering_id=offering)
    assert cancelled.params["told"] == 1
    assert await state(world, number) == "refused"
