"""The chat page in a real Chromium, over a real `bot serve`. What every page asks for and complains of is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect, sync_playwright

from bot.settings import ROOT
from tests.peers.server import Server, Store, sqlite_store, start

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

CHROMIUM = "/usr/bin/chromium"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
SCREENS = ROOT / "docs" / "screens"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE = 20_000


@dataclass(kw_only=True)
class House:
    """The assistant on one port, which can be killed and started again."""

    store: Store
    server: Server

    @property
    def url(self) -> str:
        return self.server.url

    def kill(self) -> None:
        """As the power goes."""
        self.server.kill()

    def again(self) -> None:
        """Starts it on the same port and database."""
        port = urlsplit(self.server.url).port or 0
        self.server = start(self.store.env, "--demo", log=self.store.var / "serve.log", at=port)


@dataclass(kw_only=True)
class Visit:
    """One person at one page."""

    page: Page
    requests: list[str]
    complaints: list[str]
    expected: list[str] = field(default_factory=list)

    @property
    def log(self) -> Locator:
        return self.page.locator("#log")

    @property
    def replies(self) -> Locator:
        """What the assistant has said."""
        return self.page.locator("#log .said:not(.own):not(.typing)")

    @property
    def own(self) -> Locator:
        """What the member has said."""
        return self.page.locator("#log .said.own")

    @property
    def last(self) -> Locator:
        return self.replies.last

    def open(self, url: str, person: str = "") -> Visit:
        """Opens the page, as somebody of the demo world."""
        self.page.goto(url)
        expect(self.replies.first).to_be_visible()
        if person and person != self.page.locator("#person").input_value():
            self.page.locator("#person").select_option(person)
            expect(self.page.locator("#person")).to_have_value(person)
            expect(self.replies.first).to_be_visible()
        return self

    def say(self, text: str) -> None:
        """Types and sends; waits for the answer."""
        self.page.locator("#text").fill(text)
        self._answered(lambda: self.page.locator("#text").press("Enter"))

    def click(self, label: str) -> None:
        """Clicks an option of the last reply; waits for the answer."""
        button = self.last.locator(".options button", has_text=label)
        self._answered(button.click)

    def _answered(self, act: Callable[[], Any]) -> None:
        before = self.replies.count()
        act()
        expect(self.replies.nth(before)).to_be_visible()
        expect(self.page.locator(".typing")).to_have_count(0)

    def hears(self, text: str | re.Pattern[str]) -> None:
        """The last reply says this."""
        expect(self.last.locator(".bubble")).to_contain_text(text)

    def fill_in(self, until: str, answers: dict[str, str] | None = None) -> None:
        """Answers question after question until the last reply says `until`: from `answers`, else the first option."""
        for _ in range(8):
            said = self.last.locator(".bubble").inner_text()
            if until in said:
                return
            answer = next((words for asked, words in (answers or {}).items() if asked in said), "")
            if answer:
                self.say(answer)
            else:
                self._answered(self.last.locator(".options button").first.click)
        pytest.fail(f"never came to {until!r}: {self.last.inner_text()}")

    def texts(self) -> list[str]:
        """Everything in the conversation, in order, without the hours between."""
        return [each.inner_text() for each in self.page.locator("#log .said .bubble").all()]

    def is_usable(self) -> None:
        """axe finds nothing serious in what stands there; the visit must be one with `bypass_csp`.

        axe is injected past the page's policy, which forbids just that.
        """
        found = Axe().run(self.page).response["violations"]
        grave = [
            f"{each['id']}: {node['target']}: {node.get('failureSummary', '')}"
            for each in found
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
        assert grave == []

    def give(self, folder: Path, *files: tuple[str, bytes]) -> None:
        """Chooses files as a member does."""
        paths = [folder / name for name, _content in files]
        for path, (_name, content) in zip(paths, files, strict=True):
            path.write_bytes(content)
        with self.page.expect_file_chooser() as choosing:
            self.page.get_by_role("button", name="交材料").click()
        choosing.value.set_files(paths)
        expect(self.page.get_by_text("正在上传")).to_have_count(0)

    def send(self) -> None:
        """Sends what is in the tray and in the text; waits for the answer."""
        self._answered(self.page.get_by_role("button", name="发送").click)

    def picture(self, name: str) -> None:
        """Keeps a screenshot for the documents, where they are asked for."""
        if os.environ.get("NJR_SCREENSHOTS") == "1":
            SCREENS.mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(200)
            self.page.screenshot(path=SCREENS / f"{name}.png", animations="disabled", caret="hide")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One assistant for a file of tests: who has said something in one file is new in the next."""
    store = sqlite_store(tmp_path_factory.mktemp("browser"))
    house = House(store=store, server=start(store.env, "--demo", log=store.var / "serve.log"))
    try:
        yield house
    finally:
        house.server.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one file of tests: while it runs, its event loop stands in the way of tests with their own."""
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitors(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens pages: `visitors(viewport=PHONE, with_=another)` in a browser of its own, or in another visit's.

    At the end no page may have complained of anything unexpected, and none may have asked another machine.
    """
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def visit(*, with_: Visit | None = None, viewport: dict[str, int] = PHONE, **options: Any) -> Visit:
        if with_ is None:
            mobile = viewport is PHONE
            scale = 1 if os.environ.get("NJR_SCREENSHOTS") == "1" else None
            context = chromium.new_context(
                viewport=viewport,  # type: ignore[arg-type]
                device_scale_factor=scale,
                has_touch=mobile,
                is_mobile=mobile,
                locale="zh-CN",
                timezone_id="Asia/Shanghai",
                **options,
            )
            context.set_default_timeout(_PATIENCE)
            contexts.append(context)
        else:
            context = with_.page.context
        visits.append(_watched(context.new_page()))
        return visits[-1]

    yield visit
    asked = [url for each in visits for url in each.requests]
    complaints = [line for each in visits for line in each.complaints if not _known(line, each.expected)]
    for context in contexts:
        context.close()
    assert asked
    assert {urlsplit(url).hostname for url in asked if not url.startswith("data:")} == {"127.0.0.1"}
    assert complaints == []


def _known(complaint: str, expected: list[str]) -> bool:
    return any(each in complaint for each in expected)


def _watched(page: Page) -> Visit:
    requests: list[str] = []
    complaints: list[str] = []

    def asked(request: Request) -> None:
        requests.append(request.url)

    def complained(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    page.on("request", asked)
    page.on("console", complained)
    page.on("pageerror", lambda error: complaints.append(f"pageerror: {error}"))
    return Visit(page=page, requests=requests, complaints=complaints)
