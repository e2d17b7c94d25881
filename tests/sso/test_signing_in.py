"""Signing in with the university's provider: the member's page opens, and whatever is wrong binds nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import select

from actions.core.commands import Actor
from actions.core.errors import ConfigurationError, DomainError, ForbiddenError
from actions.core.tables import Account, Audit, Member
from actions.membership.sso import BindBySso, Proof
from bot.api import Provider as OurProvider
from bot.api import callback_url, create_api
from bot.serving import _api_parts
from bot.settings import SsoSettings
from tests import conftest
from tests.peers.oidc import CLIENT, Provider
from tests.sso.conftest import CALLBACK, LIN, SESSION, START, Campus, path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import World


async def test_a_visitor_becomes_the_member_and_goes_on_where_they_were(campus: Campus) -> None:
    async with campus.browser() as browser:
        sso = (await browser.client.get(SESSION)).json()["sso"]
        assert sso == {"label": "统一身份认证登录", "url": START}
        await browser.client.post("/api/v1/chat", json={"message_id": "1", "text": "下周三下午三点想约心理咨询"})
        before = browser.token
        answer = await browser.sign_in()
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert browser.token != before
        ((sender, staff_id),) = (await campus.bound()).items()
        assert staff_id == LIN
        told = await browser.client.post("/api/v1/chat", json={"message_id": "2", "text": "继续"})
        assert "心理咨询" in told.json()["replies"][0]["text"]
    async with campus.world.app.house.database.read() as session:
        account = (await session.execute(select(Account).where(Account.sender == sender))).scalar_one()
        entries = (await session.execute(select(Audit).where(Audit.command == "membership.bind_by_sso"))).scalars()
        (entry,) = entries
    assert account.conversation == sender
    assert (entry.result, entry.subject) == ("membership.bound", f"member:{account.member_id}")
    assert LIN not in entry.actor


async def test_the_old_session_is_worth_nothing_afterwards(campus: Campus) -> None:
    """Session fixation: whoever put a session into this browser is not the member."""
    async with campus.browser() as browser, campus.browser(visits=False) as attacker:
        attacker.client.cookies.set("njr_session", browser.token)
        assert (await attacker.client.get(SESSION)).status_code == 200
        await browser.sign_in()
        assert (await attacker.client.get(SESSION)).status_code == 401
        assert (await browser.client.get(SESSION)).status_code == 200
        assert await campus.sessions() == 1


async def test_the_members_other_accounts_are_told(campus: Campus) -> None:
    async with campus.browser() as browser:
        await browser.sign_in()
    told = await campus.world.sent()
    assert any("绑了另一个账号" in message.text for message in told if message.address.conversation == LIN)
    assert any("绑好了" in message.text for message in told if message.address.conversation.startswith("web-"))


async def test_signing_in_again_and_without_a_session_works(campus: Campus) -> None:
    async with campus.browser() as browser:
        await browser.sign_in()
        await browser.sign_in()
        assert len(await campus.bound()) == 1
    async with campus.browser(visits=False) as browser:
        assert (await browser.sign_in()).status_code == 303
        assert (await browser.client.get(SESSION)).status_code == 200
    assert list((await campus.bound()).values()) == [LIN, LIN]


async def test_another_member_in_the_same_browser_gets_an_account_of_their_own(campus: Campus) -> None:
    async with campus.browser() as browser:
        await browser.sign_in()
        campus.provider.person = {"sub": await _staff_id(campus, "王敏")}
        await browser.sign_in()
    assert len(set((await campus.bound()).values())) == len(await campus.bound()) == 2


async def _staff_id(campus: Campus, name: str) -> str:
    async with campus.world.app.house.database.read() as session:
        return (await session.execute(select(Member.staff_id).where(Member.name == name))).scalar_one()


async def test_the_cookie_of_the_attempt_is_the_browsers_alone(campus: Campus) -> None:
    async with campus.browser() as browser:
        begun = await browser.start()
        (cookie,) = (line for line in begun.headers.get_list("set-cookie") if line.startswith("njr_sso="))
        flags = {flag.strip() for flag in cookie.split(";")}
        assert {"HttpOnly", "SameSite=lax", "Path=/api/v1/sso", "Max-Age=600"} <= flags
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        kept = cookie.partition(";")[0]
        assert not any(asked[name][0] in kept for name in ("state", "nonce", "code_challenge"))
        answer = await browser.sign_in()
        assert any(line.startswith('njr_sso=""') for line in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("sso_settings", [{"staff_claim": "employee_number", "name_claim": "name"}])
async def test_other_claims_and_the_name_are_held_against_the_roster(campus: Campus) -> None:
    campus.provider.person = {"sub": "u-17", "employee_number": LIN, "name": "林 一帆"}
    async with campus.browser() as browser:
        assert (await browser.sign_in()).status_code == 303
    campus.provider.person = {"sub": "u-17", "employee_number": LIN, "name": "别的人"}
    async with campus.browser() as browser:
        await _refused(campus, await browser.sign_in(), 403, "对不上", bound=1)
    campus.provider.person = {"sub": LIN}
    async with campus.browser() as browser:
        await _refused(campus, await browser.sign_in(), 400, "没有给出您的工号", bound=1)


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic"], None])
async def test_the_client_shows_its_secret_as_the_provider_wants_it(campus: Campus, methods: list[str] | None) -> None:
    campus.provider.faults.metadata = {"token_endpoint_auth_methods_supported": methods}
    async with campus.browser() as browser:
        assert (await browser.sign_in()).status_code == 303


async def test_a_provider_that_changed_its_key_is_asked_for_the_new_one(campus: Campus) -> None:
    async with campus.browser() as browser:
        await browser.sign_in()
        campus.provider.renew_key()
        assert (await browser.sign_in()).status_code == 303
    assert campus.provider.asked.count("/.well-known/openid-configuration") == 1
    assert campus.provider.asked.count("/keys") == 2


# --- what is wrong


async def _refused(campus: Campus, answer: httpx.Response, status: int, sentence: str, *, bound: int = 0) -> None:
    """A Chinese page, no session of a member, nothing bound."""
    assert answer.status_code == status, answer.text
    assert sentence in answer.text
    assert '<html lang="zh-CN">' in answer.text
    assert f'href="{START}"' in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not any(line.startswith("njr_session=") for line in answer.headers.get_list("set-cookie"))
    assert len(await campus.bound()) == bound


@pytest.mark.parametrize(
    ("person", "sentence"),
    [({"sub": "99999999"}, "工号 99999999 不在工会名册上"), ({"sub": "<b>x</b>"}, "&lt;b&gt;x&lt;/b&gt;")],
)
async def test_who_is_not_on_the_roster_is_told_so(campus: Campus, person: dict[str, str], sentence: str) -> None:
    campus.provider.person = person
    async with campus.browser() as browser:
        await _refused(campus, await browser.sign_in(), 403, sentence)


async def test_who_left_is_told_so(campus: Campus) -> None:
    async with campus.world.unit_of_work() as context:
        member = (await context.session.execute(select(Member).where(Member.staff_id == LIN))).unique().scalar_one()
        member.status = "left"
    async with campus.browser() as browser:
        await _refused(campus, await browser.sign_in(), 403, "记为离开")


NOW = int(conftest.NOW.timestamp())
WRONG: dict[str, Callable[[Provider], None]] = {
    "a wrong signature": lambda it: setattr(it.faults, "foreign_key", True),
    "no signature": lambda it: setattr(it.faults, "unsigned", True),
    "a signature with the public key": lambda it: setattr(it.faults, "algorithm", "HS256"),
    "a wrong nonce": lambda it: it.faults.claims.update(nonce="another"),
    "no nonce": lambda it: it.faults.claims.update(nonce=None),
    "a wrong audience": lambda it: it.faults.claims.update(aud="another-app"),
    "no audience": lambda it: it.faults.claims.update(aud=None),
    "an audience among others, for another": lambda it: it.faults.claims.update(aud=[CLIENT, "b"], azp="b"),
    "a wrong issuer": lambda it: it.faults.claims.update(iss="http://127.0.0.1:1"),
    "too old": lambda it: it.faults.claims.update(iat=NOW - 900, exp=NOW - 600),
    "no end": lambda it: it.faults.claims.update(exp=None),
    "from the future": lambda it: it.faults.claims.update(iat=NOW + 600, exp=NOW + 900),
    "not yet": lambda it: it.faults.claims.update(nbf=NOW + 600),
    "a wrong hash of the token": lambda it: it.faults.claims.update(at_hash="AAAA"),
    "a token that is a page": lambda it: setattr(it.faults, "not_json", "/token"),
    "a token without end": lambda it: setattr(it.faults, "endless", "/token"),
}


@pytest.mark.parametrize("fault", WRONG)
async def test_what_is_not_proved_is_not_believed(campus: Campus, fault: str) -> None:
    WRONG[fault](campus.provider)
    async with campus.browser() as browser:
        await _refused(campus, await browser.sign_in(), 502, "没有通过核验")


WHERE = ["/.well-known/openid-configuration", "/keys", "/token"]


@pytest.mark.parametrize("where", WHERE)
async def test_a_provider_that_is_down_is_told_and_later_it_goes(campus: Campus, where: str) -> None:
    campus.provider.faults.down = where
    async with campus.browser() as browser:
        answer = await (browser.sign_in() if where == "/token" else browser.start())
        await _refused(campus, answer, 502, "暂时连不上")
        campus.provider.faults.down = ""
        assert (await browser.sign_in()).status_code == 303


@pytest.mark.parametrize("where", WHERE)
async def test_a_provider_that_answers_nothing_is_not_waited_for(campus: Campus, where: str) -> None:
    async with campus.browser() as browser:
        back = await browser.authorized() if where == "/token" else ""
        campus.provider.faults.hangs = where
        with campus.patience(0.3):
            await _refused(campus, await browser.client.get(back or START), 502, "暂时连不上")


async def test_a_provider_that_is_gone_is_told(campus: Campus) -> None:
    campus.provider.close()
    async with campus.browser() as browser:
        await _refused(campus, await browser.start(), 502, "暂时连不上")


@pytest.mark.parametrize(
    "metadata", [{"issuer": "http://127.0.0.1:1"}, {"token_endpoint": None}, {"jwks_uri": "file:///etc/passwd"}]
)
async def test_metadata_that_do_not_fit_are_not_believed(campus: Campus, metadata: dict[str, Any]) -> None:
    campus.provider.faults.metadata = metadata
    async with campus.browser() as browser:
        begun = await browser.start()
        await _refused(campus, begun if begun.status_code != 303 else await browser.sign_in(), 502, "没有通过核验")


async def test_a_code_is_good_once(campus: Campus) -> None:
    async with campus.browser() as browser:
        where = await browser.authorized()
        kept = browser.client.cookies.get("njr_sso")
        assert (await browser.client.get(where)).status_code == 303
        await _refused(campus, await browser.client.get(where), 400, "不是在这个浏览器里开始的", bound=1)
        browser.client.cookies.set("njr_sso", kept or "", domain="127.0.0.1", path="/api/v1/sso")
        await _refused(campus, await browser.client.get(where), 400, "链接可能已经用过", bound=1)


async def test_another_browser_cannot_end_what_one_began(campus: Campus) -> None:
    """Sign-in CSRF: an attacker's code in a victim's browser binds nothing, with an attempt of its own or without."""
    async with campus.browser() as attacker, campus.browser() as victim:
        where = await attacker.authorized()
        await _refused(campus, await victim.client.get(where), 400, "不是在这个浏览器里开始的")
        await victim.start()
        await _refused(campus, await victim.client.get(where), 400, "不是在这个浏览器里开始的")


async def test_a_code_of_another_attempt_does_not_fit_the_browser(campus: Campus) -> None:
    """With the state of its own attempt and the code of somebody else's, PKCE refuses at the provider."""
    async with campus.browser() as attacker, campus.browser() as victim:
        stolen = parse_qs(urlsplit(await attacker.authorized()).query)["code"][0]
        state = parse_qs(urlsplit(await victim.authorized()).query)["state"][0]
        answer = await victim.client.get(CALLBACK, params={"code": stolen, "state": state})
        await _refused(campus, answer, 400, "没有认这次登录")


