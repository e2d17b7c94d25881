"""Rules for the names of persons: a surname and a given name, and a cue that it is one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlu.entities.hits import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CHINESE = re.compile("[\u4e00-\u9fff]")
_SURNAMES = frozenset(
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏"
    "钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪"
    "严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦柳邢路岳齐梅莫庄辛管祝左涂谷祁舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲鲍游裴霍翁隋植"
    "甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边瞿蓝司屈冀尚阳佟岑骆臧晏仇栾芮丘宫闫满冷卫邬竺缪桑郁储荣刁窦仲"
)
_COMPOUND = frozenset(
    ("欧阳", "司马", "上官", "诸葛", "皇甫", "尉迟", "公孙", "令狐", "慕容", "司徒", "夏侯", "端木", "南宫", "东方")
)
# Never part of a name, and seldom part of one.
_NEVER = frozenset("的了吗呢吧啊呀哦嘛是我你您他她它这那哪谁么")
_SELDOM = frozenset(
    "在和跟与或想要请有没不也就都还能会可以把被给对从到为因所帮约报绑查问说去来做怎几个位名人员工老师院系部处室馆校课班级号岁副"
)
# Words that begin like a name.
_NO_NAMES = frozenset(
    re.findall(
        "..",
        "高级高校高中高兴高数文学文化文体任课任职任教管理管弦程序单身单位常委常务常年常常金融金牌安全安徽"
        "马上方便白天江苏江西徐州宁夏温馨康复关于关心解决强烈包括华东路上武汉易懂申请申报边上荣誉景区司机"
        "万一时间万分毕业游泳项目章程严重路线左右曾经施工盛大阳光季度童心车队房间满意冷静卫生储备齐全辛苦"
        "安排安装安静安心方案方式方法方面文件文章文明温暖温度高度高效高温高铁高层钱包黄金白色白领金额金点"
        "马拉牛奶陆续施行严格严肃严禁费用康健简单简历简介平安平台平时单独单人段位段落钟头常规常见常用常态"
        "武术武警易于路费路程路过齐心祝福祝贺左边左侧关联关注关系关闭关怀关爱关键包含包装包子包容边缘边界"
        "解释解答解除强制强调强度强化华人华为尚未阳台阳性满足满分冷门郁闷申诉申明尤其毕竟柳州邢台路由岳父"
        "岳母梅花莫名庄重管道管控凌晨纪律纪念纪检童年项链曲目曲线游戏游玩游客洪水宁静宁可房子房屋房租房价"
        "荣幸储蓄刁难高龄高等高职高端温和颜色水平时长常州苏州杭州万能成为成功成立成果成绩汤圆石头毛衣毛病"
        "江南江北汪汪习惯柏林党委党员党支",
    )
)
_CUE = re.compile(
    r"(?P<weak>我是)|(?:(?:我|他|她|名|名字|叫)叫|叫做|本人|(?:我的)?(?:姓名|名字)|联系人|报名人|参赛人|参加人|队员|队长|领队|成员|名单|代领人|申请人"
    r"|推荐人|附议人|提案人|同事)(?:是|为|叫|有)?[:： ]{0,3}"
)
_NEXT = re.compile(r" {0,2}[、,，;；/和与及 ] {0,2}")
_TITLE = re.compile(r"老师|教授|主任|书记|院长|处长|部长|馆长|同志|医生|女士|先生")
_RUN_RIGHT = re.compile(r"[ ,，、:：]{0,3}([\u4e00-\u9fff]{2,4})(?=$|[^\u4e00-\u9fff])")
_RUN_LEFT = re.compile(
    r"(?:^|[^\u4e00-\u9fff])([\u4e00-\u9fff]{2,4}?)(?:[ ,，、:：]{0,3}(?:工号|职工号|电话|手机号?)(?:是|为)?)?"
    r"[ ,，、:：]{0,3}$"
)


def _is_name(text: str, *, strict: bool) -> bool:
    """Whether a whole text is a surname and a given name of one or two characters."""
    surname = 2 if text[:2] in _COMPOUND and len(text) > 2 else 1
    given = text[surname:]
    if not 1 <= len(given) <= 2 or text[:2] in _NO_NAMES or (surname == 1 and text[0] not in _SURNAMES):
        return False
    return not any(c in _NEVER or (strict and c in _SELDOM) or not _CHINESE.match(c) for c in given)


def _name_end(text: str, at: int, stops: frozenset[int], *, weak: bool) -> int | None:
    """Where the name that begins at `at` ends; None where there is none."""
    end = at
    while end < len(text) and end - at < 5 and _CHINESE.match(text[end]) and not (end > at and end in stops):
        title = _TITLE.match(text, end)
        if title is not None and end > at:
            break
        end += 1
    if not weak and _is_name(text[at:end], strict=False):
        return end
    for length in (4, 3, 2):
        stop = at + length
        if stop <= end and _is_name(text[at:stop], strict=True):
            return stop if not weak or stop == end else None
    return None


def persons(text: str, hits: Sequence[Hit]) -> Iterator[Hit]:
    """Yield the names after a cue (我叫, 队员：), before a title (陈静老师), or beside a staff or telephone number.

    Args:
        text: the folded text.
        hits: what was found before: no name runs into one, and numbers are cues.

    Yields:
        Hits with no value: a name is as it was written.

    """
    stops = frozenset(hit.start for hit in hits if hit.name not in {"person", "any"})
    for cue in _CUE.finditer(text):
        at: int | None = cue.end()
        while at is not None:
            end = _name_end(text, at, stops, weak=bool(cue["weak"]))
            if end is None:
                break
            yield Hit("person", "", at, end)
            following = None if cue["weak"] else _NEXT.match(text, end)
            at = None if following is None else following.end()
    for title in _TITLE.finditer(text):
        for length in (4, 3, 2):
            start = title.start() - length
            if start >= 0 and _is_name(text[start : title.start()], strict=True):
                yield Hit("person", "", start, title.start())
                break
    for hit in hits:
        if hit.name in {"staff_id", "phone"}:
            yield from _beside(text, hit)


def _beside(text: str, hit: Hit) -> Iterator[Hit]:
    """孙悦，20210107 and 20210107 孙悦."""
    right = _RUN_RIGHT.match(text, hit.end)
    left = _RUN_LEFT.search(text[max(0, hit.start - 16) : hit.start])
    if right is not None and _is_name(right[1], strict=True):
        yield Hit("person", "", right.start(1), right.end(1))
    elif left is not None and _is_name(left[1], strict=True):
        offset = max(0, hit.start - 16)
        yield Hit("person", "", offset + left.start(1), offset + left.end(1))
