"""The PostgreSQL that the tests start: real, empty, private to this machine, and gone afterwards."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.peers import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Cluster]:
    with postgres.cluster() as running:
        yield running


def psycopg_url(url: str) -> str:
    return url.replace("+psycopg", "", 1)


async def test_the_url_is_one_that_the_application_opens(server: postgres.Cluster):
    engine = create_async_engine(server.create_database())
    try:
        async with engine.begin() as connection:
            assert engine.dialect.driver == "psycopg"
            assert (await connection.execute(text("SELECT '娘家人'"))).scalar_one() == "娘家人"
    finally:
        await engine.dispose()


def test_every_database_is_new_and_empty(server: postgres.Cluster):
    one, other = server.create_database(), server.create_database()
    assert make_url(one).database != make_url(other).database
    with psycopg.connect(psycopg_url(one)) as connection:
        connection.execute("CREATE TABLE members (id int)")
    with psycopg.connect(psycopg_url(other)) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_many_connections_at_once(server: postgres.Cluster):
    url = psycopg_url(server.create_database())
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(psycopg.connect(url)) for _ in range(postgres.MAX_CONNECTIONS - 10)]
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert clients[-1].execute(count).fetchone() == (len(clients),)


def test_a_wrong_password_is_refused(server: postgres.Cluster):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgres.connect(server.port, "guess")


def test_it_listens_on_loopback_alone(server: postgres.Cluster):
    port = f"{server.port:04X}"
    listening = "0A"
    rows = [
        line.split()
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        for line in table.read_text(encoding="ascii").splitlines()[1:]
    ]
    bound_to = {row[1].split(":")[0] for row in rows if row[3] == listening and row[1].endswith(f":{port}")}
    assert bound_to == {"0100007F"}  # 127.0.0.1, in the kernel's byte order


def test_it_does_not_run_as_root(server: postgres.Cluster):
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert (server.directory / "data").stat().st_uid == Path(f"/proc/{server.pid}").stat().st_uid


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


class BrokenTestError(Exception):
    """What a test that fails raises."""


def break_amid_a_transaction(stack: contextlib.ExitStack, seen: list[postgres.Cluster]) -> None:
    with postgres.cluster() as server:
        seen.append(server)
        # Held open beyond the block: the server must not wait for its clients.
        connection = stack.enter_context(contextlib.closing(postgres.connect(server.port, server.password)))
        connection.execute("BEGIN")
        raise BrokenTestError


def test_it_is_gone_afterwards_though_the_test_failed_amid_a_transaction():
    seen: list[postgres.Cluster] = []
    with contextlib.ExitStack() as stack:
        with pytest.raises(BrokenTestError):
            break_amid_a_transaction(stack, seen)
        (server,) = seen
        assert not alive(server.pid)
        assert not server.directory.exists()
        with pytest.raises(psycopg.OperationalError):
            postgres.connect(server.port, server.password)


def test_two_servers_run_side_by_side(server: postgres.Cluster):
    with postgres.cluster() as second:
        assert second.port != server.port
        with pytest.raises(psycopg.OperationalError):
            postgres.connect(server.port, second.password)


def test_a_server_that_cannot_start_is_an_error_with_its_log(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(postgres.SETTINGS, "max_connections", "none")
    with pytest.raises(postgres.PeerError, match='parameter "max_connections"'), postgres.cluster():
        pytest.fail("there is no such server")


def test_the_newest_version_is_taken_by_number(tmp_path: Path):
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    assert postgres.find_programs(tmp_path) == tmp_path / "17" / "bin"


def test_without_postgresql_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(postgres.PeerError, match="apt-get install postgresql"):
        postgres.find_programs(tmp_path)