async def test_an_attempt_ends_after_ten_minutes(campus: Campus) -> None:
    async with campus.browser() as browser:
        where = await browser.authorized()
        campus.world.clock.move(minutes=10)
        await _refused(campus, await browser.client.get(where), 400, "已经过期")


@pytest.mark.parametrize("cookie", ["", "made-up", "v1.t1.AAAA", "v1.no.AAAA", "v1.t1.%%%"])
async def test_a_made_up_attempt_is_none(campus: Campus, cookie: str) -> None:
    async with campus.browser() as browser:
        where = await browser.authorized()
        browser.client.cookies.delete("njr_sso")
        browser.client.cookies.set("njr_sso", cookie, domain="127.0.0.1", path="/api/v1/sso")
        await _refused(campus, await browser.client.get(where), 400, "没有登录")


async def test_who_thinks_better_of_it_is_told(campus: Campus) -> None:
    async with campus.browser() as browser:
        state = parse_qs(urlsplit(await browser.authorized()).query)["state"][0]
        answer = await browser.client.get(CALLBACK, params={"error": "access_denied", "state": state})
        await _refused(campus, answer, 400, "取消了登录")
        assert (await browser.client.get(SESSION)).status_code == 200


async def test_an_answer_of_another_issuer_is_not_taken(campus: Campus) -> None:
    """RFC 9207: a mix-up of two providers."""
    async with campus.browser() as browser:
        where = urlsplit(await browser.authorized())
        query = parse_qs(where.query) | {"iss": ["https://elsewhere.test"]}
        answer = await browser.client.get(CALLBACK, params={name: values[0] for name, values in query.items()})
        await _refused(campus, answer, 502, "没有通过核验")


