"""Papers: the figures of a year, a table in a given layout, and one record as a form to be signed by hand."""

from __future__ import annotations

import base64
import io
from collections import Counter
from datetime import date, time
from typing import TYPE_CHECKING, Any

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from sqlalchemy import select

from actions.cases import looks, notices, seconding, store
from actions.cases.form import rules_of
from actions.cases.tables import Case, CaseStep
from actions.core.commands import Outcome
from actions.core.errors import ForbiddenError
from actions.core.zones import at, local, spoken_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.cases.commands import Export, Figures, Print
    from actions.core.catalogue import Declaration
    from actions.core.commands import Context

_WIDTH = 24


async def figures(command: Figures, context: Context) -> Outcome:
    """Numbers only. Raises DomainError("unknown_service")."""
    service = store.declared(context, command.service)
    start, end = at(date(command.year, 1, 1), time()), at(date(command.year + 1, 1, 1), time())
    query = select(Case).where(Case.service == service.id, Case.created_at >= start, Case.created_at < end)
    cases = (await context.session.execute(query.order_by(Case.id))).unique().scalars().all()
    titles = {name: state.title for name, state in rules_of(service).states.items()}
    late = select(CaseStep.case_id).where(CaseStep.late)
    late_ids = set((await context.session.execute(late)).scalars())
    params = {
        "service": service.short,
        "year": command.year,
        "total": len(cases),
        "states": dict(Counter(titles[case.state] for case in cases)),
        "units": dict(Counter(case.unit.name if case.unit else "" for case in cases)),
        "kinds": dict(Counter(str(case.kept.get("category") or _kind(context, service, case)) for case in cases)),
        "ended": sum(case.ended_at is not None for case in cases),
        "late": sum(case.id in late_ids for case in cases),
        "satisfaction": _satisfaction(cases),
    }
    return Outcome(wording="cases.figures", params=params, subject=f"service:{service.id}", data=params)


def _kind(context: Context, service: Declaration, case: Case) -> str:
    return str(store.values(context, case).get(rules_of(service).kind_field, ""))


