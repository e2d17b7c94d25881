"""A stolen database: the bytes of its file and of its log give nothing away that was told in confidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cases.doing import CHEN, LIN, SECRET, ZHANG, ZHOU, aid, do, move, photo

if TYPE_CHECKING:
    from tests.conftest import World

#: What was told in confidence, in conversations, forms, words of officers, names of files.
_WORDS = (
    "甲状腺结节",
    "房子被水淹",
    "股骨颈骨折",
    "急用三千",
    "核实过病历",
    "按二档给",
    "请补一张清单",
    "清单补上了",
    "只有办理人看的话",
    "化疗通知单",
    "出院小结",
    "最近失眠得厉害",
    "王芳",
    "13912345678",
    "孩子确诊白血病",
    "张建国骨折的事",
)


async def _counselling(world: World) -> None:
    for text in ("下周三下午三点想约心理咨询", "何医生", "线上", "同意", "王芳 13912345678"):
        await world.say(text, who=LIN)
    await world.say("我想留言", who=LIN)
    await world.say("最近失眠得厉害", who=LIN)
    await world.say("确认", who=LIN)


async def _aid(world: World) -> None:
    number = await aid(world, ZHANG)
    await do(world, CHEN, "cases.look", case_id=number)
    await move(world, CHEN, number, "ask_more", "请补一张清单")
    await move(world, ZHANG, number, "supplement", "清单补上了")
    await move(world, CHEN, number, "verify", "核实过病历")
    await do(world, ZHOU, "cases.comment", case_id=number, reason="只有办理人看的话")
    await move(world, ZHOU, number, "grant", "按二档给")


async def _others(world: World) -> None:
    flooded = {"kind": "意外事故", "situation": "房子被水淹"}
    papers = {"papers": [await photo(world, ZHANG, "化疗通知单.jpg")]}
    given = {"service": "temporary_aid", "confidential": flooded, "fields": {"urgency": "急用", **papers}}
    urgent = await do(world, ZHANG, "cases.submit", **given, consent=True)
    await move(world, ZHOU, urgent.data["case_id"], "grant_now", "急用三千")
    # A program may not know which answers are confidential.
    proof = [await photo(world, LIN, "出院小结.jpg")]
    fields = {"kind": "住院", "whom": "替同事", "person": "张建国骨折的事", "note": "股骨颈骨折", "proof": proof}
    await do(world, LIN, "cases.submit", service="condolence", fields=fields)


async def _half_a_form(world: World) -> None:
    for text in ("我想申请爱心扶助金", "同意", "家人患病", "孩子确诊白血病，正在住院"):
        await world.say(text, who=CHEN)


async def test_the_bytes_of_a_stolen_database_give_nothing_away(world: World) -> None:
    await _counselling(world)
    await _aid(world)
    await _others(world)
    await _half_a_form(world)
    await do(world, LIN, "cases.submit", service="suggestion", fields={"content": "食堂添一个微波炉"})
    stolen = b"".join(file.read_bytes() for file in sorted(world.app.settings.var_dir.glob("*.db*")))
    assert _said("食堂添一个微波炉", stolen), "what nobody keeps secret is found, as it has to be"
    assert [word for word in (*_WORDS, *SECRET.values()) if _said(word, stolen)] == []


async def test_all_of_it_was_there(world: World) -> None:
    """What is looked for was told indeed: whoever has the key reads it."""
    await _counselling(world)
    await _aid(world)
    await _others(world)
    async with world.unit_of_work() as context:
        kept = [shot.fields for each in context.records for shot in await each.snapshots(context)]
    told = json.dumps([dict(fields) for fields in kept], ensure_ascii=False, default=str)
    assert [
        word for word in ("甲状腺结节", "房子被水淹", "股骨颈骨折", "按二档给", "急用三千") if word not in told
    ] == []
    assert "最近失眠得厉害" in told


def _said(word: str, raw: bytes) -> bool:
    """Whether bytes hold a word in any of the ways in which text is written there."""
    return any(form in raw for form in (word.encode(), word.encode("utf-16-le"), json.dumps(word)[1:-1].encode()))
