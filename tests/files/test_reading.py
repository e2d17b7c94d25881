"""Who reads a file: its owner, and whoever has the right on the record that it is attached to; nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from actions.blocks import materials
from actions.core.errors import DomainError
from actions.core.tables import Account, Member
from tests.files.conftest import FILES, LIN, LIN_ID, LIU, WANG, Filing, kept
from tests.files.samples import pdf, picture

if TYPE_CHECKING:
    from actions.core.commands import Context
    from tests.conftest import World

RIGHTS = [
    # attached, reader of the record, who asks, status
    (False, False, LIN, 200),
    (False, True, WANG, 404),
    (True, False, LIN, 200),
    (True, True, WANG, 200),
    (True, False, WANG, 404),
    (True, True, LIU, 404),
]


async def _attached(files: Filing, key: str, subject: str = "case:1") -> None:
    async with files.world.unit_of_work(LIN_ID) as context:
        await materials.attach(context, [key], subject)


async def _staff_id(world: World, name: str) -> str:
    return next(member.staff_id for member in (await _members(world)) if member.name == name)


async def _members(world: World) -> list[Member]:
    async with world.app.house.database.read() as session:
        return list((await session.execute(select(Member))).unique().scalars())


@pytest.mark.parametrize(("attached", "reader", "who", "status"), RIGHTS)
async def test_the_table_of_rights(files: Filing, attached: bool, reader: bool, who: str, status: int) -> None:
    async with files.browser(LIN) as browser:
        view = await kept(browser, picture())
    if attached:
        await _attached(files, view["id"])
    if reader:
        files.reading.readers.add(await _staff_id(files.world, WANG))
    async with files.browser(who) as browser:
        where = f"{FILES}/{view['id']}"
        assert (await browser.get(where)).status_code == status
        assert (await browser.get(view["thumbnail"])).status_code == status


async def test_of_a_record_that_nobody_tells_of_the_owner_alone_reads(files: Filing) -> None:
    files.reading.readers.add(await _staff_id(files.world, WANG))
    async with files.browser(LIN) as browser:
        view = await kept(browser, picture())
    await _attached(files, view["id"], "secret:1")
    async with files.browser(WANG) as browser:
        assert (await browser.get(f"{FILES}/{view['id']}")).status_code == 404


async def test_a_file_that_is_not_there_is_refused_as_one_that_is_not_yours(files: Filing) -> None:
    async with files.browser(LIN) as browser:
        view = await kept(browser, picture())
    async with files.browser(WANG) as browser:
        others = await browser.get(f"{FILES}/{view['id']}")
        none = await browser.get(f"{FILES}/{'0' * 32}")
        assert (others.status_code, others.json()) == (none.status_code, none.json())
        for odd in ("../../../etc/passwd", "x" * 32, "A" * 32):
            assert (await browser.get(f"{FILES}/{odd}")).status_code in (404, 422)
        browser.cookies.clear()
        assert (await browser.get(f"{FILES}/{view['id']}")).status_code == 401


async def test_who_left_or_is_bound_no_more_reads_nothing(files: Filing) -> None:
    async with files.browser(LIN) as browser:
        view = await kept(browser, picture())
        where = f"{FILES}/{view['id']}"
        async with files.world.unit_of_work() as context:
            account = (await _accounts(context))[0]
            owner, account.member_id = account.member_id, None
        assert (await browser.get(where)).status_code == 404
        async with files.world.unit_of_work() as context:
            (await _accounts(context))[0].member_id = owner
        assert (await browser.get(where)).status_code == 200
        async with files.world.unit_of_work() as context:
            member = await context.session.get(Member, owner)
            assert member is not None
            member.status = "left"
        assert (await browser.get(where)).status_code == 404


async def _accounts(context: Context) -> list[Account]:
    query = select(Account).where(Account.channel == "web", Account.sender == LIN_ID)
    return list((await context.session.execute(query)).scalars())


async def test_a_browser_runs_nothing_of_a_file(files: Filing) -> None:
    async with files.browser() as browser:
        photo = await kept(browser, picture(), "照片 1.jpg")
        paper = await kept(browser, pdf(), "证明.pdf")
        answers = [await browser.get(f"{FILES}/{view['id']}") for view in (photo, paper)]
        small = await browser.get(photo["thumbnail"])
        assert (await browser.get(f"{FILES}/{paper['id']}/thumbnail")).status_code == 404
    for answer in (*answers, small):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "no-store" in answer.headers["cache-control"]
    shown, saved = (answer.headers["content-disposition"] for answer in answers)
    assert shown == "inline; filename*=UTF-8''%E7%85%A7%E7%89%87%201.jpg"
    assert saved == "attachment; filename*=UTF-8''%E8%AF%81%E6%98%8E.pdf"
    assert [answer.headers["content-type"] for answer in (*answers, small)] == [
        "image/jpeg",
        "application/pdf",
        "image/webp",
    ]
    assert answers[1].content == pdf()
    assert "thumbnail" not in paper


async def test_a_file_is_taken_back_until_a_record_has_it(files: Filing) -> None:
    async with files.browser(LIN) as browser:
        first, second = [await kept(browser, pdf(), "a.pdf") for _ in range(2)]
        await _attached(files, second["id"])
        async with files.browser(WANG) as other:
            assert (await other.delete(f"{FILES}/{first['id']}")).status_code == 404
        assert (await browser.delete(f"{FILES}/{first['id']}")).status_code == 204
        assert (await browser.get(f"{FILES}/{first['id']}")).status_code == 404
        assert (await browser.delete(f"{FILES}/{second['id']}")).status_code == 404
        assert (await browser.get(f"{FILES}/{second['id']}")).status_code == 200


async def test_another_sites_page_sends_no_file_with_a_members_cookie(files: Filing) -> None:
    async with files.browser() as browser:
        answer = await browser.post(
            FILES, files={"file": ("a.pdf", pdf())}, headers={"Origin": "https://elsewhere.test"}
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")
    assert await files.rows() == []


async def test_a_file_that_lies_there_no_more_is_gone(files: Filing) -> None:
    async with files.browser() as browser:
        view = await kept(browser, pdf(), "a.pdf")
        files.store.delete(view["id"])
        answer = await browser.get(f"{FILES}/{view['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "file_gone")


async def test_attaching_asks_for_ones_own_waiting_files(files: Filing) -> None:
    async with files.browser(LIN) as browser:
        view = await kept(browser, pdf(), "a.pdf")
    async with files.world.unit_of_work(await _staff_id(files.world, WANG)) as context:
        with pytest.raises(DomainError, match="file_gone"):
            await materials.attach(context, [view["id"]], "case:1")
    async with files.world.unit_of_work(LIN_ID) as context:
        with pytest.raises(DomainError, match="file_kind"):
            await materials.attach(context, [view["id"]], "case:1", field="photos", kinds=["picture"])
        with pytest.raises(DomainError, match="files_too_many"):
            await materials.attach(context, [view["id"], "0" * 32], "case:1", max_count=1)
        with pytest.raises(DomainError, match="file_gone"):
            await materials.attach(context, [view["id"], "0" * 32], "case:1")
        await context.session.rollback()
    await _attached(files, view["id"])
    async with files.world.unit_of_work(LIN_ID) as context:
        with pytest.raises(DomainError) as twice:
            await materials.attach(context, [view["id"]], "case:2", field="photos")
        assert (twice.value.code, twice.value.field) == ("file_gone", "photos")
        assert [each.name for each in await materials.attached(context, "case:1")] == ["a.pdf"]
        assert await materials.attached(context, "case:2") == []
