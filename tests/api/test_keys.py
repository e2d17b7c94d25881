"""What a key may do, for whom, how often and how long."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from actions.core.errors import ConfigurationError
from actions.core.tables import ApiKey
from bot.keys import SCOPES, NewKey, create_key, find_key, list_keys, revoke_key, told_of
from tests.api.portal import LIN, code, portal

if TYPE_CHECKING:
    from tests.conftest import World

#: A route of each scope; the body is of no importance, for the scope is looked at first.
ROUTES = {
    "chat": ("POST", "/api/v1/chat"),
    "files": ("POST", "/api/v1/files"),
    "events": ("GET", "/api/v1/history"),
    "lists": ("GET", "/api/v1/items"),
    "act": ("POST", "/api/v1/items/appointment:1/cancel"),
    "vouch": ("POST", "/api/v1/members"),
    "rasa": ("GET", "/api/v1/rasa/actions"),
}


def public_key(curve: type[SECP256R1] | type[SECP384R1] = SECP256R1) -> str:
    public = generate_private_key(curve()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def vouching() -> dict[str, str]:
    return {"public_key": public_key(), "senders": "e-home-"}


@pytest.mark.parametrize("scope", ROUTES)
async def test_a_route_asks_for_its_scope_and_for_no_other(world: World, scope: str) -> None:
    method, path = ROUTES[scope]
    others = [other for other in SCOPES if other not in (scope, "vouch")]
    async with portal(world, "others", scopes=others) as caller:
        refused = await caller.request(method, path)
        assert (refused.status_code, code(refused)) == (403, "no_scope")
        assert scope in refused.json()["error"]["message"]
    options = vouching() if scope == "vouch" else {}
    async with portal(world, "one", scopes=[scope], **options) as caller:
        answer = await caller.request(method, path)
        assert answer.status_code in (200, 422), answer.text


async def test_every_scope_but_the_bridges_has_a_route_here() -> None:
    assert set(ROUTES) | {"bridge"} == set(SCOPES)


async def test_a_key_may_neither_vouch_nor_be_a_bridge_where_nothing_was_said(world: World) -> None:
    async with portal(world):
        [row] = await list_keys(world.app.house.database)
    assert set(row.scopes.split()) == set(SCOPES) - {"vouch", "bridge"}


@pytest.mark.parametrize("sender", ["20180312", "officer-20100903"])
async def test_who_calls_actions_speaks_for_its_own_senders_alone(world: World, sender: str) -> None:
    """What Rasa asks for is done as the sender, and somebody at the console is one, too."""
    call = {"next_action": "action_assistant", "sender_id": sender, "tracker": {"sender_id": sender}}
    async with portal(world, senders="e-home-") as caller:
        refused = await caller.post("/api/v1/rasa/webhook", json=call)
        assert (refused.status_code, code(refused)) == (403, "not_your_sender")


@pytest.mark.parametrize(
    ("sender", "conversation", "field"),
    [("e-home-1", "web-1", "conversation"), ("web-1", "e-home-1", "sender"), ("20180312", "20180312", "sender")],
)
async def test_a_key_speaks_for_its_own_senders_alone(world: World, sender: str, conversation: str, field: str) -> None:
    async with portal(world, senders="e-home-") as caller:
        message = {"sender": sender, "conversation": conversation, "message_id": "m", "text": "我约了什么"}
        refused = await caller.post("/api/v1/chat", json=message)
        assert (refused.status_code, code(refused)) == (403, "not_your_sender")
        assert field in refused.json()["error"]["message"]
        own = {"sender": "e-home-1", "conversation": "e-home-1", "message_id": "m", "text": "你好"}
        assert (await caller.post("/api/v1/chat", json=own)).status_code == 200


@pytest.mark.parametrize("path", ["services", "items", "offerings", "items/appointment:1/moves", "services/counseling"])
async def test_nobody_elses_lists_are_read(world: World, path: str) -> None:
    async with portal(world, senders="e-home-") as caller:
        assert code(await caller.get(f"/api/v1/{path}", params={"sender": LIN})) == "not_your_sender"
        assert code(await caller.get(f"/api/v1/{path}")) == "invalid"


async def test_no_key_speaks_for_an_officer_of_the_console(world: World) -> None:
    async with portal(world) as caller:
        refused = await caller.get("/api/v1/items", params={"sender": "officer-1"})
    assert (refused.status_code, code(refused)) == (403, "not_your_sender")


async def test_files_and_pushes_are_of_own_conversations(world: World) -> None:
    async with portal(world, senders="e-home-") as caller:
        refused = await caller.post(
            "/api/v1/files", files={"file": ("a.jpg", b"x")}, data={"sender": "e-home-1", "conversation": LIN}
        )
        assert code(refused) == "not_your_sender"
        assert code(await caller.get("/api/v1/history", params={"conversation": LIN})) == "not_your_sender"
        assert code(await caller.get("/api/v1/events", params={"conversation": LIN})) == "not_your_sender"
        assert (await caller.get("/api/v1/history", params={"conversation": "e-home-1"})).status_code == 200


async def test_a_minute_has_so_many_requests(world: World) -> None:
    async with portal(world, per_minute=3) as caller, portal(world, "another") as another:
        for _ in range(3):
            assert (await caller.get("/api/v1/services", params={"sender": LIN})).status_code == 200
        refused = await caller.get("/api/v1/services", params={"sender": LIN})
        assert (refused.status_code, code(refused)) == (429, "too_many")
        assert (await another.get("/api/v1/services", params={"sender": LIN})).status_code == 200
        world.clock.move(seconds=int(refused.headers["retry-after"]))
        assert (await caller.get("/api/v1/services", params={"sender": LIN})).status_code == 200


async def test_a_key_ends_on_its_day(world: World) -> None:
    async with portal(world, expires_at=world.clock.now + timedelta(days=1)) as caller:
        assert (await caller.get("/api/v1/services", params={"sender": LIN})).status_code == 200
        world.clock.move(days=1)
        refused = await caller.get("/api/v1/services", params={"sender": LIN})
    assert (refused.status_code, code(refused)) == (401, "bad_key")


async def test_a_revoked_key_opens_nothing_and_its_name_stays_taken(world: World) -> None:
    database = world.app.house.database
    async with portal(world) as caller:
        await revoke_key(database, "portal", world.clock())
        assert code(await caller.get("/api/v1/services", params={"sender": LIN})) == "bad_key"
    with pytest.raises(ConfigurationError, match="in force"):
        await revoke_key(database, "portal", world.clock())
    with pytest.raises(ConfigurationError, match="already"):
        await create_key(database, NewKey(name="portal"), world.clock())


async def test_the_day_of_its_last_use_is_noted_and_it_is_kept_as_a_hash(world: World) -> None:
    database = world.app.house.database
    key = await create_key(database, NewKey(name="portal"), world.clock())
    assert await find_key(database, key, world.clock()) is not None
    world.clock.move(days=1)
    assert await find_key(database, key, world.clock()) is not None
    assert await find_key(database, key + "x", world.clock()) is None
    async with database.read() as session:
        row = (await session.execute(select(ApiKey))).scalar_one()
    assert row.used_on == date(2026, 11, 23)
    assert key not in str(vars(row))


async def test_what_an_operator_is_told_of_keys(world: World) -> None:
    database, now = world.app.house.database, world.clock()
    await create_key(database, NewKey(name="old", expires_at=now + timedelta(days=2)), now)
    await create_key(database, NewKey(name="gone", senders="x-"), now)
    await revoke_key(database, "gone", now)
    later = now + timedelta(days=3)
    told = [told_of(row, later) for row in await list_keys(database)]
    assert [(each["name"], each["state"], each["senders"]) for each in told] == [
        ("old", "过期", "*"),
        ("gone", "停用", "x-"),
    ]
    assert told[0]["expires_on"] == "2026-11-24"
    assert not any("hash" in name for each in told for name in each)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"scopes": ["chat", "everything"]}, "no scope 'everything'"),
        ({"scopes": []}, "name a scope"),
        ({"per_minute": 0}, "requests a minute"),
        ({"scopes": ["vouch"], "senders": "e-"}, "belong together"),
        ({"scopes": ["chat"], "public_key": "PEM"}, "belong together"),
        ({"scopes": ["vouch"], "public_key": "PEM"}, "prefix"),
        ({"scopes": ["vouch"], "senders": "e-", "public_key": "PEM"}, "no PEM"),
        ({"scopes": ["vouch"], "senders": "e-", "public_key": public_key(SECP384R1)}, "P-256"),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(world: World, options: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        await create_key(world.app.house.database, NewKey(name="k", **options), world.clock())  # type: ignore[arg-type]
    assert await list_keys(world.app.house.database) == []


async def test_a_day_that_is_over_is_no_end(world: World) -> None:
    with pytest.raises(ConfigurationError, match="over already"):
        await create_key(world.app.house.database, NewKey(name="k", expires_at=world.clock()), world.clock())
