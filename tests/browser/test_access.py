"""axe finds nothing serious, in light, dark and large type."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.peer


# Each is somebody else: who says the same things over and over is told to rest.
PEOPLE = {
    ("light", 0): "高老师",
    ("light", 1): "何医生",
    ("light", 2): "刘洋",
    ("dark", 0): "赵磊",
    ("dark", 1): "王敏",
    ("dark", 2): "林一帆",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("viewport", "larger"), [(PHONE, 0), (PHONE, 2), (DESKTOP, 1)], ids=["phone", "large", "desk"])
def test_nothing_stands_in_the_way(house, visitors, scheme, viewport, larger):
    person = PEOPLE[scheme, larger]
    visit = visitors(viewport=viewport, color_scheme=scheme, bypass_csp=True).open(house.url, person)
    for _ in range(larger):
        visit.page.locator("#larger").click()
    visit.is_usable()
    visit.say("后天想订乒乓球室")
    assert visit.last.locator(".times").count() == 1
    if (scheme, larger) in (("light", 2), ("dark", 0)):
        visit.picture("large-phone" if larger else "dark-phone")
    visit.is_usable()
    visit.fill_in("确认", {"几个人": "4个人"})
    visit.click("确认")
    visit.last.get_by_role("button", name="二维码").click()
    visit.page.locator("summary").click()
    visit.is_usable()
    visit.page.locator("summary").click()
    visit.say("取消预约")
    visit.fill_in("取消了")
