"""Handing over files: what is taken is shown before it is sent, what is refused is told in a sentence."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE
from tests.files.samples import bomb, pdf, picture

pytestmark = pytest.mark.peer


@pytest.mark.parametrize(
    ("viewport", "person", "day"), [(PHONE, "赵磊", "大后天"), (DESKTOP, "王敏", "后天")], ids=["phone", "desktop"]
)
def test_a_picture_and_a_document_go_into_a_form(house, visitors, tmp_path, viewport, person, day):
    size = "phone" if viewport is PHONE else "desktop"
    visit = visitors(viewport=viewport, bypass_csp=True).open(house.url, person)
    visit.say(f"{day}晚上七点想订多功能室，30个人，南湖")
    visit.hears("帮您核对")

    tray = visit.page.locator("#tray li")
    visit.give(tmp_path, ("场地布置.png", picture("PNG", (320, 200))), ("活动方案.pdf", pdf()), ("多余.pdf", pdf()))
    expect(tray).to_have_count(3)
    thumbnail = tray.locator("img")
    expect(thumbnail).to_be_visible()
    assert thumbnail.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    visit.page.get_by_role("button", name="去掉 多余.pdf").click()
    expect(tray).to_have_count(2)
    visit.is_usable()
    visit.picture(f"files-{size}")

    visit.send()
    expect(tray).to_have_count(0)
    expect(visit.own.last).to_contain_text("活动方案.pdf")
    visit.hears("收到了，一共 2 份")
    visit.hears("活动方案：场地布置.png、活动方案.pdf")
    visit.is_usable()
    visit.picture(f"files-sent-{size}")
    visit.click("不办了")
    visit.hears("什么都没提交")


@pytest.mark.parametrize(
    ("person", "file", "sentence"),
    [
        ("赵磊", ("照片.png", b"<!doctype html><script>alert(1)</script>"), "这种文件我收不了"),
        ("刘洋", ("程序.pdf", b"MZ" + b"\0" * 4_000), "这种文件我收不了"),
        ("何医生", ("方案.docx", bomb()), "解开以后大得不正常"),
        ("高老师", ("大文件.pdf", b"%PDF-1.7\n" + b"0" * 50_000_000), "收不下"),
        ("陈静", ("空的.png", b""), "空的"),
    ],
    ids=["html", "program", "bomb", "50 MB", "empty"],
)
def test_what_is_refused_is_told(house, visitors, tmp_path, person, file, sentence):
    visit = visitors(bypass_csp=True).open(house.url, person)
    visit.expected += ["status of 413", "status of 422"]
    visit.give(tmp_path, file)
    expect(visit.last.locator(".bubble")).to_contain_text(sentence)
    expect(visit.last.locator(".bubble")).to_contain_text(file[0])
    expect(visit.page.locator("#tray li")).to_have_count(0)
    visit.is_usable()
    if file[0] == "方案.docx":
        visit.picture("refused-phone")
    visit.say("帮助")
    visit.hears("我能帮您")
