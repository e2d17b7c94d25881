"""What holds for any text and any moment."""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu import times
from nlu.times.festivals import LUNAR, SOLAR, TERMS, festival, lunar_to_solar
from nlu.times.folding import fold, number

ZONE = ZoneInfo("Asia/Shanghai")
NUMERALS = "零一二三四五六七八九"


def words(text: str) -> list[str]:
    return text.split()


PIECES = words(
    """
    今天 明天 后天 大 上 下 下下 个 这 本 周 星期 礼拜 拜 一 二 三 四 五 六 日 天 末
    月 年 号 点 半 刻 分 差 钟 整 时 上午 下午 晚上 凌晨 早 晚 1 2 3 12 25 30
    31 60 2026 : - / . ~ 到 至 和 或 、 ， （ ） 的 后 前 内 之 小时 天后
    半小时后 元旦 春节 腊月 初 廿 十 第 每 农历 明年 国庆 前一天 上旬 底 pm am 楼 线
    建议 人 一点 来钟 左右 有 🙂 T 你好
    """
)
nows = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 hypothesis wants its bounds without the zone that it adds
    max_value=datetime(2090, 12, 31),  # noqa: DTZ001
    timezones=st.just(ZONE),
)
# The first message compiles the patterns and loads the almanac.
unhurried = settings(deadline=None)
wild = st.text(max_size=60) | st.lists(st.sampled_from([*PIECES, " ", "\n"]), max_size=14).map("".join)


@unhurried
@given(wild, nows)
def test_mentions_are_pieces_of_the_text_in_order(text: str, now: datetime) -> None:
    position = 0
    for mention in times.parse(text, now):
        assert mention.offset >= position
        assert mention.text == text[mention.offset : mention.offset + len(mention.text)]
        assert mention.text
        position = mention.offset + len(mention.text)
        assert mention.start.utcoffset() == mention.end.utcoffset() == timedelta(hours=8)
        if mention.kind == "point":
            assert mention.start == mention.end
        else:
            assert mention.start < mention.end
    for piece in times.impossible(text, now):
        assert piece
        assert piece in text


@unhurried
@given(wild)
def test_folding_keeps_every_code_point_in_its_place(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


@unhurried
@given(st.integers(min_value=0, max_value=99))
def test_numerals_read_as_their_digits(value: int) -> None:
    assert number(numeral(value)) == number(str(value)) == value


FORWARD = words(
    """
    今天 明天 后天 周一 周三 周日 星期五 3号 15号 31号 12/10 3月5日 12月上旬 月底
    上旬 元旦 春节 清明 国庆 中秋 腊八 八点 三点半 下午 晚上 上午 14:30 凌晨两点 下周三
    下周 下个月 下个月底 三天后 一周后 半小时后 下午两点到四点 周一到周五 3号到5号 三八节 除夕
    """
)


@unhurried
@given(st.sampled_from(FORWARD), nows)
def test_what_looks_forward_never_begins_before_today(text: str, now: datetime) -> None:
    for mention in times.parse(text, now):
        # 月底 and 上旬 may have begun; what has begun is not over.
        assert mention.end > now or mention.start >= now.replace(hour=0, minute=0, second=0, microsecond=0)
        if text not in {"月底", "上旬", "12月上旬"}:
            assert mention.start >= now.replace(hour=0, minute=0, second=0, microsecond=0)


@unhurried
@given(
    st.sampled_from(["八点", "三点半", "14:30", "上午十点", "晚上7点", "凌晨两点", "十二点", "下午两点到四点"]), nows
)
def test_an_hour_with_no_day_is_the_next_such_hour(text: str, now: datetime) -> None:
    (mention,) = times.parse(text, now)
    assert now <= mention.start < now + timedelta(days=1)
    assert not mention.day_named


# --- what is written in many ways reads back as it was


def numeral(value: int) -> str:
    if value < 10:
        return NUMERALS[value]
    tens, ones = divmod(value, 10)
    return ("" if tens == 1 else NUMERALS[tens]) + "十" + (NUMERALS[ones] if ones else "")


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isdecimal() else c for c in text)


