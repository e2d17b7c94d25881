"""`bot keys …`: keys of the interface made, listed and revoked; the vault's made and changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App


@contextlib.asynccontextmanager
async def _opened() -> AsyncIterator[App]:
    """The assistant with its database up to date and no NLU."""
    from bot import app as root  # noqa: PLC0415 - `bot --help` is quick
    from bot.logs import configure  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415
    from bot.understanding import NO_NLU  # noqa: PLC0415

    settings = load_settings()
    configure("warning")
    app = root.build(settings, pipeline=NO_NLU)
    try:
        await root.prepare(app, demo=False)
        yield app
    finally:
        await app.house.database.close()


@click.group()
def keys() -> None:
    """接口密钥与加密密钥。"""


@keys.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="只许做什么，可以写几次；不写就是 vouch、bridge 以外的")
@click.option("--senders", default="", metavar="PREFIX", help="只能替以它开头的 sender 说话，如 e-home-")
@click.option("--per-minute", type=int, help="一分钟最多几次请求")
@click.option("--days", type=click.IntRange(1, 3650), help="几天后失效，默认一直有效")
@click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="vouch 用：对方公钥的 PEM 文件（P-256）",
)
def keys_create(name: str, **options: Any) -> None:
    """给一个服务端调用方发一把接口密钥；只显示这一次。"""
    from bot.keys import NewKey, create_key  # noqa: PLC0415

    async def work() -> None:
        async with _opened() as app:
            new = NewKey(name=name, **_options(app.clock(), **options))
            click.echo(await create_key(app.house.database, new, app.clock()))

    asyncio.run(work())


def _options(now: datetime, *, days: int | None, public_key: Path | None, **given: Any) -> dict[str, Any]:
    """What was said of a new key; the rest is as usual."""
    if days is not None:
        given["expires_at"] = now + timedelta(days=days)
    if public_key is not None:
        given["public_key"] = public_key.read_text(encoding="utf-8", errors="replace")
    return {name: value for name, value in given.items() if value not in (None, "", ())}


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="每把一行 JSON")
def keys_list(*, as_json: bool) -> None:
    """有哪些接口密钥，各能做什么，最近哪天用过；看不到密钥本身。"""
    from bot.keys import list_keys, told_of  # noqa: PLC0415

    async def work() -> None:
        async with _opened() as app:
            for row in await list_keys(app.house.database):
                told = told_of(row, app.clock())
                if as_json:
                    click.echo(json.dumps(told, ensure_ascii=False).encode())
                else:
                    click.echo("\t".join(str(value) for value in told.values()))

    asyncio.run(work())


@keys.command("revoke")
@click.argument("name")
def keys_revoke(name: str) -> None:
    """停用一把接口密钥，马上生效。"""
    from bot.keys import revoke_key  # noqa: PLC0415

    async def work() -> None:
        async with _opened() as app:
            await revoke_key(app.house.database, name, app.clock())
            click.echo(f"停用了：{name}")

    asyncio.run(work())


@keys.command("vault")
def keys_vault() -> None:
    """生成一把加密密钥，放进 NJR_VAULT__KEYS。"""
    from actions.blocks.vault import new_key  # noqa: PLC0415

    click.echo(f"k1:{new_key()}")


@keys.command("rotate")
def keys_rotate() -> None:
    """换加密密钥：用旧密钥加密的，都换成最新那把。可以随时停下再来，助手照常运行。"""
    from bot.rekeying import rotate_keys  # noqa: PLC0415

    async def work() -> None:
        async with _opened() as app:
            await rotate_keys(app, click.echo)

    asyncio.run(work())
