"""What becomes of a row: said once, in order, by the rules; put off, given up, taken over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from actions.core.batches import Mailing, Place, add_places, open_batch
from actions.core.notify import Letter, cancel_notices, send_letter
from actions.core.tables import Account, Outgoing, Wish
from bot.delivery import Limits, Window
from bot.delivery.ledger import BEAT, DEAD_AFTER, back_off
from bot.messages import Address, SendError
from tests.delivery.conftest import CHANNEL, NOON, refusing

if TYPE_CHECKING:
    from bot.channels.web import WebChannel
    from bot.messages import Outbound
    from tests.delivery.conftest import Office


async def test_a_notice_is_said_once_where_the_member_was_heard_last(office: Office):
    await office.say("您好")
    delivery = office.delivery()
    said = await delivery.flush()
    assert [(message.address.conversation, message.text) for message in said] == [("m0", "您好")]
    assert await delivery.flush() == []
    (row,) = await office.rows()
    assert (row.state, row.channel, row.conversation, row.sent_at) == ("sent", CHANNEL, "m0", NOON)


async def test_what_a_platform_only_accepts_is_not_called_delivered(office: Office):
    office.platform.confirmed = False
    await office.say("您好")
    await office.delivery().flush()
    assert await office.states() == {"accepted": 1}


async def test_in_one_conversation_the_order_is_kept(office: Office):
    for number in range(5):
        await office.say(str(number))
    await office.delivery().flush()
    assert office.platform.texts == ["0", "1", "2", "3", "4"]


async def test_answers_and_alerts_come_first_then_single_notices_then_batches(office: Office):
    await office.announce("群发")
    await office.say("候补", 1)
    await office.say("提醒", 2, kind="alert")
    limits = Limits(overall=(Window(count=1, seconds=1),))
    delivery = office.delivery(limits=limits)
    for _ in range(3):
        await delivery.flush()
        office.clock.move(seconds=2)
    assert office.platform.texts == ["提醒", "候补", "群发"]


async def test_who_is_bound_nowhere_does_not_stop_the_others(office: Office):
    async with office.database.write() as session:
        await session.execute(update(Account).where(Account.sender == "m1").values(member_id=None))
    batch = await office.announce()
    await office.delivery().flush()
    ledger = await office.tally(batch)
    assert (ledger.states, ledger.waiting) == ({"sent": 2, "failed": 1}, 0)
    assert ledger.reasons == {("failed", "nobody is bound"): 1}


async def test_who_was_unbound_while_it_waited_gets_nothing(office: Office):
    """It may be private: the account may be somebody else's by now."""
    await office.say("您的申请", 0)
    office.platform.refuse = refusing()
    delivery = office.delivery()
    await delivery.flush()
    async with office.database.write() as session:
        await session.execute(update(Account).where(Account.sender == "m0").values(member_id=office.people[1]))
    office.platform.refuse = lambda _message: None
    office.clock.move(hours=1)
    await delivery.flush()
    assert office.platform.took == []
    assert await office.states() == {"failed": 1}


async def test_a_row_that_cannot_be_rendered_does_not_stop_the_others(office: Office):
    await office.announce()
    async with office.database.write() as session:
        await session.execute(update(Outgoing).where(Outgoing.member_id == office.people[1]).values(content="v1.x.y"))
    await office.delivery().flush()
    assert office.platform.heard == {"m0": 1, "m2": 1}
    assert await office.states() == {"sent": 2, "failed": 1}


async def test_a_channel_that_breaks_does_not_stop_the_others(office: Office):
    def refuse(message: Outbound) -> None:
        if message.address.conversation == "m1":
            raise ZeroDivisionError

    office.platform.refuse = refuse
    await office.announce()
    await office.delivery().flush()
    assert await office.states() == {"sent": 2, "queued": 1}


async def test_a_permanent_error_is_not_tried_again(office: Office):
    office.platform.refuse = refusing(permanent=True)
    await office.say("您好")
    delivery = office.delivery()
    for _ in range(3):
        await delivery.flush()
        office.clock.move(days=1)
    (row,) = await office.rows()
    assert (office.platform.calls, row.state, row.reason, row.attempts) == (1, "failed", "no", 1)


