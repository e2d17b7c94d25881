"""A Rasa that runs its own dialogue, with rules and forms of its own, and our actions behind them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import select

from actions.appointments.tables import Appointment
from actions.core.tables import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rasa.conftest import Peer

pytestmark = pytest.mark.peer

LIN, WANG = "20180312", "20150108"


class Chat:
    """One person at Rasa's own REST channel."""

    def __init__(self, client: httpx.Client, sender: str, token: str) -> None:
        self._client = client
        self._sender = sender
        self._token = token

    def say(self, text: str) -> list[dict[str, Any]]:
        """The replies of Rasa."""
        answer = self._client.post("/webhooks/rest/webhook", json={"sender": self._sender, "message": text})
        answer.raise_for_status()
        replies: list[dict[str, Any]] = answer.json()
        return replies

    def told(self, text: str) -> str:
        """As `say`, the words alone."""
        return "\n".join(reply["text"] for reply in self.say(text))

    def click(self, replies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Answers with the first option."""
        return self.say(replies[-1]["buttons"][0]["payload"])

    @property
    def tracker(self) -> dict[str, Any]:
        """What Rasa remembers."""
        answer = self._client.get(f"/conversations/{self._sender}/tracker", params={"token": self._token})
        answer.raise_for_status()
        remembered: dict[str, Any] = answer.json()
        return remembered


@pytest.fixture
def client(peer: Peer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=peer.rasa.url, timeout=60, trust_env=False) as opened:
        yield opened


def booked(peer: Peer, staff_id: str) -> list[Appointment]:
    with peer.store.session() as session:
        query = select(Appointment).join(Account, Account.member_id == Appointment.member_id)
        found = session.execute(query.where(Account.sender == staff_id)).unique().scalars()
        return [each for each in found if each.state == "booked"]


def test_counselling_is_booked_by_rasas_own_form(peer: Peer, client: httpx.Client) -> None:
    chat = Chat(client, LIN, peer.rasa.token)
    replies = chat.say("我想预约心理咨询")
    assert chat.tracker["active_loop"]["name"] == "counseling_form"
    assert chat.tracker["slots"]["requested_slot"] == "counseling_time"
    replies = chat.click(chat.click(replies))
    assert chat.tracker["slots"]["requested_slot"] == "counseling_mode"
    assert "同意" in chat.told("线上")
    chat.say("同意")
    read_back = chat.told("王芳 13912345678")
    assert "线上" in read_back
    slots = chat.tracker["slots"]
    assert (slots["requested_slot"], slots["counseling_contact"]) == ("counseling_ready", "已填")
    assert booked(peer, LIN) == []
    assert "约好了" in chat.told("确认")
    assert [each.fields for each in booked(peer, LIN)] == [{"mode": "线上"}]
    tracker = chat.tracker
    assert tracker["active_loop"] == {}
    assert {name: value for name, value in tracker["slots"].items() if value is not None} == {}


def test_a_form_can_be_left_and_another_matter_be_asked(peer: Peer, client: httpx.Client) -> None:
    chat = Chat(client, WANG, peer.rasa.token)
    chat.say("我想预约心理咨询")
    assert "心理咨询" in chat.told("不办了")
    assert chat.tracker["active_loop"] == {}
    assert booked(peer, WANG) == []
    assert chat.told("你好")
    assert chat.tracker["active_loop"] == {}


def test_a_crisis_in_a_form_is_answered_by_its_rule(peer: Peer, client: httpx.Client) -> None:
    chat = Chat(client, f"stranger-{uuid.uuid4().hex}", peer.rasa.token)
    chat.say("我想预约心理咨询")
    assert "12356" in chat.told("我不想活了")
    assert chat.tracker["active_loop"] == {}


def test_what_rasa_does_not_understand_the_assistant_answers(peer: Peer, client: httpx.Client) -> None:
    chat = Chat(client, f"stranger-{uuid.uuid4().hex}", peer.rasa.token)
    assert chat.told("龘靐齉㗊")


def test_only_who_holds_the_token_may_ask_and_nobody_from_elsewhere(peer: Peer, client: httpx.Client) -> None:
    for token in ("", "another"):
        answer = client.post("/model/parse", json={"text": "你好"}, params={"token": token})
        assert answer.status_code == 401
    table = Path(f"/proc/{peer.rasa.pid}/net/tcp").read_text(encoding="ascii").splitlines()
    port = f":{int(peer.rasa.url.rpartition(':')[2]):04X}"
    listening = {place for place, state in (row.split()[1:4:2] for row in table[1:]) if state == "0A"}
    assert {place for place in listening if place.endswith(port)} == {f"0100007F{port}"}
