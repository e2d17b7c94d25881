"""The process dies at each step of the turn that books; what is found afterwards, and what the client gets."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import func, or_, select

from actions.appointments.tables import Appointment
from actions.core.tables import Conversation, Member, Outgoing, Turn
from tests.kill.books import faults
from tests.kill.conftest import message, reply_of, working_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.peers.server import Server, Store

pytestmark = pytest.mark.peer

#: The steps of a turn in their order; the transaction lasts from begun to written.
POINTS = ("turn.received", "turn.parsed", "turn.begun", "turn.handled", "turn.written", "turn.committed")
HOURS = dict(zip(POINTS, ("上午9点", "上午10点", "下午2点", "下午3点", "下午4点", "下午5点"), strict=True))
SENDERS = {point: f"demo-{number}" for number, point in enumerate(POINTS, 1)}


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """What the database holds of one member: states of appointments, and messages that were answered."""

    appointments: tuple[str, ...]
    turns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """What a death at one point left, and what came of sending the message again, twice."""

    exit_code: int
    left: State
    faults_left: list[str]
    answers: tuple[dict[str, Any], dict[str, Any]]
    after: State


def state_of(store: Store, sender: str) -> State:
    with store.session() as session:
        states = session.scalars(select(Appointment.state).join(Member).where(Member.staff_id == sender))
        turns = select(func.count()).select_from(Turn).join(Conversation).where(Conversation.key == sender)
        return State(appointments=tuple(states), turns=session.scalar(turns) or 0)


def clients(server: Server, key: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def bring_to_the_last_step(store: Store, key: str) -> None:
    """Each member holds a slot of their own, and has only to confirm."""
    day = working_day(after=4)
    with store.serving() as server, clients(server, key) as client:
        for point, sender in SENDERS.items():
            wish = f"{day.month}月{day.day}日{HOURS[point]}想约何医生的心理咨询，线上"
            for number, text in enumerate((wish, "同意", "王芳 13912345678")):
                told = reply_of(client.post("/api/v1/chat", json=message(sender, str(number), text)))
            assert "没问题就回“确认”" in told["text"]


def confirm(sender: str) -> dict[str, Any]:
    return message(sender, "confirmation", "确认")


def die_at(store: Store, key: str, point: str) -> int:
    """The confirmation is sent to a server that dies at the point; returns its exit code."""
    with store.serving(NJR_FAULT=point) as server, clients(server, key) as client:
        with pytest.raises(httpx.TransportError):
            client.post("/api/v1/chat", json=confirm(SENDERS[point]))
        return server.died()


@pytest.fixture(scope="module")
def deaths(store: Store) -> Iterator[dict[str, Death]]:
    """One death at each point, then one server that nothing is wrong with."""
    store.bot("demo", "members", str(len(POINTS)))
    key = store.bot("keys", "create", "kill").strip()
    bring_to_the_last_step(store, key)
    left = {}
    for point, sender in SENDERS.items():
        exit_code = die_at(store, key, point)
        left[point] = exit_code, state_of(store, sender), faults(store)
    found = {}
    with store.serving() as server, clients(server, key) as client:
        for point, sender in SENDERS.items():
            first, again = (reply_of(client.post("/api/v1/chat", json=confirm(sender))) for _ in range(2))
            exit_code, state, wrong = left[point]
            found[point] = Death(
                exit_code=exit_code,
                left=state,
                faults_left=wrong,
                answers=(first, again),
                after=state_of(store, sender),
            )
        wait_until_sent(store)
        yield found


def wait_until_sent(store: Store) -> None:
    """Until nothing that is due waits; fails after a while."""
    begun = or_(Outgoing.due_at <= datetime.now(UTC), Outgoing.attempts > 0)
    waiting = select(func.count()).select_from(Outgoing).where(Outgoing.state == "queued", begun)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with store.session() as session:
            if not session.scalar(waiting):
                return
        time.sleep(0.1)
    pytest.fail("what was due has not been sent")


@pytest.mark.parametrize("point", POINTS)
def test_the_booking_and_its_reply_are_both_there_or_both_not(deaths: dict[str, Death], point: str) -> None:
    death = deaths[point]
    assert death.exit_code == -signal.SIGKILL
    assert death.faults_left == []
    committed = point == "turn.committed"
    assert death.left == State(appointments=("booked",) if committed else ("held",), turns=4 if committed else 3)


@pytest.mark.parametrize("point", POINTS)
def test_the_message_sent_again_gets_the_one_answer(deaths: dict[str, Death], point: str) -> None:
    first, again = deaths[point].answers
    assert "约好了" in first["text"]
    assert again == first
    assert deaths[point].after == State(appointments=("booked",), turns=4)


def test_in_the_end_everything_is_there_once(store: Store, deaths: dict[str, Death]) -> None:
    assert len(deaths) == len(POINTS)
    assert faults(store) == []