async def test_a_passing_error_is_tried_again_after_a_longer_pause_each_time(office: Office):
    office.platform.refuse = refusing()
    await office.say("您好")
    delivery = office.delivery()
    for tries in range(1, 4):
        await delivery.flush()
        (row,) = await office.rows()
        assert (row.state, row.attempts, row.reason) == ("queued", tries, "no")
        assert row.due_at == office.clock() + back_off(tries)
        office.clock.now = row.due_at
    office.platform.refuse = lambda _message: None
    await delivery.flush()
    assert (await office.states(), office.platform.calls) == ({"sent": 1}, 4)


async def test_what_the_platform_asks_to_wait_is_waited_and_is_no_failure(office: Office):
    office.platform.refuse = refusing(retry_after=7)
    await office.say("您好")
    delivery = office.delivery()
    await delivery.flush()
    (row,) = await office.rows()
    assert (row.state, row.attempts, row.due_at) == ("queued", 0, NOON + timedelta(seconds=7))


async def test_where_a_conversation_must_wait_nothing_else_is_tried_in_it_meanwhile(office: Office):
    office.platform.refuse = refusing(retry_after=30)
    await office.say("一", 0)
    await office.say("二", 0)
    delivery = office.delivery()
    await delivery.flush()
    office.platform.refuse = lambda _message: None
    await office.say("别处", 1)
    office.clock.move(seconds=29)
    await delivery.flush()
    assert (office.platform.calls, office.platform.texts) == (2, ["别处"])
    office.clock.move(seconds=1)
    await delivery.flush()
    assert office.platform.texts == ["别处", "一", "二"]


async def test_where_everybody_must_wait_nobody_is_tried_meanwhile(office: Office):
    office.platform.refuse = refusing(retry_after=30, everybody=True)
    await office.say("一", 0)
    delivery = office.delivery()
    await delivery.flush()
    office.platform.refuse = lambda _message: None
    await office.say("二", 1, kind="alert")
    office.clock.move(seconds=29)
    assert await delivery.flush() == []
    office.clock.move(seconds=1)
    assert len(await delivery.flush()) == 2


async def test_a_platform_that_is_away_is_left_alone(office: Office):
    await office.populate(60)
    office.platform.refuse = refusing()
    await office.announce()
    delivery = office.delivery()
    for _ in range(60):
        await delivery.flush()
        office.clock.move(seconds=1)
    assert office.platform.calls < 120
    office.platform.refuse = lambda _message: None
    for _ in range(40):
        office.clock.move(minutes=1)
        await delivery.flush()
    assert await office.states() == {"sent": 63}


async def test_limits_are_kept_overall_and_in_a_group_whatever_the_workers(office: Office):
    """Telegram's: 30 a second, 20 a minute to one group."""
    await office.populate(117)
    await office.announce()
    async with office.database.write() as session:
        for number in range(30):
            letter = Letter(
                channel=CHANNEL,
                conversation="群",
                chat="group",
                wording="say",
                params={"text": str(number)},
                kind="service",
            )
            await send_letter(office.context(session), letter)
    overall, group = Window(count=30, seconds=1), Window(count=20, seconds=60)
    limits = Limits(overall=(overall,), group=(group,))
    workers = [office.delivery(limits=limits) for _ in range(2)]
    for _ in range(1000):
        for worker in workers:
            await worker.flush()
        office.clock.move(milliseconds=100)
        if len(office.platform.took) == 150:
            break
    assert office.platform.heard["群"] == 30
    assert [text for _, name, text in office.platform.took if name == "群"] == [str(n) for n in range(30)]
    everything = [moment for moment, _, _ in office.platform.took]
    for window, times in ((overall, everything), (group, [at for at, name, _ in office.platform.took if name == "群"])):
        span = timedelta(seconds=window.seconds)
        assert max(sum(start <= at < start + span for at in times) for start in times) <= window.count


async def test_a_storm_passes_and_everybody_has_it_once(office: Office):
    await office.populate(97)
    batch = await office.announce()
    storms = iter(range(10_000))

    def refuse(_message: Outbound) -> None:
        number = next(storms)
        if office.clock() < NOON + timedelta(minutes=5) and number % 3:
            raise SendError("429", retry_after=3) if number % 3 == 1 else SendError("500")

    office.platform.refuse = refuse
    delivery = office.delivery()
    for _ in range(400):
        await delivery.flush()
        office.clock.move(seconds=5)
    assert (await office.tally(batch)).states == {"sent": 100}
    assert set(office.platform.heard.values()) == {1}


