"""`bot do`: any command, JSON out; 0 done, 1 refused with code and reason, 2 wrong usage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ended

pytestmark = pytest.mark.peer

OFFICER, MEMBER = "20100903", "20180312"


def do(bot: Cli, command: str, staff_id: str, arguments: Any) -> Ended:
    return bot("do", command, "--as", staff_id, "--json", json.dumps(arguments))


def test_a_command_that_is_done(shared_bot: Cli) -> None:
    ended = do(shared_bot, "appointments.counts", OFFICER, {"service": "counseling"})
    assert (ended.code, ended.err) == (0, "")
    (said,) = ended.lines
    assert set(said) == {"done", "said", "subject", "data"}
    assert said["done"] is True
    assert "心理咨询" in said["said"]
    assert said["data"] == {"rows": []}


@pytest.mark.parametrize(
    ("command", "staff_id", "arguments", "code"),
    [
        ("appointments.cancel", MEMBER, {"appointment_id": 12345}, "not_found"),
        ("appointments.counts", MEMBER, {"service": "counseling"}, "forbidden"),
        ("appointments.counts", "99999999", {"service": "counseling"}, "no_such_member"),
    ],
)
def test_a_command_that_is_refused(shared_bot: Cli, command: str, staff_id: str, arguments: Any, code: str) -> None:
    ended = do(shared_bot, command, staff_id, arguments)
    assert (ended.code, ended.err) == (1, "")
    (said,) = ended.lines
    assert set(said) == {"done", "code", "reason"}
    assert (said["done"], said["code"]) == (False, code)
    assert said["reason"]


@pytest.mark.parametrize(
    ("command", "arguments", "told"),
    [
        ("appointments.nonsense", "{}", "appointments.nonsense"),
        ("appointments.counts", '{"servcie": "counseling"}', "servcie"),
        ("appointments.counts", "{service}", "--json"),
        ("appointments.counts", '["counseling"]', "--json"),
    ],
)
def test_wrong_usage(shared_bot: Cli, command: str, arguments: str, told: str) -> None:
    ended = shared_bot("do", command, "--as", OFFICER, "--json", arguments)
    assert ended.code == 2
    assert told in ended.out + ended.err


def test_nobody_named_is_wrong_usage(bot: Cli) -> None:
    ended = bot("do", "appointments.agenda")
    assert (ended.code, ended.out) == (2, "")
    assert "--as" in ended.err


def test_what_is_done_is_there_for_the_next_command(shared_bot: Cli) -> None:
    title = "示例安静室"
    spec = {"hours": [{"start": "09:00", "end": "18:00"}], "works": "daily", "place": "示例"}
    offering = {"service": "health_room", "title": title, "spec": spec}
    assert do(shared_bot, "offerings.create", OFFICER, offering).code == 0
    again = do(shared_bot, "offerings.create", OFFICER, offering)
    assert (again.code, again.lines[0]["code"]) == (1, "title_taken")
