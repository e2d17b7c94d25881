from __future__ import annotations

import re

import pytest

from bot.api import create_api
from bot.api.app import STATIC
from tests.api.conftest import client

FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")
SCRIPT = (STATIC / "chat.js").read_text(encoding="utf-8")


async def test_the_page_and_what_it_loads_are_there(parts):
    async with client(create_api(parts)) as browser:
        page = await browser.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        links = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        assert len(links) == 3
        for link in links:
            answer = await browser.get(link)
            assert answer.status_code == 200
            again = await browser.get(link, headers={"If-None-Match": answer.headers["etag"]})
            assert (answer.headers["cache-control"], again.status_code) == ("no-cache", 304)


@pytest.mark.parametrize("path", ["/", "/static/chat.js", "/healthz", "/nowhere", "/openapi.json"])
async def test_every_answer_is_closed_to_others(parts, path):
    async with client(create_api(parts)) as browser:
        headers = (await browser.get(path)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/static/../app.py", "/static/%2e%2e/app.py", "/static/"])
async def test_what_is_not_offered_is_not_found(parts, path):
    async with client(create_api(parts)) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_speaks_to_a_third_party(path):
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"""(?:https?:)?//[\w-]+\.[\w.-]+|["'(]//\w""", text)


def test_the_page_is_light():
    assert sum(path.stat().st_size for path in FILES) < 60_000


def test_the_page_holds_no_script_and_no_style_of_its_own():
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", PAGE)


def test_the_script_never_makes_markup_from_text():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", SCRIPT)
    assert "textContent" in SCRIPT


def test_the_script_runs_in_old_web_views():
    """ES2017: no optional chaining, no nullish operators, no modules, no spread of objects."""
    assert not re.search(
        r"\?\.[A-Za-z_(\[]|\?\?|^\s*(?:import|export)\s|\.\.\.\w|\?\s*\.replaceAll", SCRIPT, re.MULTILINE
    )


def test_the_page_can_be_used_with_a_screen_reader_and_read_at_arms_length():
    assert 'lang="zh-CN"' in PAGE
    assert 'role="log"' in PAGE
    assert 'aria-live="polite"' in PAGE
    assert 'for="text"' in PAGE
    assert "user-scalable" not in PAGE
    sizes = re.findall(r"(?:font-size:\s*|font:\s*)([\d.]+)(rem|px)", (STATIC / "chat.css").read_text(encoding="utf-8"))
    assert sizes
    assert all(float(size) * (16 if unit == "rem" else 1) >= 16 for size, unit in sizes)


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6});", css))


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.1."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(scheme):
    light, _, dark = (STATIC / "chat.css").read_text(encoding="utf-8").partition("prefers-color-scheme: dark")
    colours = _colours(light if scheme == "light" else dark)
    pairs = [("ink", "ground"), ("ink", "paper"), ("ink", "note"), ("soft", "ground"), ("soft", "paper")]
    pairs += [("link", "ground"), ("link", "paper"), ("on-red", "red")]
    assert {pair: _contrast(colours[pair[0]], colours[pair[1]]) >= 4.5 for pair in pairs} == dict.fromkeys(pairs, True)