async def test_what_a_dead_worker_had_in_hand_is_said_again_and_marked(office: Office):
    batch = await office.announce()
    await office.delivery().flush()
    async with office.database.write() as session:
        half = select(Outgoing.id).where(Outgoing.member_id != office.people[0])
        await session.execute(update(Outgoing).where(Outgoing.id.in_(half)).values(state="sending", worker="dead"))
    office.clock.now = NOON + DEAD_AFTER
    await office.delivery().flush()
    ledger = await office.tally(batch)
    assert (ledger.states, ledger.reasons, ledger.doubts) == ({"sent": 3}, {("sent", "unknown"): 2}, 2)
    assert office.platform.heard == {"m0": 1, "m1": 2, "m2": 2}


def test_a_dead_worker_is_taken_over_within_half_a_minute():
    """Seen last at once before it died, looked for just before it counts as dead: the next look is one beat later."""
    at_worst = DEAD_AFTER + 2 * BEAT
    assert at_worst <= timedelta(seconds=30)
    two_beats = 2 * BEAT
    assert two_beats < DEAD_AFTER  # one beat that is late is no death


async def test_what_a_living_worker_has_in_hand_is_left_to_it(office: Office):
    await office.say("您好")
    slow, quick = office.delivery(), office.delivery()
    office.platform.gate = asyncio.Event()
    sending = asyncio.create_task(slow.flush())
    await office.platform.until(lambda: office.platform.calls == 1)
    assert await quick.flush() == []
    office.platform.gate.set()
    assert len(await sending) == 1
    assert len(office.platform.took) == 1


async def test_who_was_taken_over_does_not_write_over_it(office: Office):
    await office.say("您好")
    paused, other = office.delivery(), office.delivery()
    office.platform.gate = asyncio.Event()
    sending = asyncio.create_task(paused.flush())
    await office.platform.until(lambda: office.platform.calls == 1)
    gate, office.platform.gate = office.platform.gate, None
    office.clock.now = NOON + DEAD_AFTER
    await other.flush()
    office.platform.refuse = refusing(permanent=True)
    gate.set()
    await sending
    (row,) = await office.rows()
    assert (row.state, row.reason, row.doubts) == ("sent", "unknown", 1)


async def test_who_wants_no_news_gets_none_even_of_what_waits_already(office: Office):
    batch = await office.announce(kind="news", topic="lectures", due=NOON + timedelta(hours=1))
    async with office.database.write() as session:
        session.add(Wish(member_id=office.people[0], topic="", wants="none", at=NOON))
        session.add(Wish(member_id=office.people[1], topic="lectures", wants="digest", at=NOON))
    await office.say("您的预约", 0)
    office.clock.move(hours=1)
    await office.delivery().flush()
    assert sorted(office.platform.texts) == ["您的预约", "通知"]
    ledger = await office.tally(batch)
    assert ledger.reasons == {("suppressed", "unsubscribed"): 1, ("suppressed", "digest"): 1}


async def test_nobody_gets_news_at_night(office: Office):
    office.clock.now = NOON.replace(hour=21, minute=59)
    limits = Limits(overall=(Window(count=1, seconds=60),))
    await office.announce(kind="news")
    delivery = office.delivery(limits=limits)
    for _ in range(14 * 60):
        await delivery.flush()
        office.clock.move(minutes=1, seconds=1)
    times = [moment for moment, _, _ in office.platform.took]
    assert (len(times), times[0]) == (3, NOON.replace(hour=21, minute=59))
    assert all(moment >= NOON.replace(day=23, hour=7, minute=30) for moment in times[1:])


async def test_more_news_than_the_cap_waits_for_the_next_day(office: Office):
    for number in range(5):
        await office.announce(str(number), kind="news")
    delivery = office.delivery()
    await delivery.flush()
    assert set(office.platform.heard.values()) == {3}
    office.clock.now = NOON.replace(day=23, hour=7, minute=30)
    await delivery.flush()
    assert set(office.platform.heard.values()) == {5}


