"""What leaves the house: nothing that tells of a person, a private matter or politics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.llm.leaving import Leaving
from tests.llm.conftest import Ground

PERSONAL = [
    "我是文学院张伟",
    "李建国住院了工会能去看看吗",
    "林一帆报上了没有",
    "阿不都也想参加",
    "帮王小明问一下篮球队还缺人不",
    "王老师说可以替我领",
    "小李让我来问的",
    "老赵的福利谁领了",
    "找一下陈主任",
    "何医生在不在",
    "欧阳娜娜能报吗",
    "我叫古丽",
    "我姓宋",
    "我的手机是13800000001",
    "电话 138 0000 0001",
    "电话１３８００００００００",
    "幺三八零零零零零零零幺",
    "一三八零零零零零零零一",
    "工号20180312",
    "二零一八零三一二",
    "身份证320301199001011234",
    "卡号6222 0202 0000 1111",
    "车牌苏C12345",
    "我家门牌三零二",
    "加我wx nan_hu88",
    "微信号是nanhu",
    "邮箱zhang@cumt.edu.cn",
    "QQ12345678",
    "我是zhangwei",
    "看 http://a.b/c",
    "报2个人",
    "張偉老師要報名",
    "𝟏𝟑𝟖𝟎𝟎𝟎𝟎𝟎𝟎𝟎𝟏",
    "①③⑧⓪⓪⓪⓪⓪⓪⓪①",
]
PRIVATE = [
    "想约个心理咨询",
    "最近老是失眠",
    "家里困难能申请补助吗",
    "得病了有没有慰问",
    "我离婚了",
    "想参加单身联谊",
    "爱人去世了怎么办",
    "情绪不太好想找人说说",
    "心里很抑郁",
    "我不想活了",
    "怀孕了能不能不参加",
    "抑鬱了怎麼辦",
]
POLITICAL = [
    "学习贯彻会议精神的通知呢",
    "党支部活动报名",
    "书记讲话在哪看",
    "我要举报",
    "换届选举怎么投票",
    "想信访",
    "工會主席是誰",
    "两会精神宣讲",
]
FINE = [
    "想找个地方练练瑜伽",
    "有没有羽毛球的活动",
    "工会会员证怎么办",
    "生孩子工会有慰问吗",
    "那二胎呢",
    "请问各位老师食堂几点开",
    "活动结束有没有纪念品",
    "想学摄影",
    "给单位提个建议行不行",
    "请问老师怎么入会",
]


@pytest.mark.parametrize("text", [*PERSONAL, *PRIVATE, *POLITICAL])
async def test_what_must_not_leave_is_never_sent(ground: Ground, text: str) -> None:
    ground.server.says({"intent": "join_club", "answer": "会员可以参加[1]。"})
    assert await ground.model.propose(text, {"join_club": "加入社团"}) is None
    assert ground.server.heard == []


@pytest.mark.parametrize("text", FINE)
def test_what_anybody_may_read_is_sent(leaving: Leaving, text: str) -> None:
    assert leaving.allows(text)


@given(st.text(max_size=60), st.sampled_from(PERSONAL), st.text(max_size=60))
def test_nothing_around_it_lets_a_number_out(leaving: Leaving, before: str, personal: str, after: str) -> None:
    if any(map(str.isdecimal, personal)):
        assert not leaving.allows(f"{before}{personal}{after}")


@given(st.text(max_size=300))
def test_whatever_is_allowed_is_short_and_holds_no_digit(leaving: Leaving, text: str) -> None:
    if leaving.allows(text):
        assert len(text.strip()) <= 300
        assert not any(map(str.isdigit, text))
