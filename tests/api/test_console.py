"""An officer signs in, changes the temporary password, works in the chat page, and signs out."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from actions.blocks.vault import AesVault
from actions.core.catalogue import Catalogue
from actions.core.commands import Actor, Bus, Context
from actions.core.tables import Account, Audit, Credential, Member, WebSession
from actions.membership import Membership, passwords
from actions.membership.passwords import MOST_FAILURES, give_temporary
from bot.api import Limiter, create_api
from bot.console import ConsoleParts, console_router
from tests.api.conftest import client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from sqlalchemy.ext.asyncio import AsyncSession

STAFF_ID = "20110007"
NEW = "桃李不言，下自成蹊。"


class Desk:
    """The console with an officer, whose temporary password is `password`."""

    def __init__(self, parts, wording) -> None:
        self._database = parts.database
        self._vault = AesVault({"test": bytes(32)})
        self._bus = Bus(Membership().registrations())
        self._now = parts.now
        self.password = ""
        self.attempts = Limiter(30, 600, parts.now)
        console = ConsoleParts(
            database=parts.database,
            context=self.context,
            attempt=self.attempt,
            sessions=parts.sessions,
            say=wording.text,
        )
        self.app = create_api(replace(parts, routers=(console_router(console),)))

    def context(self, work: AsyncSession, actor: Actor) -> Context:
        return Context(
            session=work,
            actor=actor,
            now=self._now(),
            database=self._database,
            catalogue=Catalogue({}),
            vault=self._vault,
            bus=self._bus,
            lives=MappingProxyType({}),
            records=(),
        )

    def attempt(self, address: str) -> int:
        return self.attempts.take(address)

    async def employ(self) -> None:
        async with self._database.write() as work:
            member = Member(staff_id=STAFF_ID, name="<周涛>")
            work.add(member)
            await work.flush()
            self.password = await give_temporary(self.context(work, Actor(system=True)), member.id)

    def form(self, **fields: str) -> dict[str, str]:
        return {"staff_id": STAFF_ID, "password": self.password, "new": NEW, "again": NEW, **fields}


@pytest.fixture
async def desk(parts, wording, monkeypatch) -> Desk:
    # The same Argon2, made quick.
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()
    desk = Desk(parts, wording)
    await desk.employ()
    return desk


@pytest.fixture
async def officer(desk) -> AsyncIterator[httpx.AsyncClient]:
    """The officer's browser, not signed in yet."""
    async with client(desk.app) as browser:
        yield browser


async def test_the_first_sign_in_asks_for_a_password_of_ones_own(officer, desk, union):
    asked = await officer.post("/console/sign-in", data=desk.form())
    assert asked.status_code == 200
    assert "请换成自己的" in asked.text
    assert "set-cookie" not in asked.headers

    entered = await officer.post("/console/password", data=desk.form())
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert f"Max-Age={12 * 3600}" in entered.headers["set-cookie"]
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert (await officer.get("/api/v1/session")).json()["officer"] is True

    await officer.post("/api/v1/chat", json={"message_id": "1", "text": "待办"})
    assert union.heard[0].sender == union.heard[0].address.conversation == f"officer-{STAFF_ID}"


async def test_the_chat_knows_the_officer_as_the_member(officer, desk, database):
    await officer.post("/console/password", data=desk.form())
    async with database.read() as reading:
        account = (await reading.execute(select(Account))).scalar_one()
        member = (await reading.execute(select(Member))).unique().scalar_one()
        commands = (await reading.execute(select(Audit.command))).scalars().all()
    assert (account.channel, account.account, account.sender) == ("web", "", f"officer-{STAFF_ID}")
    assert (account.member_id, account.conversation) == (member.id, account.sender)
    assert commands == ["membership.set_password"]


async def test_with_ones_own_password_one_goes_straight_in(officer, desk, database):
    await officer.post("/console/password", data=desk.form())
    for _ in range(2):
        entered = await officer.post("/console/sign-in", data=desk.form(password=NEW, staff_id=f" {STAFF_ID} "))
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
    async with database.read() as reading:
        assert await reading.scalar(select(func.count()).select_from(Account)) == 1
        assert await reading.scalar(select(func.count()).select_from(WebSession)) == 1