async def test_the_same_words_about_the_same_matter_are_not_said_without_end(office: Office):
    """A reminder loop floods nobody; alerts, and what is about something else, are not held back."""
    delivery = office.delivery()
    for _ in range(6):
        await office.say("提醒", subject="appointment:1")
        await office.say("提醒", 1, subject="alert:1", kind="alert")
        await delivery.flush()
        office.clock.move(minutes=1)
    await office.say("提醒", subject="appointment:2")
    await delivery.flush()
    assert office.platform.heard == {"m0": 4, "m1": 6}
    assert {row.reason for row in await office.rows(Outgoing.state == "suppressed")} == {"repeated"}
    office.clock.move(hours=1)
    await office.say("提醒", subject="appointment:1")
    assert len(await delivery.flush()) == 1


async def test_a_group_does_not_read_the_same_again_and_again_whatever_it_is_part_of(office: Office):
    """Hundreds of people: a loop that writes a batch each time is stopped too, and each has a subject of its own."""
    delivery = office.delivery()
    place = Place(channel=CHANNEL, conversation="群")
    for number in range(6):
        async with office.database.write() as session:
            context = office.context(session)
            mailing = Mailing(title="通知", wording="say", params={"text": "报名"}, subject=f"announcement:{number}")
            await add_places(context, await open_batch(context, mailing), [place])
        await delivery.flush()
        office.clock.move(minutes=5)
    assert office.platform.texts == ["报名"] * 3
    assert await office.states() == {"sent": 3, "suppressed": 3}
    office.clock.move(hours=1)
    async with office.database.write() as session:
        context = office.context(session)
        mailing = Mailing(title="通知", wording="say", params={"text": "报名"})
        await add_places(context, await open_batch(context, mailing), [place])
    assert len(await delivery.flush()) == 1


async def test_what_is_taken_back_or_over_is_not_said(office: Office):
    await office.say("一", subject="appointment:1", due=NOON + timedelta(hours=1))
    await office.say("二", due=NOON + timedelta(hours=1), expires=NOON + timedelta(hours=2))
    async with office.database.write() as session:
        await cancel_notices(office.context(session), "appointment:1")
    office.clock.move(hours=2)
    assert await office.delivery().flush() == []
    assert await office.states() == {"cancelled": 1, "expired": 1}


async def test_a_page_reads_what_a_batch_says(office: Office, web: WebChannel):
    await office.populate(1, channel="web")
    batch = await office.announce("开会")
    delivery = office.delivery(also=(web,))
    await delivery.flush()
    here = Address(channel="web", conversation="m3")
    assert [message.text for message in await delivery.since(here, 0, 10)] == ["开会"]
    office.clock.move(days=2)
    await delivery.forget()
    assert [message.text for message in await delivery.since(here, 0, 10)] == ["开会"]
    office.clock.move(days=31)
    await delivery.forget()
    assert await delivery.since(here, 0, 10) == []
    assert (await office.tally(batch)).states == {"sent": 4}


async def test_what_waits_for_a_digest_keeps_its_text(office: Office):
    async with office.database.write() as session:
        session.add(Wish(member_id=office.people[0], topic="", wants="digest", at=NOON))
    await office.say("讲座", kind="news")
    await office.say("旧闻", 1, kind="news", expires=NOON)
    delivery = office.delivery()
    await delivery.flush()
    office.clock.move(days=3)
    await delivery.forget()
    assert [bool(row.content) for row in await office.rows()] == [True, False]


async def test_an_answer_does_not_queue_behind_a_broadcast(office: Office):
    """While every place that a batch may take is taken by calls that do not end, an answer is said."""
    await office.populate(40)
    office.platform.gate = asyncio.Event()
    delivery = office.delivery(limits=Limits(in_flight=4))
    await office.announce()
    running = asyncio.create_task(delivery.run(pause=0.05))
    await office.platform.until(lambda: office.platform.calls == 4)
    gate, office.platform.gate = office.platform.gate, None
    async with office.database.write() as session:
        content = office.vault.seal({"parts": [["say", {"text": "回答"}]], "options": []}, about="outgoing")
        where = {"channel": CHANNEL, "conversation": "谁", "kind": "reply", "lane": 0}
        session.add(Outgoing(content=content, due_at=NOON, **where))
    delivery.wake()
    await office.platform.until(lambda: "回答" in office.platform.texts)
    assert office.platform.texts == ["回答"]
    gate.set()
    await office.platform.until(lambda: len(office.platform.took) == 44)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await office.states() == {"sent": 44}
