"""No personal data in what officers read of a question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.knowledge.masking import masked, matter


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("我的手机是13812345678，什么时候通知", "我的手机是〔号码〕，什么时候通知"),
        ("138 1234 5678打不通吗", "〔号码〕打不通吗"),
        ("工号20180312能领福利吗", "工号〔号码〕能领福利吗"),
        ("身份证320311199001011234怎么填", "身份证〔号码〕怎么填"),
        ("身份证32031119900101123X怎么填", "身份证〔号码〕怎么填"),
        ("座机0516-83590000没人接", "座机〔号码〕没人接"),
        ("１３８１２３４５６７８能换吗", "〔号码〕能换吗"),
        ("发到zhang.san@cumt.edu.cn行吗", "发到〔邮箱〕行吗"),
        ("微信号是zhangsan_88，加我", "微信号是〔号码〕，加我"),
        ("苏C12345能停吗", "〔车牌〕能停吗"),
        ("住在12号楼3单元501室能送到吗", "住在〔地址〕能送到吗"),
        ("张建国老师说可以报两项", "〔姓名〕老师说可以报两项"),
        ("我叫李小红，能报名吗", "我叫〔姓名〕，能报名吗"),
        ("高级老师能报吗", "高级老师能报吗"),
        ("2025年交5‰的会费，32号文怎么说", "2025年交5‰的会费，32号文怎么说"),
        ("98天产假、100米跑、4×100接力", "98天产假、100米跑、4×100接力"),
    ],
)
def test_what_names_somebody_is_taken_out(text: str, told: str) -> None:
    assert masked(text) == told


def test_names_that_are_known_are_taken_out_wherever_they_stand() -> None:
    assert masked("林一帆和林一的奖品呢", ["林一", "林一帆"]) == "〔姓名〕和〔姓名〕的奖品呢"


def test_a_surname_alone_is_no_name() -> None:
    assert masked("高的那个", ["高"]) == "高的那个"


def test_the_matter_is_what_is_left_of_a_question() -> None:
    assert matter("我是〔姓名〕，电话〔号码〕，社团会费能退吗") == "社团会费能退吗"
    assert matter("〔姓名〕的奖品呢") == "〔姓名〕的奖品呢"


@given(
    st.text(alphabet="报名在哪，。 ", max_size=10),
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.text(alphabet="报名在哪，。 ", max_size=10),
)
def test_no_telephone_number_is_left(before: str, phone: str, after: str) -> None:
    assert phone not in masked(f"{before}{phone}{after}")
