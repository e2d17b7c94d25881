from __future__ import annotations

import re

import pytest

from bot.api import create_api
from bot.api.app import STATIC
from tests.api.conftest import client

FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")
STYLE = (STATIC / "chat.css").read_text(encoding="utf-8")
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in FILES if path.suffix == ".js"}
SCRIPT = "\n".join(SCRIPTS.values())

#: Comments, strings, templates and regular expressions: what stands in them is no syntax.
_LITERALS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[=(,:])\s*/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])*/[a-z]*""",
    re.DOTALL,
)
#: Syntax later than ES2017, which is what the system's web view of a phone of 2018 reads (Chromium 70).
_LATER_SYNTAX = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish": r"\?\?",
    "logical assignment": r"(?:\|\||&&)=",
    "spread": r"\.\.\.",
    "catch without a name": r"\bcatch\s*\{",
    "modules": r"\b(?:import|export)\b",
    "async iteration": r"\bfor\s+await\b|\basync\s*(?:function\s*)?\*",
    "private names": r"#\w",
    "class fields and blocks": r"\bstatic\b",
    "numeric separators and big integers": r"\b\d+(?:_\d|n\b)",
}
_LATER_METHODS = (
    r"\.(?:replaceAll|matchAll|flatMap|flat|fromEntries|allSettled|any|at|hasOwn|replaceChildren|randomUUID|timeout)\("
    r"|\b(?:globalThis|structuredClone|queueMicrotask|WeakRef|ResizeObserver)\b"
)
_LATER_REGEX = r"\(\?<|\\p\{|/[a-z]*[sdv][a-z]*(?=[;,)])"
_LATER_STYLE = r"(?:[^-]\bgap|\binset|aspect-ratio)\s*:|:(?:is|where|has)\(|\b(?:clamp|min|max)\(|@(?:layer|container)"


async def test_the_page_and_what_it_loads_are_there(parts):
    async with client(create_api(parts)) as browser:
        page = await browser.get("/")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        links = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        assert len(links) == 6
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


async def test_the_page_is_light(parts):
    """All that a first visit takes over the wire, uncompressed, with headers: under 60 kB."""
    async with client(create_api(parts)) as browser:
        page = await browser.get("/")
        wanted = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        answers = [page, *[await browser.get(link) for link in wanted]]
        answers.append(await browser.post("/api/v1/session", json={}))
        answers.append(await browser.get("/api/v1/history"))
    assert {answer.status_code for answer in answers} == {200}
    sizes = [len(answer.content) + sum(len(k) + len(v) + 4 for k, v in answer.headers.raw) for answer in answers]
    assert sum(sizes) < 60_000
    assert {f"/static/{path.name}" for path in FILES if path.name != "index.html"} == set(wanted)


def test_the_page_holds_no_script_and_no_style_of_its_own():
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", PAGE)


def test_the_script_never_makes_markup_from_text():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", SCRIPT)
    assert "textContent" in SCRIPT


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_run_in_old_web_views(name):
    bare = _LITERALS.sub(" 0 ", SCRIPTS[name])
    found = [what for what, pattern in _LATER_SYNTAX.items() if re.search(pattern, bare)]
    found += re.findall(_LATER_METHODS, bare)
    found += re.findall(_LATER_REGEX, "\n".join(re.findall(r"= (/(?!/).*/[a-z]*);", SCRIPTS[name])))
    assert found == []


@pytest.mark.parametrize(
    "script",
    [
        "a?.b",
        "a ?? b",
        "a ||= b",
        "f(...a)",
        "try { a } catch { b }",
        "import a from 0",
        "1_000",
        "a.at(-1)",
        "x.flat()",
    ],
)
def test_what_is_too_new_is_noticed(script):
    bare = _LITERALS.sub(" 0 ", script)
    assert any(re.search(pattern, bare) for pattern in (*_LATER_SYNTAX.values(), _LATER_METHODS))


def test_literals_are_not_taken_for_syntax():
    assert "?." not in _LITERALS.sub("0", 'f("?.", /^x?.(a|[/])/, "//") // ?.')


def test_the_style_is_read_by_old_web_views():
    assert re.findall(_LATER_STYLE, STYLE) == []
    assert re.search(r"height: 100vh;\s+height: 100dvh;", STYLE)


def test_the_page_can_be_used_with_a_screen_reader_and_read_at_arms_length():
    assert 'lang="zh-CN"' in PAGE
    assert 'role="log"' in PAGE
    assert 'aria-live="polite"' in PAGE
    assert 'for="text"' in PAGE
    assert "user-scalable" not in PAGE
    sizes = re.findall(r"(?:font-size:\s*|font:\s*)([\d.]+)(rem|px)", STYLE)
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
    light, _, dark = STYLE.partition("prefers-color-scheme: dark")
    colours = _colours(light if scheme == "light" else dark)
    pairs = [("ink", "ground"), ("ink", "paper"), ("ink", "note"), ("soft", "ground"), ("soft", "paper")]
    pairs += [("link", "ground"), ("link", "paper"), ("on-red", "red")]
    assert {pair: _contrast(colours[pair[0]], colours[pair[1]]) >= 4.5 for pair in pairs} == dict.fromkeys(pairs, True)
