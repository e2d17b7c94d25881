"""Long texts are sent in pieces: nothing is lost, nothing is too long, and paragraphs stay whole where they can."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram import writing
from bot.messages import Address, Mention, Option, Outbound, pieces

HERE = Address(channel="telegram", conversation="5")
ROOM = Address(channel="telegram", conversation="-7/3", chat="group")
LABELS = writing.Labels(calendar="加到日历", public_url="")
TEXTS = st.text(st.sampled_from("工会。\n ，a😀"), max_size=300)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(TEXTS, st.integers(2, 60))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, longest: int) -> None:
    found = pieces(text, longest)
    assert all(0 < units(piece) <= longest for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_it_is_cut_between_paragraphs() -> None:
    assert pieces("甲" * 30 + "\n\n" + "乙" * 30, 50) == ["甲" * 30, "乙" * 30]
    assert pieces("甲" * 30 + "。" + "乙" * 30, 50) == ["甲" * 30 + "。", "乙" * 30]
    assert pieces("甲" * 120, 50) == ["甲" * 50, "甲" * 50, "甲" * 20]
    assert pieces("短", 50) == ["短"]
    assert pieces("", 50) == []


@given(st.lists(st.text(st.sampled_from("约好了abc"), min_size=1, max_size=40), min_size=1, max_size=12, unique=True))
def test_every_option_is_a_button_or_a_number(labels: list[str]) -> None:
    options = tuple(Option(label=label, value=label * 3) for label in labels)
    (call,) = writing.calls(Outbound(address=HERE, text="选一个", options=options), LABELS)
    markup = call.arguments.get("reply_markup")
    buttons = [button for row in markup.inline_keyboard for button in row] if markup else []
    assert all(1 <= len(str(button.callback_data).encode()) <= 64 for button in buttons)
    shown = {button.text for button in buttons} | {
        line.partition(". ")[2] for line in call.arguments["text"].splitlines()[1:]
    }
    assert shown == set(labels)


def test_the_buttons_stand_under_the_last_piece_and_the_name_before_the_first() -> None:
    message = Outbound(
        address=ROOM,
        text="甲" * 4000 + "\n\n" + "乙" * 3000,
        options=(Option(label="好", value="好"),),
        mention=Mention(sender="42", name="林一帆"),
    )
    first, last = writing.calls(message, LABELS)
    assert first.arguments["text"].startswith("林一帆 甲")
    assert units(first.arguments["text"]) <= writing.LONGEST
    assert first.arguments["entities"][0].user.id == 42
    assert (first.arguments["chat_id"], first.arguments["message_thread_id"]) == (-7, 3)
    assert "reply_markup" not in first.arguments
    assert last.arguments["reply_markup"].inline_keyboard[0][0].text == "好"
