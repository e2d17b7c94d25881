"""Handing over files: what is taken is shown before it is sent, what is refused is told in a sentence."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.files.samples import pdf, picture

pytestmark = pytest.mark.peer


def give(visit, folder, *files: tuple[str, bytes]) -> None:
    """Chooses files as a member does."""
    paths = [folder / name for name, _content in files]
    for path, (_name, content) in zip(paths, files, strict=True):
        path.write_bytes(content)
    with visit.page.expect_file_chooser() as choosing:
        visit.page.get_by_role("button", name="交材料").click()
    choosing.value.set_files(paths)


def test_files_are_shown_taken_back_and_sent(house, visitors, tmp_path):
    visit = visitors(viewport=PHONE).open(house.url, "赵磊")
    tray = visit.page.locator("#tray li")
    give(visit, tmp_path, ("获奖证书.png", picture("PNG", (320, 200))), ("说明.pdf", pdf()))
    expect(tray).to_have_count(2)
    expect(visit.page.get_by_text("正在上传")).to_have_count(0)
    thumbnail = tray.locator("img")
    expect(thumbnail).to_be_visible()
    assert thumbnail.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    visit.picture("files-phone")

    visit.page.get_by_role("button", name="去掉 说明.pdf").click()
    expect(tray).to_have_count(1)
    before = visit.replies.count()
    visit.page.get_by_role("button", name="发送").click()
    expect(visit.own.last).to_contain_text("获奖证书")
    expect(visit.replies.nth(before)).to_be_visible()
    expect(tray).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("照片.png", b"<!doctype html><script>alert(1)</script>", "这种文件我收不了"),
        ("大文件.pdf", b"%PDF-1.7\n" + b"0" * 50_000_000, "收不下"),
        ("空的.png", b"", "空的"),
    ],
    ids=["html", "50 MB", "empty"],
)
def test_what_is_refused_is_told(house, visitors, tmp_path, name, content, sentence):
    visit = visitors().open(house.url, "赵磊")
    visit.expected += ["status of 413", "status of 422"]
    give(visit, tmp_path, (name, content))
    expect(visit.last.locator(".bubble")).to_contain_text(sentence)
    expect(visit.last.locator(".bubble")).to_contain_text(name)
    expect(visit.page.locator("#tray li")).to_have_count(0)
    visit.say("帮助")
    visit.hears("我能帮您")