def day_phrases(day: date, today: date) -> list[str]:
    """Ways to name a day from today on that leave no doubt."""
    words = [
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}-{day.month:02d}-{day.day:02d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year} 年 {day.month} 月 {day.day} 号",
        f"{day.year}年{numeral(day.month)}月{numeral(day.day)}号",
    ]
    away = (day - today).days
    if away < 365 and (day.month, day.day) != (2, 29):
        words += [f"{day.month}月{day.day}日", f"{numeral(day.month)}月{numeral(day.day)}日", f"{day.month}/{day.day}"]
        words += [
            f"{day.month}月{day.day}日（周{'一二三四五六日'[day.weekday()]}）",
            full_width(f"{day.month}月{day.day}号"),
        ]
    if away < 28:
        words.append(f"{day.day}号")
    if away < 4:
        words.append(["今天", "明天", "后天", "大后天"][away])
    if 0 < away < 100:
        words += [f"{away}天后", f"{numeral(away)}天以后"]
    if away < 7:
        words += [
            f"周{'一二三四五六日'[day.weekday()]}",
            f"礼拜{'一二三四五六天'[day.weekday()]}",
            f"星期{'一二三四五六天'[day.weekday()]}",
        ]
    weeks = ((day - timedelta(days=day.weekday())) - (today - timedelta(days=today.weekday()))).days // 7
    if weeks < 3:
        week = ["这", "下", "下下"][weeks]
        words += [
            f"{week}周{'一二三四五六日'[day.weekday()]}",
            f"{week}个星期{day.weekday() + 1}" if day.weekday() < 6 else f"{week}周天",
        ]
    return words


def clock_phrases(hour: int, minute: int) -> list[str]:
    """Ways to name a minute of the day that leave no doubt."""
    words = [f"{hour:02d}:{minute:02d}", f"{hour:02d}：{minute:02d}"] if hour else []
    part = next(name for name, until in [("凌晨", 6), ("上午", 12), ("下午", 18), ("晚上", 24)] if hour < until)
    shown = hour if part in {"凌晨", "上午"} else (hour - 12 or 12)
    tail = {0: ["", "整", "钟"], 15: ["一刻", "15分"], 30: ["半", "30"], 45: ["三刻", "四十五"]}.get(
        minute, [f"{minute}分"]
    )
    if minute >= 10:
        tail.append(numeral(minute))
    words += [f"{part}{shown}点{end}" for end in tail]
    words += [f"{part}{numeral(shown)}點{end}" for end in tail]
    words += [f"{part} {shown} 点 {end}".strip() for end in tail if end not in {"整", "钟"}]
    if hour > 12 or hour >= 7:
        words += [f"{hour}点{end}" for end in tail]
    return words


class Said(NamedTuple):
    text: str
    start: datetime
    end: datetime


PARTS = {"凌晨": (0, 6), "上午": (6, 12), "中午": (11, 13), "下午": (12, 18), "傍晚": (17, 19), "晚上": (18, 24)}


@st.composite
def said(draw: st.DrawFn) -> tuple[Said, datetime]:
    now = draw(nows)
    day = now.date() + timedelta(days=draw(st.integers(0, 30) | st.integers(0, 700)))
    begin = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    words = draw(st.sampled_from(day_phrases(day, now.date())))
    match draw(st.sampled_from(["day", "part", "hour", "hours"])):
        case "part":
            part, (first, last) = draw(st.sampled_from(sorted(PARTS.items())))
            return Said(words + part, begin + timedelta(hours=first), begin + timedelta(hours=last)), now
        case "hour":
            hour, minute = draw(st.integers(0, 23)), draw(st.sampled_from([0, 5, 10, 15, 20, 30, 45, 50]))
            at = begin + timedelta(hours=hour, minutes=minute)
            between = draw(st.sampled_from(["", " ", "的", "，"]))
            clock = draw(st.sampled_from(clock_phrases(hour, minute)))
            if between in {"", "的"} and words[-1].isascii() and clock[0].isascii():
                between = " "
            return Said(words + between + clock, at, at), now
        case "hours":
            first, hours = draw(st.integers(7, 20)), draw(st.integers(1, 3))
            to = draw(st.sampled_from(["到", "至", "-", "~", " — ", "——"]))
            last = first + hours
            text = f"{words} {first}:00{to}{last}:30"
            return Said(text, begin + timedelta(hours=first), begin + timedelta(hours=last, minutes=30)), now
        case _:
            return Said(words, begin, begin + timedelta(days=1)), now


