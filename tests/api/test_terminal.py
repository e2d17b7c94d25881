from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.terminal import TerminalChannel, converse
from bot.messages import Address, Inbound, Option, Outbound, numbered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE = Address(channel="terminal", conversation="me")
YES, NO = Option(label="好", value="yes"), Option(label="不好", value="no")
AGREE = Option(label="同意", value="同意 A2B3C")


class Talk:
    """A conversation in the terminal: each line is answered by `answers`, and what was heard and shown is kept."""

    def __init__(self, *answers: tuple[Outbound, ...]) -> None:
        self._answers = iter(answers)
        self.channel = TerminalChannel()
        self.heard: list[Inbound] = []
        self.shown: list[str] = []

    async def receive(self, inbound: Inbound) -> tuple[Outbound, ...]:
        self.heard.append(inbound)
        return next(self._answers, ())

    async def run(self, *lines: str | Outbound) -> list[str]:
        """Types lines; a notice among them is pushed at that moment. Returns the texts that were heard."""

        async def typed() -> AsyncIterator[str]:
            for line in lines:
                if isinstance(line, str):
                    yield line
                else:
                    await self.channel.send(line)
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)

        await converse(self.receive, sender="me", lines=typed(), write=self.shown.append, pushed=self.channel.pushed)
        return [inbound.text for inbound in self.heard]


async def test_a_number_chooses_what_stands_on_the_screen():
    talk = Talk((Outbound(address=HERE, text="约吗？", options=(YES, NO)),))
    assert await talk.run("约咨询\n", "2\n") == ["约咨询", "no"]
    assert talk.shown == ["约吗？\n1. 好\n2. 不好"]
    assert talk.heard[0].address == HERE
    assert len({inbound.event_id for inbound in talk.heard}) == 2


async def test_a_number_stays_a_number_where_there_is_nothing_to_choose():
    talk = Talk((Outbound(address=HERE, text="几位？"),), (Outbound(address=HERE, text="约吗？", options=(YES, NO)),))
    assert await talk.run("订房间", "2", "3", "1") == ["订房间", "2", "3", "1"]


async def test_a_notice_does_not_take_a_number_away():
    """The officer is about to answer "1" to the question when a notice comes: its options are numbered on."""
    notice = Outbound(address=HERE, text="有一份申请", options=(AGREE,))
    question = Outbound(address=HERE, text="约吗？", options=(YES, NO))
    talk = Talk((question,), (question,))
    assert await talk.run("约咨询", notice, "1", notice, "3") == ["约咨询", "yes", "同意 A2B3C"]
    assert talk.shown[1] == "有一份申请\n3. 同意"


async def test_two_replies_are_numbered_through():
    talk = Talk((Outbound(address=HERE, text="甲", options=(YES,)), Outbound(address=HERE, text="乙", options=(NO,))))
    assert await talk.run("问", "2") == ["问", "no"]


async def test_links_are_shown_and_blank_lines_are_not_sent():
    talk = Talk((Outbound(address=HERE, text="表格在这里", link="https://union.test/form"),))
    assert await talk.run("\n", "要表格", "   ") == ["要表格"]
    assert talk.shown == ["表格在这里\nhttps://union.test/form"]


async def test_what_was_pushed_at_the_very_end_is_still_shown():
    talk = Talk()
    talk.channel.pushed.put_nowait(Outbound(address=HERE, text="一"))
    await talk.run()
    assert talk.shown == ["一"]


@given(st.lists(st.text(min_size=1, max_size=5).filter(lambda text: "\n" not in text), max_size=9), st.integers(1, 50))
def test_every_option_has_its_own_number(labels, first):
    options = [Option(label=label, value=label) for label in labels]
    lines = numbered("请选", options, first=first).split("\n")
    assert lines == ["请选", *(f"{first + index}. {label}" for index, label in enumerate(labels))]
