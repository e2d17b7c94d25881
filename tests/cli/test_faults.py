"""What an operator did wrong ends with a line that names it and exit code 1, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NJR_NONSENSE", "1"),
        ("NJR_HTTP__PROT", "8081"),
        ("NJR_HTTP__PORT", "many"),
        ("NJR_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_is_not_known_is_refused_by_name(bot: Cli, variable: str, value: str) -> None:
    ended = Cli(var=bot.var, settings={})("keys", "create", "x", **{variable: value})
    assert (ended.code, ended.out) == (1, "")
    assert variable in ended.err
    assert not (bot.var / "niangjiaren.db").exists()


def test_a_fault_in_the_settings_file_has_its_line(bot: Cli, tmp_path: Path) -> None:
    path = tmp_path / "settings.yml"
    path.write_text("union:\n  name: 校工会\n  fax: 123\n", encoding="utf-8")
    ended = bot("keys", "create", "x", NJR_SETTINGS=str(path))
    assert ended.code == 1
    assert f"{path}:3" in ended.err


@pytest.mark.parametrize("url", ["", "sqlite+aiosqlite:///elsewhere.db"])
@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_part_of_the_assistant_alone_needs_postgresql(bot: Cli, role: str, url: str) -> None:
    ended = bot("serve", "--role", role, **({"NJR_DATABASE__URL": url} if url else {}))
    assert (ended.code, ended.out) == (1, "")
    assert "PostgreSQL" in ended.err


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://root@localhost/union", "mysql"),
        ("not a url", "database.url"),
        ("postgresql+psycopg://nobody:geheim@127.0.0.1:1/none", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_without_its_password(bot: Cli, url: str, told: str) -> None:
    vault = "t1:" + "A" * 43 + "="
    ended = bot("migrate", NJR_DATABASE__URL=url, NJR_VAULT__KEYS=vault)
    assert ended.code == 1
    assert told in ended.err
    assert "geheim" not in ended.err


def test_a_database_file_that_is_none_is_told(bot: Cli) -> None:
    (bot.var / "niangjiaren.db").write_text("this is no database, and long enough to be seen for none " * 20)
    ended = bot("migrate")
    assert ended.code == 1
    assert "database" in ended.err


def test_without_a_key_postgresql_is_not_opened(bot: Cli) -> None:
    ended = bot("migrate", NJR_DATABASE__URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert ended.code == 1
    assert "NJR_VAULT__KEYS" in ended.err


def test_a_data_folder_that_is_not_there_is_told(bot: Cli, tmp_path: Path) -> None:
    ended = bot("parse", NJR_DATA_DIR=str(tmp_path / "nowhere"))
    assert ended.code == 1
    assert "nowhere" in ended.err
