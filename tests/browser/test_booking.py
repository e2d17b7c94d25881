"""Booking, correcting, cancelling, on a phone and at a desk, by hand and by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.peer

ROOM = {"几个人": "5个人"}


@pytest.mark.parametrize(
    ("viewport", "person", "room"),
    [(PHONE, "林一帆", "瑜伽室"), (DESKTOP, "王敏", "乒乓球室")],
    ids=["phone", "desktop"],
)
def test_book_correct_and_cancel(house, visitors, viewport, person, room):
    size = "phone" if viewport is PHONE else "desktop"
    visit = visitors(viewport=viewport).open(house.url, person)
    expect(visit.last.locator(".options button")).to_have_count(3)
    visit.picture(f"welcome-{size}")

    visit.say(f"后天下午想订{room}")
    expect(visit.last.locator(".times .day")).not_to_have_count(0)
    visit.picture(f"times-{size}")
    visit.fill_in("确认", ROOM)
    visit.say("人数改成8个人")
    visit.hears("8")
    visit.picture(f"confirm-{size}")
    visit.click("确认")
    visit.hears("约好了")

    card = visit.last.locator(".card")
    expect(card).to_contain_text(room)
    with visit.page.expect_download() as downloading:
        card.get_by_text("加到手机日历").click()
    file = downloading.value.path().read_text(encoding="utf-8")
    assert room in file
    assert "BEGIN:VALARM" in file
    card.get_by_role("button", name="二维码").click()
    code = card.locator("img")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    visit.picture(f"card-{size}")

    visit.say("取消预约")
    visit.fill_in("取消了")
    address = visit.page.locator(".card .acts a").last.evaluate("link => link.href")
    gone = visit.page.request.get(address)
    assert gone.status == 410
    assert "已经取消" in gone.text()


def test_a_day_is_picked_and_a_number_typed(house, visitors):
    visit = visitors().open(house.url, "何医生")
    visit.say("想订乒乓球室")
    visit.fill_in("什么时候")
    wanted = visit.last.locator("input[type=date]")
    wanted.fill(visit.page.evaluate("new Date(Date.now() + 9 * 86400000).toISOString().slice(0, 10)"))
    day = wanted.input_value().split("-")
    before = visit.replies.count()
    visit.last.get_by_role("button", name="看这天").click()
    expect(visit.replies.nth(before)).to_be_visible()
    named = f"{int(day[1])}月{int(day[2])}日"
    expect(visit.own.last).to_contain_text(named)
    expect(visit.last.locator(".day .date").first).to_contain_text(named)

    third = visit.last.locator(".options .day button").nth(2).get_attribute("aria-label")
    visit.say("3")
    visit.fill_in("确认", ROOM)
    visit.hears(third)
    visit.click("不办了")


def test_everything_can_be_done_by_keyboard(house, visitors):
    visit = visitors(viewport=DESKTOP).open(house.url, "高老师")
    keyboard = visit.page.keyboard
    visit.page.locator("#text").focus()
    keyboard.type("大后天上午想订阅览室")
    keyboard.press("Enter")
    expect(visit.last.locator(".day").first).to_be_visible()

    go_back_to(visit, "#log > :last-child .day button")
    picked = visit.page.evaluate("document.activeElement.getAttribute('aria-label')")
    press_enter(visit)
    visit.hears("几个人")
    # An open question leads to the text.
    expect(visit.page.locator("#text")).to_be_focused()
    keyboard.type("3")
    press_enter(visit)
    visit.hears(picked)
    go_back_to(visit, "#log > :last-child .options button:first-child")
    press_enter(visit)
    visit.hears("约好了")

    go_back_to(visit, ".card .acts a")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(visit.last.locator(".card img")).to_be_visible()

    visit.page.locator("#text").focus()
    keyboard.type("取消预约")
    press_enter(visit)
    visit.hears("阅览室")
    # What is picked by key leads on by key: the first answer of the next question has the focus.
    go_back_to(visit, "#log > :last-child .options button:first-child")
    press_enter(visit)
    visit.hears("取消了")
    expect(visit.page.locator("#text")).to_be_focused()


def go_back_to(visit, selector: str) -> None:
    """Shift and Tab until the focus is there: the options stand before the text."""
    for _ in range(40):
        visit.page.keyboard.press("Shift+Tab")
        if visit.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"no way to {selector} by keyboard")


def press_enter(visit) -> None:
    """Enter, and what comes of it."""
    count = visit.replies.count()
    visit.page.keyboard.press("Enter")
    expect(visit.replies.nth(count)).to_be_visible()
    expect(visit.page.locator(".typing")).to_have_count(0)
