"""A person takes over: the member and an officer, each in a browser of their own."""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest
from playwright.sync_api import expect

from actions.core.zones import SHANGHAI
from tests.browser.conftest import DESKTOP
from tests.browser.test_officer import sign_in
from tests.browser.weekday import weekday

pytestmark = pytest.mark.peer

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def office(tmp_path, demo_template, pipeline):
    """The assistant on a Tuesday morning, when people are there."""
    shutil.copytree(demo_template, tmp_path / "var")
    with weekday(tmp_path / "var", pipeline, TUESDAY) as running:
        yield running


def hears(visit, text: str) -> None:
    """Somewhere in the conversation it says so: what others say comes when it comes."""
    expect(visit.replies.filter(has_text=text).first).to_be_visible()


def test_a_person_takes_over_and_gives_back(office, visitors):
    officer = sign_in(visitors(viewport=DESKTOP, bypass_csp=True), office, office.password)
    member = visitors(bypass_csp=True).open(office.url)
    member.say("人工")
    member.hears("我去请值班老师")
    hears(officer, "林一帆（文学院）想找老师说话")

    member.say("互助保险怎么报销")
    hears(officer, "互助保险怎么报销")
    officer.replies.filter(has_text="想找老师说话").last.get_by_role("button", name="接手").click()
    hears(member, "周涛老师来了")

    button = officer.replies.filter(has=officer.page.get_by_role("button", name="回复", disabled=False)).last
    button.get_by_role("button", name="回复").click()
    hears(officer, "下一句话会发给")
    officer.say("带发票来就行")
    hears(member, "周涛老师：带发票来就行")
    member.is_usable()
    officer.is_usable()
    member.picture("person-phone")
    officer.picture("person-officer")

    # The assistant is silent: what is said goes to the person, and nothing comes of itself.
    count = member.replies.count()
    member.page.locator("#text").fill("好的谢谢")
    member.page.locator("#text").press("Enter")
    hears(officer, "好的谢谢")
    expect(member.page.locator(".typing")).to_have_count(0)
    assert member.replies.count() == count

    member.say("回来")
    hears(officer, "不用人工了")
    member.say("我约了什么")
    texts = member.texts()
    assert len([text for text in texts if "带发票来就行" in text]) == 1