async def test_a_new_password_ends_the_other_sessions(officer, desk):
    await officer.post("/console/password", data=desk.form())
    async with client(desk.app) as elsewhere:
        await elsewhere.post("/console/sign-in", data=desk.form(password=NEW))
        assert (await elsewhere.get("/api/v1/session")).status_code == 200
        await officer.post(
            "/console/password", data=desk.form(password=NEW, new="另一个很长的密码啊", again="另一个很长的密码啊")
        )
        assert (await elsewhere.get("/api/v1/session")).status_code == 200
        longer = "另一个很长很长的密码"
        await officer.post("/console/password", data=desk.form(password=NEW, new=longer, again=longer))
        assert (await elsewhere.get("/api/v1/session")).status_code == 401
    assert (await officer.get("/api/v1/session")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"again": "不一样的另一个密码呢"}, "两遍新密码不一样"),
        ({"new": "太短了", "again": "太短了"}, "至少 10 位"),
        ({"new": f"{STAFF_ID}abc", "again": f"{STAFF_ID}abc"}, "太好猜"),
    ],
)
async def test_a_poor_password_is_refused_and_nothing_changes(officer, desk, database, fields, told):
    refused = await officer.post("/console/password", data=desk.form(**fields))
    assert refused.status_code == 422
    assert told in refused.text
    assert "set-cookie" not in refused.headers
    async with database.read() as reading:
        assert (await reading.execute(select(Credential.temporary))).scalar_one() is True


async def test_the_temporary_password_cannot_stay(officer, desk):
    refused = await officer.post("/console/password", data=desk.form(new=desk.password, again=desk.password))
    assert refused.status_code == 422
    assert "不能和现在的一样" in refused.text


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/password"])
@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"staff_id": "19990101"}, {"password": "", "staff_id": ""}])
async def test_who_is_not_known_stays_outside(officer, desk, path, fields):
    refused = await officer.post(path, data=desk.form(**fields))
    assert refused.status_code == 401
    assert "工号或密码不对" in refused.text
    assert "set-cookie" not in refused.headers


async def test_guessing_makes_a_pause(officer, desk, union):
    for _ in range(MOST_FAILURES):
        await officer.post("/console/sign-in", data=desk.form(password="guess"))
    assert (await officer.post("/console/sign-in", data=desk.form())).status_code == 401
    union.passes(minutes=16)
    assert (await officer.post("/console/sign-in", data=desk.form())).status_code == 200


async def test_an_address_that_tries_and_tries_has_to_wait(officer, desk, union):
    desk.attempts = Limiter(3, 600, union.now)
    for number in range(3):
        await officer.post("/console/sign-in", data=desk.form(staff_id=str(number)))
    refused = await officer.post("/console/sign-in", data=desk.form())
    assert refused.status_code == 429
    assert "600 秒" in refused.text


async def test_signing_out_ends_the_session(officer, desk, database):
    await officer.post("/console/password", data=desk.form())
    assert "退出登录" in (await officer.get("/console/")).text
    left = await officer.post("/console/sign-out")
    assert (left.status_code, left.headers["location"]) == (303, "/console/")
    assert "njr_session" not in officer.cookies
    assert "工号" in (await officer.get("/console/")).text
    async with database.read() as reading:
        assert await reading.scalar(select(func.count()).select_from(WebSession)) == 0


async def test_another_site_cannot_sign_in_or_out(officer, desk):
    await officer.post("/console/password", data=desk.form())
    for path in ("/console/sign-in", "/console/sign-out"):
        refused = await officer.post(path, data=desk.form(password=NEW), headers={"Origin": "https://evil.test"})
        assert refused.status_code == 403
    assert (await officer.get("/api/v1/session")).status_code == 200


async def test_a_members_session_is_no_officers(officer):
    await officer.post("/api/v1/session", json={})
    assert "登录" in (await officer.get("/console/")).text
    assert (await officer.get("/api/v1/session")).json()["officer"] is False


async def test_the_pages_hold_no_script_and_no_markup_of_others(officer, desk):
    page = await officer.post("/console/sign-in", data=desk.form(staff_id='"><script>alert(1)</script>'))
    assert not re.search(r"<script|<style|\son\w+=|\sstyle=|https?://", page.text)
    assert "&lt;script&gt;" in page.text
    await officer.post("/console/password", data=desk.form())
    assert "&lt;周涛&gt;老师" in (await officer.get("/console/")).text


@pytest.mark.parametrize("body", [b"\xff=\xff", b"a&" * 500, b"staff_id=%00&password=%00", b""])
async def test_odd_forms_are_just_wrong(officer, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await officer.post("/console/sign-in", content=body, headers=headers)).status_code == 401