@pytest.mark.parametrize("name", ["next", "redirect_uri", "return_to", "RelayState", "url"])
async def test_nobody_is_sent_elsewhere(campus: Campus, name: str) -> None:
    lure = urlencode({name: "https://evil.test/"})
    async with campus.browser() as browser:
        begun = await browser.client.get(f"{START}?{lure}", headers={"Host": "evil.test"})
        target = urlsplit(begun.headers["location"])
        assert f"{target.scheme}://{target.netloc}" == campus.provider.issuer
        assert parse_qs(target.query)["redirect_uri"] == [campus.url + CALLBACK]
        answer = await browser.client.get(f"{await browser.authorized()}&{lure}", headers={"Host": "evil.test"})
        assert (answer.status_code, answer.headers["location"], path(answer)) == (303, "/", "/")


# --- the command


def _proof(world: World, **changes: Any) -> str:
    given: dict[str, Any] = {
        "staff_id": LIN,
        "name": "",
        "channel": "web",
        "sender": "web-1",
        "conversation": "web-1",
        "until": world.clock(),
        **changes,
    }
    return Proof(**given).sealed(world.app.house.vault)


@pytest.mark.parametrize("proof", ["", "v1.t1.AAAA", "{}", "20180312"])
async def test_nobody_binds_without_a_proof_and_the_operator_cannot_either(world: World, proof: str) -> None:
    for staff_id in ("", "20100903"):
        async with world.unit_of_work(staff_id) as context:
            with pytest.raises(ForbiddenError):
                await context.bus.execute(BindBySso(proof=proof), context)