def _satisfaction(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {}
    for case in cases:
        for aspect, level in case.kept.get("satisfaction", {}).items():
            counted.setdefault(aspect, Counter())[level] += 1
    return {aspect: dict(levels) for aspect, levels in counted.items()}


# --- a table


async def export(command: Export, context: Context) -> Outcome:
    """The declaration's columns, a line for each record that counts; of a private service each is a look.

    Nobody at the machine exports a private service: whose look it was could not be told. Raises
    DomainError("unknown_service"), ForbiddenError.
    """
    service = store.declared(context, command.service)
    if service.private and context.actor.member is None:
        raise ForbiddenError
    query = select(Case).where(Case.service == service.id, Case.counted).order_by(Case.id)
    cases = (await context.session.execute(query)).unique().scalars().all()
    wanted = [case for case in cases if command.offering in ("", case.offering.title if case.offering else "")]
    for case in wanted:
        await looks.note(context, case, "export")
    keys = rules_of(service).columns or ("id", "title", "member", "unit", "state_title")
    lines = [[_cell(context, service, case, key) for key in keys] for case in wanted]
    content = sheet(service.title, [_heading(service, key) for key in keys], lines)
    name = f"{service.short}{local(context.now):%Y%m%d}.xlsx"
    params = {"service": service.short, "count": len(lines), "name": name}
    data = {"name": name, "base64": base64.b64encode(content).decode()}
    return Outcome(wording="cases.exported", params=params, subject=f"service:{service.id}", data=data)


#: Headings of columns that are no field of the form.
HEADINGS = {
    "id": "编号",
    "title": "题目",
    "member": "姓名",
    "staff_id": "工号",
    "unit": "单位",
    "state_title": "办理情况",
    "call": "批次",
    "created_at": "提交日期",
    "group": "代表团",
    "category": "类别",
    "handled_by": "承办",
    "answer": "答复",
    "satisfaction": "满意度",
    "credited": "并案提案人",
    "grant": "意见",
    "result": "结果",
    "match": "匹配",
    "ticked": "清单",
    "arrangement": "安排",
    "link": "链接",
}


def _heading(service: Declaration, key: str) -> str:
    labels = {field.key: field.label for field in service.form}
    return labels.get(key) or HEADINGS.get(key, key)


def _cell(context: Context, service: Declaration, case: Case, key: str) -> str | int:
    known: Mapping[str, Any] = notices.facts(context, case)
    values = store.values(context, case)
    if key in values:
        return str(values.get(f"{key}_text") or values[key])
    if key in case.kept:
        return _flat(case.kept[key])
    if key == "title":
        return case.title
    if key == "staff_id":
        return case.member.staff_id
    if key == "created_at":
        return f"{local(case.created_at):%Y-%m-%d}"
    del service
    return case.id if key == "id" else str(known.get(key, ""))


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "，".join(f"{name}：{each}" for name, each in value.items())
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def sheet(title: str, headings: Sequence[str], lines: Sequence[Sequence[str | int]]) -> bytes:
    """An Excel file: a title, headings, lines. What looks like a formula is text, and stays text when it is opened."""
    book = Workbook()
    page = book.active or book.create_sheet()
    page.append([title])
    page["A1"].font = Font(bold=True, size=14)
    page.append(list(headings))
    for cell in page[2]:
        cell.font = Font(bold=True)
    for row, line in enumerate(lines, start=3):
        for column, value in enumerate(line, start=1):
            cell = page.cell(row=row, column=column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
                cell.quotePrefix = value[:1] in ("=", "+", "-", "@")
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for column in range(1, len(headings) + 1):
        page.column_dimensions[get_column_letter(column)].width = _WIDTH
    page.freeze_panes = "A3"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# --- a form to be signed


async def print_(command: Print, context: Context) -> Outcome:
    """One record with its seconders and what became of it, and room for signatures.

    Raises DomainError("case_gone"), ForbiddenError.
    """
    case = await store.find(context, command.case_id)
    if not await store.may_read(context, case):
        raise ForbiddenError
    service = context.catalogue[case.service]
    await looks.note(context, case, "print")
    content = await _document(context, service, case)
    name = f"{service.short}{case.id}.docx"
    data = {"name": name, "base64": base64.b64encode(content).decode()}
    return Outcome(wording="cases.printed", params={"name": name}, subject=case.subject, data=data)


async def _document(context: Context, service: Declaration, case: Case) -> bytes:
    document = Document()
    document.add_heading(service.title, level=1)
    table = document.add_table(rows=0, cols=2)
    table.style = "Table Grid"
    for label, text in await _lines(context, service, case):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = label, text
    document.add_paragraph()
    document.add_paragraph("签名：____________________　　日期：______年____月____日")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


async def _lines(context: Context, service: Declaration, case: Case) -> list[tuple[str, str]]:
    values = store.values(context, case)
    lines = [("编号", str(case.id)), ("姓名", case.member.name), ("单位", case.unit.name if case.unit else "")]
    lines += [("代表团", case.kept["group"])] if case.kept.get("group") else []
    for field in service.form:
        if field.type not in ("consent", "materials") and values.get(field.key) not in (None, ""):
            lines.append((field.label, str(values.get(f"{field.key}_text") or values[field.key])))
    if rules_of(service).seconding:
        names = [row.member.name for row in await seconding.of(context, case) if row.state == "seconded"]
        lines.append(("附议人", "、".join(names)))
    moves = rules_of(service).moves
    for step in await store.steps(context, case):
        if step.after and step.shown and step.move in moves:
            words = store.words_of(context, case, step)
            lines.append((f"{moves[step.move].label}（{spoken_day(step.at)}）", words))
    return lines
