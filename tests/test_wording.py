"""Every sentence that the code names is there, and every sentence that is there can be said."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import ROOT
from bot.wording import Wording, load_wording

_KEY = re.compile(r"[a-z_]+\.[a-z_]+")
_PACKAGES = ("actions", "bot")
_ERRORS = ("DomainError", "ForbiddenError")
_SAYING = ("say", "told", "Say", "Outcome", "Notice", "tell_owner", "tell_member")


def _calls() -> Iterator[tuple[Path, ast.Call]]:
    for package in _PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield path, node


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _literals(call: ast.Call) -> list[str]:
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in (None, "wording", "code"))]
    return [
        node.value
        for value in values
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _named_keys() -> set[tuple[str, str]]:
    keys = set()
    for path, call in _calls():
        where = str(path.relative_to(ROOT))
        literals = _literals(call)
        if _name(call) in _ERRORS and literals and literals[0]:
            keys.add((f"errors.{literals[0]}", where))
        elif _name(call) in _SAYING:
            keys |= {(text, where) for text in literals if _KEY.fullmatch(text)}
    return keys


@pytest.fixture(scope="module")
def wording() -> Wording:
    return load_wording(ROOT / "data" / "responses", {"union": {"name": "", "phone": "", "office": ""}})


def test_every_sentence_that_the_code_names_is_there(wording: Wording) -> None:
    named = _named_keys()
    assert len(named) > 60
    assert sorted(f"{key} ({where})" for key, where in named if key not in wording) == []


def test_no_error_sentence_is_left_over(wording: Wording) -> None:
    """An error that nothing raises any more is no longer worded."""
    text = "\n".join(
        path.read_text(encoding="utf-8") for package in _PACKAGES for path in (ROOT / package).rglob("*.py")
    )
    services = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "data" / "services").glob("*.yml"))
    text += " ".join(f'"{code}"' for code in re.findall(r"refusal: (\w+)", services))  # raised as they are declared
    codes = [key.removeprefix("errors.") for key in sorted(wording.keys()) if key.startswith("errors.")]
    assert sorted(code for code in codes if f'"{code.split(".")[0]}"' not in text) == []
