"""An officer decides in a browser of their own, and the member is told without doing anything."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, House, Visit
from tests.files.samples import pdf, picture

pytestmark = pytest.mark.peer

OWN_PASSWORD = "桃李不言，下自成蹊。"


@pytest.fixture(scope="module")
def password(house: House) -> str:
    """The one-time password that the first run has printed."""
    found = re.search(r"一次性口令：(\S+)", house.server.written)
    assert found
    return found[1]


def sign_in(visit: Visit, house: House, password: str) -> Visit:
    """Signs in as the demo's union officer; the first time with a new password."""
    page = visit.page
    page.goto(f"{house.url}/console/")
    page.locator("[name=staff_id]").fill("20100903")
    page.locator("[name=password]").fill(password)
    page.locator("form button").first.click()
    if page.locator("[name=again]").count():
        page.locator("[name=password]").fill(password)
        page.locator("[name=new]").fill(OWN_PASSWORD)
        page.locator("[name=again]").fill(OWN_PASSWORD)
        page.locator("form button").first.click()
    page.wait_for_url(f"{house.url}/")
    expect(visit.replies.first).to_be_visible()
    return visit


def test_a_large_group_is_approved_and_the_member_is_told(house, visitors, password, tmp_path):
    officer = sign_in(visitors(viewport=DESKTOP, bypass_csp=True), house, password)
    expect(officer.page.locator("#console")).to_have_count(1)
    member = visitors().open(house.url, "刘洋")
    member.say("大后天下午想订多功能室，30个人")
    member.fill_in("确认")
    member.give(tmp_path, ("活动方案.pdf", pdf()), ("场地布置.png", picture("PNG", (320, 200))))
    member.send()
    member.hears("活动方案：活动方案.pdf、场地布置.png")
    member.click("确认")
    member.hears("已经请工会老师看了")

    officer.hears("30 人")
    expect(officer.last.locator(".bubble")).to_contain_text("刘洋")
    files = officer.last.locator("a.file")
    expect(files).to_have_count(2)
    expect(files.last.locator("img")).to_be_visible()
    opened = [officer.page.request.get(link.evaluate("link => link.href")) for link in files.all()]
    assert [answer.status for answer in opened] == [200, 200]
    assert opened[0].body() == pdf()
    officer.is_usable()
    officer.picture("officer-approval")
    officer.click("同意")
    officer.hears("已同意")
    member.hears("工会老师同意了")
    expect(member.last.locator(".card")).to_contain_text("多功能室")
    member.picture("approved-phone")
    assert len([text for text in member.texts() if "工会老师同意了" in text]) == 1