@unhurried
@given(said(), st.sampled_from(["", "我想约", "能不能改到", "那就"]), st.sampled_from(["", "可以吗", "。", "吧"]))
def test_what_is_written_reads_back(case: tuple[Said, datetime], before: str, after: str) -> None:
    told, now = case
    found = times.parse(before + told.text + after, now)
    assert [(mention.start, mention.end) for mention in found] == [(told.start, told.end)], told.text
    assert found[0].text == told.text


@unhurried
@given(st.integers(1, 11), st.integers(1, 11), st.sampled_from(["上午", "下午"]), nows)
def test_the_second_hour_of_a_range_is_the_next_that_shows_so(
    first: int, second: int, part: str, now: datetime
) -> None:
    (mention,) = times.parse(f"明天{part}{first}点到{second}点", now)
    length = mention.end - mention.start
    assert timedelta(0) < length <= timedelta(hours=12)
    assert mention.start.hour % 12 == first
    assert mention.end.hour % 12 == second


@unhurried
@given(st.integers(1950, 2090), st.integers(1, 12), st.integers(1, 29))
def test_lunar_days_lie_in_their_season(year: int, month: int, day: int) -> None:
    found = lunar_to_solar(year, month, day)
    assert found is not None
    # A lunar year begins between 21 January and 20 February and holds at most 13 months.
    assert date(year, 1, 21) <= found <= date(year + 1, 2, 20)


@pytest.mark.parametrize(
    ("year", "spring", "mid_autumn"),
    [
        (2024, date(2024, 2, 10), date(2024, 9, 17)),
        (2025, date(2025, 1, 29), date(2025, 10, 6)),  # with a leap sixth month before it
        (2026, date(2026, 2, 17), date(2026, 9, 25)),
        (2033, date(2033, 1, 31), date(2033, 9, 8)),  # the year whose leap month calendars got wrong
    ],
)
def test_lunar_days_agree_with_the_almanac(year: int, spring: date, mid_autumn: date) -> None:
    assert lunar_to_solar(year, 1, 1) == spring
    assert lunar_to_solar(year, 8, 15) == mid_autumn


@unhurried
@given(st.sampled_from(sorted({*SOLAR, *LUNAR, *TERMS, "除夕", "母亲"})), st.dates(date(1950, 1, 1), date(2090, 1, 1)))
def test_a_festival_is_the_next_one(name: str, today: date) -> None:
    first, last = festival(name)(today, today)
    assert first == last
    # A lunar year may be 384 days long.
    assert today <= first <= today + timedelta(days=390)


LONG = 10_000


@pytest.mark.parametrize(
    "piece",
    [
        *words("一 1 周 下 下周 周三 三点 3: 12/ 12- 1. 到 的 （ 第 每周 农历 二〇 2026年 初 差五分 一个半"),
        *words("星期日到 十 月 前一天 半 周三到 九点- 啊 𠀀 早 国庆 前天 1-"),
        " ",
    ],
)
def test_a_long_message_is_read_to_its_end(piece: str) -> None:
    now = datetime(2026, 11, 25, 10, 0, tzinfo=ZONE)
    text = (piece * LONG)[:LONG] + "，下周五下午三点"
    found = times.parse(text, now)
    assert found[-1].start == datetime(2026, 12, 4, 15, 0, tzinfo=ZONE)
