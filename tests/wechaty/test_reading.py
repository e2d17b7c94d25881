"""What a message of WeChat is to the assistant; when the bridge tries again; which group is which. Nothing runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wechaty.pace import CONNECT, pause
from bot.channels.wechaty.reading import left, plain, said, silent, without_mention
from bot.channels.wechaty.remote import is_public
from bot.channels.wechaty.rooms import moved
from bot.channels.wechaty.seen import Contact, Event, Message, Room
from bot.channels.wechaty.writing import LONGEST, job_of
from bot.messages import Address, Card, File, Mention, Option, Outbound
from bot.wire import HAPPENING

ME, NAMES = "bot", frozenset({"小助手", "文学院小助手"})


def _message(text: str = "您好", **more: object) -> Message:
    return Message(**{"id": "m-1", "type": 7, "talker": "alice", "listener": ME, "text": text, **more})  # type: ignore[arg-type]


# --- when to try again


@given(st.integers(-5, 10_000), st.floats(-1, 2))
def test_the_gateway_is_found_again_within_fifteen_seconds_of_its_return(tries: int, chance: float) -> None:
    """It may come back right after a try that led nowhere: a pause, and one try that fails slowly, before the next."""
    assert 0 < pause(tries, chance) <= 6
    assert pause(tries, chance) + CONNECT < 15


@given(st.integers(0, 50), st.floats(0, 1))
def test_pauses_grow(tries: int, chance: float) -> None:
    assert pause(tries, chance) <= pause(tries + 1, chance)


def test_many_do_not_come_back_together() -> None:
    found = [pause(5, chance / 10) for chance in range(11)]
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (3, 6)


# --- mentions


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("@小助手\u2005下周三约咨询", "下周三约咨询"),
        ("下周三约咨询 @小助手", "下周三约咨询"),
        ("@小助手", ""),
        ("@文学院小助手\u2005你好", "你好"),
        ("@老王\u2005@小助手\u2005你好", "@老王\u2005 你好"),
    ],
)
def test_a_mention_is_not_part_of_what_is_said(text: str, rest: str) -> None:
    assert without_mention(text, NAMES) == (rest, True)


@pytest.mark.parametrize("text", ["小助手你好", "@小助手们好", "@老王\u2005你好", "me@小助手.cn", ""])
def test_what_is_no_mention(text: str) -> None:
    assert without_mention(text, NAMES) == (text, False)


@given(st.text(), st.frozensets(st.text(max_size=5), max_size=3))
def test_any_text_and_any_name_can_be_looked_at(text: str, names: frozenset[str]) -> None:
    rest, named = without_mention(text, names)
    assert named or rest == text


# --- messages


def test_a_message_in_private() -> None:
    found = said(_message(), ME, frozenset(), Contact(name="林一帆"))
    assert (found.conversation, found.chat, found.sender, found.name) == ("alice", "private", "alice", "林一帆")
    assert (found.text, found.mentioned, found.from_bot, found.unread) == ("您好", False, False, None)


def test_a_message_in_a_group() -> None:
    found = said(_message("@小助手\u2005您好", room="r@chatroom"), ME, NAMES, Contact())
    assert (found.conversation, found.chat, found.text, found.mentioned) == ("r@chatroom", "group", "您好", True)
    assert said(_message(room="r@chatroom", mentions=(ME,)), ME, frozenset(), Contact()).mentioned
    assert not said(_message(room="r@chatroom", mentions=("bob",)), ME, NAMES, Contact()).mentioned


def test_who_is_no_person() -> None:
    assert said(_message(talker=ME, listener="alice"), ME, frozenset(), Contact()).from_bot
    assert said(_message(talker=ME, listener="alice"), ME, frozenset(), Contact()).conversation == "alice"
    assert said(_message(), ME, frozenset(), Contact(person=False)).from_bot


@pytest.mark.parametrize(
    ("kind", "unread"),
    [
        (2, "voice"),
        (5, "sticker"),
        (11, "money"),
        (12, "money"),
        (9, "link"),
        (14, "link"),
        (99, "other"),
        (-1, "other"),
    ],
)
def test_kinds_that_cannot_be_read(kind: int, unread: str) -> None:
    found = said(_message("<xml>隐私</xml>", type=kind), ME, frozenset(), Contact())
    assert (found.unread, found.text) == (unread, "")


@pytest.mark.parametrize(("kind", "name"), [(1, "file"), (6, "picture")])
def test_files(kind: int, name: str) -> None:
    found = said(_message("", type=kind, filename="证明\x00.pdf"), ME, frozenset(), Contact())
    assert found.file is not None
    assert (found.file.kind, found.file.name, found.unread) == (name, "证明.pdf", None)


NOTE = "老王开启了朋友验证，你还不是他（她）朋友。请先发送朋友验证请求，对方验证通过后，才能聊天。"


def test_only_wechat_itself_can_tell_that_somebody_has_gone() -> None:
    assert left(_message(NOTE, type=0), ME).sender == "alice"  # type: ignore[union-attr]
    assert left(_message(NOTE, type=0, talker=ME, listener="alice"), ME).sender == "alice"  # type: ignore[union-attr]
    assert left(_message(NOTE), ME) is None
    assert left(_message(NOTE, type=0, room="r@chatroom"), ME) is None
    assert left(_message("以上是打招呼的内容", type=0), ME) is None
    assert silent(_message("以上是打招呼的内容", type=0))


_ANY = st.text(max_size=300)


@given(st.builds(Message, id=_ANY, type=st.integers(), talker=_ANY, listener=_ANY, room=_ANY, text=_ANY, filename=_ANY))
def test_whatever_a_gateway_tells_is_taken_or_refused(message: Message) -> None:
    if silent(message):
        return
    try:
        found = said(message, ME, NAMES, Contact(name=message.text))
    except ValueError:
        return  # counted as nonsense
    assert HAPPENING.validate_json(found.model_dump_json()) == found


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.lists(st.none() | st.text())))
def test_an_event_may_hold_anything(data: dict[str, object]) -> None:
    event = Event(kind="message", data=data)
    for name in (*data, "messageId"):
        assert isinstance(event.text(name), str)
        assert all(isinstance(each, str) for each in event.texts(name))


@given(st.text())
def test_names_are_plain(name: str) -> None:
    assert plain(name).isprintable() or not any(ord(character) < 32 for character in plain(name))
    assert len(plain(name)) <= 60


# --- groups


def _room(title: str, *members: str) -> Room:
    return Room(title=title, members=members)


def test_a_group_with_a_new_id_is_the_one_of_the_same_title() -> None:
    assert moved({"a": _room("甲"), "b": _room("乙")}, {"c": _room("甲"), "b": _room("乙")}) == {"a": "c"}


def test_of_several_it_is_the_one_with_the_same_people() -> None:
    before = {"a": _room("群聊", "x", "y"), "b": _room("群聊", "u", "v")}
    now = {"c": _room("群聊", "u", "v", "w"), "d": _room("群聊", "x", "y")}
    assert moved(before, now) == {"a": "d", "b": "c"}


def test_where_it_is_not_plain_nothing_is_moved() -> None:
    assert moved({"a": _room("群聊", "x")}, {"c": _room("群聊", "x"), "d": _room("群聊", "x")}) == {}
    assert moved({"a": _room("群聊"), "b": _room("群聊")}, {"c": _room("群聊")}) == {}
    assert moved({"a": _room("")}, {"c": _room("")}) == {}
    assert moved({"a": _room("甲")}, {"c": _room("乙")}) == {}


_ROOMS = st.dictionaries(
    st.sampled_from("abcdef"), st.builds(_room, st.sampled_from(["甲", "乙", ""]), st.sampled_from("xyz"))
)


@given(_ROOMS, _ROOMS)
def test_two_groups_never_become_one(before: dict[str, Room], now: dict[str, Room]) -> None:
    found = moved(before, now)
    assert len(set(found.values())) == len(found)
    assert not set(found) & set(now)
    assert not set(found.values()) & set(before)


# --- addresses of files


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fe80::1%eth0"])
def test_addresses_inside_the_house(address: str) -> None:
    assert not is_public(address)


def test_addresses_of_the_open_net() -> None:
    assert is_public("203.119.25.1")


# --- what is sent


def _outbound(text: str = "好的", **more: object) -> Outbound:
    address = Address(channel="wechaty", conversation="alice")
    return Outbound(address=address, text=text, id=7, **more)  # type: ignore[arg-type]


def _no_calendar(_token: str) -> str:
    return ""


def test_options_are_numbered_below_everything_else() -> None:
    options = (Option(label="好的", value="y"), Option(label="算了", value="n"))
    job = job_of(_outbound("选哪个？", options=options, link="https://x.example"), _no_calendar)
    assert job.texts == ("选哪个？\nhttps://x.example\n1. 好的\n2. 算了",)


def test_a_card_is_rows_and_a_calendar() -> None:
    card = Card(title="预约", rows=(("时间", "周三14:00"), ("地点", "南湖")), token="t")
    job = job_of(_outbound("约好了：周三14:00", card=card), lambda token: f"日历 {token}")
    assert job.texts == ("约好了：周三14:00\n\n地点：南湖\n日历 t",)


def test_a_row_that_is_handed_over_again_is_the_same_job() -> None:
    file = File(id="f" * 32, name="a.pdf", kind="document")
    first, again = (job_of(_outbound(files=(file,)), _no_calendar) for _ in range(2))
    assert first.key == again.key
    assert first.key != job_of(_outbound(), _no_calendar).key
    assert first.key != job_of(_outbound("别的"), _no_calendar).key


@given(st.text(min_size=1, max_size=6_000))
def test_a_long_text_loses_nothing(text: str) -> None:
    job = job_of(_outbound(text, mention=Mention(sender="alice")), _no_calendar)
    assert all(len(part.encode("utf-16-le", "surrogatepass")) // 2 <= LONGEST for part in job.texts)
    assert "".join("".join(job.texts).split()) == "".join(text.split())
