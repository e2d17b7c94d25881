"""axe finds nothing serious, in light, dark and large type."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.peer


def grave(page) -> list[str]:
    """Violations that are serious or critical, each with what it is about."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']}: {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("viewport", "larger"), [(PHONE, 0), (PHONE, 2), (DESKTOP, 1)], ids=["phone", "large", "desk"])
def test_nothing_stands_in_the_way(house, visitors, scheme, viewport, larger):
    # axe is injected past the page's policy, which forbids just that.
    visit = visitors(viewport=viewport, color_scheme=scheme, bypass_csp=True).open(house.url, "高老师")
    for _ in range(larger):
        visit.page.locator("#larger").click()
    assert grave(visit.page) == []
    visit.say("后天想订乒乓球室")
    assert visit.last.locator(".times").count() == 1
    if (scheme, larger) in (("light", 2), ("dark", 0)):
        visit.picture("large-phone" if larger else "dark-phone")
    assert grave(visit.page) == []
    visit.fill_in("确认", {"几个人": "4个人"})
    visit.click("确认")
    visit.last.get_by_role("button", name="二维码").click()
    visit.page.locator("summary").click()
    assert grave(visit.page) == []
    visit.page.locator("summary").click()
    visit.say("取消预约")
    visit.fill_in("取消了")
