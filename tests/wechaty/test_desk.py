"""The assistant's half alone: a job is handed out once, ends once, and is tried again where a bridge has gone."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.channels.wechaty.desk import Place, WechatyChannel
from bot.messages import Address, Gone, Joined, Moved, Outbound, Seen, SendError
from bot.wire import (
    Asked,
    Befriended,
    BridgeTakenError,
    Done,
    GroupJoined,
    GroupMoved,
    GroupsSeen,
    Job,
    Left,
    Report,
    Said,
)

if TYPE_CHECKING:
    from bot.files import FileDesk
    from bot.messages import Event, Inbound

ALICE = Address(channel="wechaty", conversation="alice")


@dataclass
class Ear:
    """Takes down what a channel hands on."""

    heard: list[Inbound] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        self.heard.append(inbound)
        return ()

    async def notice(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Clock:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def _desk(clock: Clock | None = None, **more: Any) -> WechatyChannel:
    place = Place(files=cast("FileDesk", None), say=lambda key, _params: key)
    return WechatyChannel(place, now=clock or Clock(), **more)


_numbers = itertools.count(1)


def _asked(bridge: str = "b1", **more: Any) -> Asked:
    return Asked(**{"bridge": bridge, "number": next(_numbers), "state": "ready", "wait": 5.0, **more})


def _message(text: str = "好的", row: int = 1) -> Outbound:
    return Outbound(address=ALICE, text=text, id=row)


async def _sending(desk: WechatyChannel, message: Outbound, asked: Asked) -> tuple[asyncio.Task[Any], Job]:
    """A message on its way, in the hands of a bridge."""
    desk.reported(asked)
    sending = asyncio.create_task(desk.send(message))
    await asyncio.sleep(0)
    (job,) = await desk.hand_out(asked)
    return sending, job


async def test_a_message_is_handed_out_and_confirmed() -> None:
    desk = _desk()
    sending, job = await _sending(desk, _message(), _asked())
    assert (job.conversation, job.texts) == ("alice", ("好的",))
    assert not await desk.hand_out(_asked(has=(job.key,), wait=0))
    desk.reported(Report(bridge="b1", number=next(_numbers), state="ready", done=(Done(key=job.key, ref="m-1"),)))
    receipt = await sending
    assert (receipt.ref, receipt.confirmed) == ("m-1", True)
    assert not await desk.hand_out(_asked(wait=0))


async def test_an_answer_that_was_lost_is_given_again() -> None:
    desk = _desk()
    sending, job = await _sending(desk, _message(), _asked())
    (again,) = await desk.hand_out(_asked())
    assert again == job
    sending.cancel()


async def test_a_question_waits_for_something_to_do() -> None:
    desk = _desk()
    asking = asyncio.create_task(desk.hand_out(_asked()))
    await asyncio.sleep(0)
    sending = asyncio.create_task(desk.send(_message()))
    assert len(await asking) == 1
    sending.cancel()


@pytest.mark.parametrize("state", ["away", "taken", "refused", "starting", "scan", "logged_out"])
async def test_nothing_is_sent_while_nobody_is_signed_in(state: Any) -> None:
    desk = _desk()
    with pytest.raises(SendError) as away:
        await desk.send(_message())
    assert away.value.everybody
    desk.reported(_asked(state=state))
    assert not desk.ready
    with pytest.raises(SendError):
        await desk.send(_message())
    desk.reported(_asked())
    assert desk.ready


async def test_what_the_bridge_could_not_do_is_told() -> None:
    desk = _desk()
    sending, job = await _sending(desk, _message(), _asked())
    desk.reported(
        Report(
            bridge="b1",
            number=next(_numbers),
            state="away",
            done=(Done(key=job.key, error="not connected", retry_after=1),),
        )
    )
    with pytest.raises(SendError) as failed:
        await sending
    assert (failed.value.reason, failed.value.permanent, failed.value.retry_after) == ("not connected", False, 1)


async def test_an_older_report_that_comes_later_changes_nothing() -> None:
    """Reports go over several connections; what has ended has ended all the same."""
    desk = _desk()
    older, newer = _asked(state="away"), _asked(state="ready")
    desk.reported(newer)
    desk.reported(older)
    assert desk.ready
    sending, job = await _sending(desk, _message(), _asked())
    desk.reported(older.model_copy(update={"done": (Done(key=job.key, ref="m-1"),)}))
    assert (await sending).ref == "m-1"
    assert desk.ready


async def test_a_bridge_that_is_silent_is_gone() -> None:
    clock = Clock()
    desk = _desk(clock)
    desk.reported(_asked())
    clock.seconds += 44
    assert desk.ready
    clock.seconds += 2
    assert not desk.ready
    assert desk.health().state == "no bridge"


async def test_two_bridges_are_one_too_many() -> None:
    clock = Clock()
    desk = _desk(clock)
    desk.reported(_asked("b1"))
    with pytest.raises(BridgeTakenError):
        await desk.hand_out(_asked("b2"))
    desk.hung_up("b2")
    with pytest.raises(BridgeTakenError):
        desk.reported(_asked("b2"))
    desk.hung_up("b1")
    desk.reported(_asked("b2"))
    assert desk.ready


async def test_what_a_dead_bridge_had_in_hand_is_tried_again() -> None:
    desk = _desk()
    sending, _ = await _sending(desk, _message(), _asked("b1"))
    desk.hung_up("b1")
    desk.reported(_asked("b2"))
    with pytest.raises(SendError) as failed:
        await sending
    assert failed.value.retry_after is not None


async def test_what_happens_is_handed_on() -> None:
    desk, ear = _desk(), Ear()
    said = Said(event="m-1", conversation="alice", chat="private", sender="alice", text="你\x00好", name="老王")
    assert not await desk.take(said)
    running = asyncio.create_task(desk.start(ear))
    await asyncio.sleep(0)
    assert await desk.take(said)
    await desk.take(Befriended(event="friend:alice", sender="alice"))
    await desk.take(Left(sender="alice"))
    await desk.take(GroupJoined(conversation="r", names=("小新",)))
    await desk.take(GroupMoved(before="r", conversation="s"))
    await desk.take(GroupsSeen(groups={"s": "文学院"}))
    assert [(each.text, each.met, each.name) for each in ear.heard] == [("你好", False, "老王"), ("", True, "")]
    group = Address(channel="wechaty", conversation="r", chat="group")
    assert ear.events == [
        Gone(address=ALICE, sender="alice"),
        Joined(address=group, names=("小新",)),
        Moved(address=group, conversation="s"),
        Seen(channel="wechaty", groups={"s": "文学院"}),
    ]
    await desk.stop()
    await running
    assert not await desk.take(said)


async def test_questions_end_when_the_channel_stops() -> None:
    desk, ear = _desk(), Ear()
    running = asyncio.create_task(desk.start(ear))
    await asyncio.sleep(0)
    asking = asyncio.create_task(desk.hand_out(_asked()))
    await asyncio.sleep(0)
    await desk.stop()
    assert not await asking
    await running


def test_the_key_of_its_own_bridge() -> None:
    assert _desk(own_key="k").knows("k")
    assert not _desk(own_key="k").knows("x")
    assert not _desk().knows("")
    assert "own_key" not in repr(_desk(own_key="k"))
