"""`bot admin create`, `bot keys create`, `bot demo members`, `bot members import`: what each leaves in the database."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from actions.core.tables import Account, ApiKey, Credential, Member, RoleGrant
from tests.cli.conftest import Cli, Ended
from tests.peers.server import Store, new_var

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.peer


def rows(bot: Cli, query: Any) -> Sequence[Any]:
    with Store(var=bot.var).session() as session:
        return session.execute(query).all()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cli, Ended]:
    """A union of one real person, its administrator, and what making them has printed."""
    bot = Cli(var=new_var(tmp_path_factory.mktemp("real")))
    return bot, bot("admin", "create", "--staff-id", "20010001", "--name", "郑管")


def test_the_first_administrator_gets_a_password_that_is_not_kept(real: tuple[Cli, Ended]) -> None:
    bot, ended = real
    assert (ended.code, ended.err) == (0, "")
    password = ended.out.strip().rpartition("：")[2]
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", password)
    ((hashed, temporary),) = rows(bot, select(Credential.password_hash, Credential.temporary))
    assert password not in hashed
    assert temporary
    assert "administrator" in {role for (role,) in rows(bot, select(RoleGrant.role))}


def test_a_name_that_is_not_the_one_on_the_roster_is_refused_in_words(real: tuple[Cli, Ended]) -> None:
    bot, _ = real
    ended = bot("admin", "create", "--staff-id", "20010001", "--name", "李四")
    assert (ended.code, ended.out) == (1, "")
    assert "不是这个名字" in ended.err


def test_demo_members_are_not_mixed_with_real_ones(real: tuple[Cli, Ended]) -> None:
    bot, _ = real
    ended = bot("demo", "members", "3")
    assert (ended.code, ended.out) == (1, "")
    assert rows(bot, select(Member.name)) == [("郑管",)]


def test_who_may_not_leave_is_named_as_a_bad_row(real: tuple[Cli, Ended], tmp_path: Path) -> None:
    bot, _ = real
    ended = bot("members", "import", roster(tmp_path, ("20010001", "郑管", "", "", "", "离职")))
    assert ended.code == 1
    assert ended.out.splitlines()[0].startswith("20010001：")
    assert "有问题没导 1" in ended.out


def test_a_key_is_shown_once_and_kept_as_a_hash(bot: Cli) -> None:
    ended = bot("keys", "create", "gateway")
    assert (ended.code, ended.err) == (0, "")
    key = ended.out.strip()
    assert rows(bot, select(ApiKey.name, ApiKey.key_hash)) == [("gateway", hashlib.sha256(key.encode()).hexdigest())]
    again = bot("keys", "create", "gateway")
    assert (again.code, again.out) == (1, "")
    assert "gateway" in again.err


def test_demo_members_are_bound_and_numbered_on(bot: Cli) -> None:
    assert "demo-1 … demo-3" in bot("demo", "members", "3").out
    assert "demo-4 … demo-5" in bot("demo", "members", "2").out
    query = select(Account.sender, Member.staff_id).join(Member, Member.id == Account.member_id)
    found = rows(bot, query.where(Account.channel == "web", Account.sender.like("demo-%")).order_by(Account.id))
    assert found == [(f"demo-{number}", f"demo-{number}") for number in range(1, 6)]
    # They are people of the demo world, which is there too.
    assert rows(bot, select(Member.name).where(Member.staff_id == "20180312")) == [("林一帆",)]


def roster(folder: Path, *people: Sequence[Any]) -> str:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("工号", "姓名", "性别", "单位", "手机", "状态"), *people):
        sheet.append(list(row))
    path = folder / "roster.xlsx"
    book.save(path)
    return str(path)


def test_a_roster_is_imported_but_for_its_bad_rows_which_are_all_named(bot: Cli, tmp_path: Path) -> None:
    path = roster(
        tmp_path,
        ("20250001", "新来", "女", "体育学院", "13900000001"),
        ("", "无号", "男", "体育学院", ""),
        ("20250002", "", "男", "体育学院", ""),
        ("20250003", "写错", "雌", "体育学院", "not a phone"),
        ("20250004", "后来", "男", "后勤", ""),
    )
    ended = bot("members", "import", path)
    assert (ended.code, ended.err) == (1, "")
    *told, summary = ended.out.splitlines()
    assert [re.findall(r"第 (\d+) 行", line) for line in told] == [["3"], ["4"], ["5"], ["5"]]
    assert "新增 2" in summary
    assert "有问题没导 3" in summary
    assert rows(bot, select(Member.staff_id).order_by(Member.id)) == [("20250001",), ("20250004",)]


def test_a_roster_with_nothing_wrong(bot: Cli, tmp_path: Path) -> None:
    path = roster(tmp_path, ("20250001", "新来", "女", "体育学院", "13900000001"))
    ended = bot("members", "import", path)
    assert (ended.code, ended.err, len(ended.out.splitlines())) == (0, "", 1)


def test_what_is_no_excel_file_is_told(bot: Cli, tmp_path: Path) -> None:
    (tmp_path / "roster.xlsx").write_text("工号,姓名\n", encoding="utf-8")
    ended = bot("members", "import", str(tmp_path / "roster.xlsx"))
    assert (ended.code, ended.out) == (1, "")
    assert "roster.xlsx" in ended.err