async def test_a_proof_is_for_one_account_and_one_minute(world: World) -> None:
    soon = world.clock() + timedelta(minutes=1)
    async with world.unit_of_work() as system:
        context = replace(system, actor=Actor(channel="web", sender="web-1"))
        for refused in (
            _proof(world),
            _proof(world, until=soon, sender="web-2"),
            _proof(world, until=soon, channel="x"),
        ):
            with pytest.raises(ForbiddenError):
                await context.bus.execute(BindBySso(proof=refused), context)
        with pytest.raises(ForbiddenError):
            await system.bus.execute(BindBySso(proof=_proof(world, until=soon)), system)
        outcome = await context.bus.execute(BindBySso(proof=_proof(world, until=soon)), context)
        assert outcome.params["member"] == "林一帆"
        other = BindBySso(proof=_proof(world, until=soon, staff_id="20100903"))
        with pytest.raises(DomainError, match="already_bound"):
            await context.bus.execute(other, context)


# --- the settings


async def test_without_an_issuer_there_is_no_sign_in(world: World) -> None:
    api = create_api(_api_parts(world.app, asyncio.Event(), None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://union.test") as browser:
        assert (await browser.post(SESSION, json={})).json()["sso"] is None
        assert (await browser.get(START)).status_code == 404


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"http\.public_url"):
        callback_url("")
    with pytest.raises(ConfigurationError, match=r"sso\.issuer"):
        OurProvider(SsoSettings(issuer="http://sso.example.edu", client_id="a"), "x")
    with pytest.raises(ConfigurationError, match=r"sso\.client_id"):
        OurProvider(SsoSettings(issuer="https://sso.example.edu"), "x")
