"""What is said is never lost and never shown twice: other tabs, a page loaded anew, a server that dies."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP

pytestmark = pytest.mark.peer

#: What the browser itself writes when nobody answers.
GONE = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE"]


def once(texts: list[str]) -> None:
    """Nothing that the assistant or the member said stands there twice."""
    assert [text for text in texts if texts.count(text) > 1] == []


def test_a_server_that_dies_loses_nothing_and_repeats_nothing(house, visitors):
    visit = visitors(viewport=DESKTOP, bypass_csp=True).open(house.url, "陈静")
    visit.expected += GONE
    visit.say("大后天晚上想订放松减压室")
    visit.fill_in("确认", {"几个人": "2个人"})

    house.kill()
    expect(visit.page.locator("#state")).to_contain_text("正在重新连接")
    visit.last.locator(".options button", has_text="确认").click()
    expect(visit.page.locator(".typing")).to_be_visible()
    visit.is_usable()
    visit.picture("reconnecting")
    house.again()
    visit.hears("约好了")
    expect(visit.page.locator("#state")).to_be_hidden()
    texts = visit.texts()
    once(texts)

    visit.page.reload()
    visit.hears("约好了")
    assert visit.texts() == [text for text in texts if "跟我说一声就行。比如" not in text]
    visit.say("我约了什么")
    assert visit.last.inner_text().count("放松减压室") == 1


def test_what_was_being_sent_when_the_page_went_is_sent_once_by_the_next(house, visitors):
    visit = visitors().open(house.url, "陈静")
    visit.expected += GONE
    house.kill()
    visit.page.locator("#text").fill("帮助")
    visit.page.locator("#text").press("Enter")
    expect(visit.own.last).to_contain_text("帮助")
    house.again()
    visit.page.reload()
    visit.hears("我能帮您")
    expect(visit.page.locator(".typing")).to_have_count(0)
    assert [text for text in visit.texts() if text == "帮助"] == ["帮助"]


def test_two_tabs_show_the_same_conversation(house, visitors):
    first = visitors(viewport=DESKTOP).open(house.url, "赵磊")
    second = visitors(with_=first).open(house.url)
    first.say("大后天中午想订多功能室")
    expect(second.own.last).to_contain_text("大后天中午想订多功能室")
    expect(second.last.locator(".bubble")).to_have_text(first.last.locator(".bubble").inner_text())
    # The question is answered in the other tab: its options are spent here.
    second.fill_in("确认", {"几个人": "6个人"})
    expect(first.last.locator(".bubble")).to_have_text(second.last.locator(".bubble").inner_text())
    first.click("不办了")
    expect(second.last.locator(".bubble")).to_have_text(first.last.locator(".bubble").inner_text())
    assert first.page.locator(".options button:enabled").count() == 0
    assert second.page.locator(".options button:enabled").count() == 0
    assert first.texts() == second.texts()
    once([text for text in first.texts() if "多功能室" in text])


def test_somebody_who_comes_back_sees_what_was_said_and_can_forget_it(house, visitors):
    first = visitors().open(house.url, "刘洋")
    first.say("帮助")
    first.say("你好")
    later = visitors(with_=first).open(house.url)
    later.hears(first.last.locator(".bubble").inner_text())
    # The words stay in the tab in which they were said.
    assert later.own.count() == 0
    assert first.own.count() == 2

    first.page.locator("summary").click()
    first.picture("menu-phone")
    first.page.get_by_role("button", name="清空本机记录").click()
    first.page.get_by_role("button", name="再点一次就清空").click()
    expect(first.replies).to_have_count(1)
    expect(later.replies).to_have_count(1)
    first.page.reload()
    expect(first.replies.first).to_contain_text("娘家人")
    expect(first.replies).to_have_count(1)
    assert first.own.count() == 0


def test_the_size_of_the_type_is_kept(house, visitors):
    visit = visitors().open(house.url, "刘洋")
    size = "parseFloat(getComputedStyle(document.getElementById('text')).fontSize)"
    before = visit.page.evaluate(size)
    larger = visit.page.get_by_role("button", name=re.compile("A\\+"))
    larger.click()
    larger.click()
    assert visit.page.evaluate(size) == before * 1.5
    visit.page.reload()
    expect(visit.replies.first).to_be_visible()
    assert visit.page.evaluate(size) == before * 1.5
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    larger.click()
    assert visit.page.evaluate(size) == before
