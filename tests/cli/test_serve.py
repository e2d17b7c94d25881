"""`bot serve` and `bot chat`: the first run, the next one, and an orderly end."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.peers.server import environment, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Cli
    from tests.peers.server import Server

pytestmark = pytest.mark.peer

PASSWORD = re.compile(r"一次性口令：((?:\w{4}-){3}\w{4})")


@contextlib.contextmanager
def serving(bot: Cli, *arguments: str) -> Iterator[Server]:
    """One run, asked to end with the block: it does so in order."""
    server = start(environment(bot.var), *arguments, log=bot.var / "serve.log")
    try:
        yield server
    finally:
        assert server.stop() == 0, server.written
    assert "Traceback" not in server.written


def test_the_first_run_and_the_next(bot: Cli) -> None:
    with serving(bot) as first:
        talk_to_the_page(first)
    assert f"{first.url}/\n" in first.written
    assert f"{first.url}/console/\n" in first.written
    assert len(PASSWORD.findall(first.written)) == 1
    with serving(bot) as second:
        pass
    assert f"{second.url}/\n" in second.written
    assert len(PASSWORD.findall(second.written)) == 1


def talk_to_the_page(server: Server) -> None:
    """As a visitor's browser does."""
    with httpx.Client(base_url=server.url, timeout=30) as page:
        assert page.get("/").status_code == 200
        assert page.post("/api/v1/session", json={}).json()["person"] == "林一帆"
        answer = page.post("/api/v1/chat", json={"message_id": "1", "text": "下周三下午想约心理咨询"})
    (reply,) = answer.json()["replies"]
    assert reply["options"]


def test_the_password_is_printed_by_serve_though_another_command_came_first(bot: Cli) -> None:
    assert bot("demo", "members", "1").code == 0
    with serving(bot) as server:
        pass
    assert PASSWORD.search(server.written)


def test_without_the_demo_it_says_how_to_get_in(bot: Cli) -> None:
    with serving(bot, "--no-demo") as server:
        pass
    assert "bot admin create" in server.written
    assert not PASSWORD.search(server.written)


def test_a_port_that_is_taken_is_told_before_anything_is_prepared(bot: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = bot("serve", NJR_HTTP__PORT=str(port))
    assert (ended.code, ended.out) == (1, "")
    assert str(port) in ended.err
    assert "NJR_HTTP__PORT" in ended.err
    assert not (bot.var / "niangjiaren.db").exists()


def test_talking_in_the_terminal(bot: Cli) -> None:
    said = "下周三下午三点想约何医生的心理咨询，线上\n\n同意\n王芳 13912345678\n1\n"
    ended = bot("chat", stdin=said)
    assert (ended.code, ended.err) == (0, "")
    assert "林一帆（示例）" in ended.out
    # "1" is the first option of the read-back: 确认.
    assert "约好了" in ended.out


def test_talking_as_somebody_else_and_ending_within_a_line(bot: Cli) -> None:
    ended = bot("chat", "--as", "何医生", stdin="日程".encode() + b"\xff")
    assert ended.code == 0
    assert "何医生（示例）" in ended.out


def test_nobody_of_that_name(bot: Cli) -> None:
    ended = bot("chat", "--as", "张三丰", stdin="你好\n")
    assert ended.code == 1
    assert "张三丰" in ended.err
