"""A system in which members are signed in tells, with proof, whose an account is."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.api.portal import LIN, WANG, code, portal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.conftest import World

MEMBERS = "/api/v1/members"
SENDER = "e-home-7f3a"
KEY, OTHER = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())


def public(key: EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private(key: EllipticCurvePrivateKey) -> ECKey:
    return ECKey.import_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def base64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def claims(world: World, **changed: Any) -> dict[str, Any]:
    now = int(world.clock().timestamp())
    given = {"iss": "e-home", "aud": "niangjiaren", "sub": LIN, "sender": SENDER, "iat": now, "exp": now + 120}
    return {name: value for name, value in {**given, "jti": "j1", **changed}.items() if value is not None}


def signed(world: World, key: EllipticCurvePrivateKey = KEY, **changed: Any) -> str:
    return jwt.encode({"alg": "ES256"}, claims(world, **changed), private(key))


@asynccontextmanager
async def e_home(world: World) -> AsyncIterator[httpx.AsyncClient]:
    scopes = ["chat", "lists", "act", "vouch"]
    async with portal(world, "e-home", scopes=scopes, senders="e-home-", public_key=public(KEY)) as caller:
        yield caller


async def vouch(caller: httpx.AsyncClient, assertion: str, sender: str = SENDER, **headers: str) -> httpx.Response:
    return await caller.post(MEMBERS, json={"sender": sender, "assertion": assertion}, headers=headers)


async def test_an_account_is_a_members_from_then_on(world: World) -> None:
    async with e_home(world) as caller:
        assert code(await caller.get("/api/v1/items", params={"sender": SENDER})) == "not_bound"
        done = await vouch(caller, signed(world))
        assert done.status_code == 200, done.text
        assert done.json()["staff_id"] == LIN
        assert "林一帆" in done.json()["said"]
        assert (await caller.get("/api/v1/items", params={"sender": SENDER})).json()["items"] == []
        message = {
            "sender": SENDER,
            "conversation": SENDER,
            "message_id": "1",
            "text": "下周三下午三点想订瑜伽室，5个人",
        }
        await caller.post("/api/v1/chat", json=message)
        await caller.post("/api/v1/chat", json={**message, "message_id": "2", "text": "确认"})
        [mine] = (await caller.get("/api/v1/items", params={"sender": SENDER})).json()["items"]
    assert mine["service"] == "health_room"
    assert "瑜伽室" in await world.told("我约了什么", who=LIN)


async def test_an_assertion_counts_once(world: World) -> None:
    async with e_home(world) as caller:
        assertion = signed(world)
        first = await vouch(caller, assertion, **{"Idempotency-Key": "bind-1"})
        assert first.status_code == 200
        used = await vouch(caller, assertion)
        assert (used.status_code, code(used)) == (409, "used_assertion")
        # The very same request is answered as before, even when the assertion is over.
        world.clock.move(hours=1)
        again = await vouch(caller, assertion, **{"Idempotency-Key": "bind-1"})
        assert again.content == first.content


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "another"}, "iss"),
        ({"aud": "another"}, "aud"),
        ({"aud": ["niangjiaren"]}, "aud"),
        ({"sender": "e-home-other"}, "sender"),
        ({"sender": None}, "sender"),
        ({"sub": None}, "sub"),
        ({"sub": 20180312}, "sub"),
        ({"sub": "x" * 21}, "sub"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "\x00"}, "jti"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"exp": 2**60}, "exp"),
        ({"iat": True}, "iat"),
        ({"exp": 0}, "exp"),
    ],
)
async def test_what_is_not_said_as_agreed_is_refused(world: World, changed: dict[str, Any], reason: str) -> None:
    async with e_home(world) as caller:
        refused = await vouch(caller, signed(world, **changed))
        assert (refused.status_code, code(refused)) == (403, "bad_assertion")
        assert reason in refused.json()["error"]["message"]
        assert code(await caller.get("/api/v1/items", params={"sender": SENDER})) == "not_bound"


@pytest.mark.parametrize(("seconds", "status"), [(-31, 403), (-30, 200), (149, 200), (150, 403)])
async def test_it_is_good_for_its_time_alone(world: World, seconds: int, status: int) -> None:
    async with e_home(world) as caller:
        assertion = signed(world)
        world.clock.move(seconds=seconds)
        assert (await vouch(caller, assertion)).status_code == status


async def test_only_its_own_key_signs_and_only_so(world: World) -> None:
    forged = [signed(world, OTHER), signed(world)[:-8] + "AAAAAAAA", signed(world).rpartition(".")[0] + ".", "a.b.c"]
    # The classics: the public key taken for a shared secret, and no signature at all.
    body = signed(world).split(".")[1]
    secretly = base64(b'{"alg":"HS256"}') + f".{body}"
    forged.append(f"{secretly}.{base64(hmac.digest(public(KEY).encode(), secretly.encode(), 'sha256'))}")
    forged.append(base64(b'{"alg":"none"}') + f".{body}.")
    async with e_home(world) as caller:
        for assertion in forged:
            refused = await vouch(caller, assertion)
            assert (refused.status_code, code(refused)) == (403, "bad_assertion"), assertion


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"sub": "19990101"}, "sso_unknown"), ({"name": "张三"}, "sso_name")],
)
async def test_who_is_not_on_the_roster_is_not_bound(world: World, changed: dict[str, Any], expected: str) -> None:
    async with e_home(world) as caller:
        refused = await vouch(caller, signed(world, **changed))
        assert (refused.status_code, code(refused)) == (403, expected)


async def test_an_account_does_not_change_hands(world: World) -> None:
    async with e_home(world) as caller:
        assert (await vouch(caller, signed(world))).status_code == 200
        refused = await vouch(caller, signed(world, sub=WANG, jti="j2"))
        assert (refused.status_code, code(refused)) == (409, "already_bound")
        assert (await vouch(caller, signed(world, jti="j3"))).status_code == 200


async def test_no_account_of_others_is_vouched_for(world: World) -> None:
    async with e_home(world) as caller:
        for sender in (WANG, "web-1", "officer-1"):
            refused = await vouch(caller, signed(world, sender=sender), sender)
            assert (refused.status_code, code(refused)) == (403, "not_your_sender")


async def test_a_key_that_may_not_vouch_has_no_public_key_to_be_believed_by(world: World) -> None:
    async with portal(world, "e-home") as caller:
        assert code(await vouch(caller, signed(world))) == "no_scope"
    async with e_home_session(world) as browser:
        refused = await vouch(browser, signed(world))
        assert (refused.status_code, code(refused)) == (401, "bad_key")


@asynccontextmanager
async def e_home_session(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser with a session, and no key."""
    async with portal(world, "unused") as caller:
        del caller.headers["Authorization"]
        await caller.post("/api/v1/session", json={})
        yield caller
