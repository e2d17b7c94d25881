"""The command line: `bot …`. Each command imports what it needs when it runs, so that `bot --help` is quick."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actions.core.errors import ConfigurationError, DomainError, NiangjiarenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from bot.app import App
    from bot.settings import Settings

_ROLES = ["all", "web", "worker"]
_NOW = click.option("--now", "now_text", metavar="ISO", help="当作现在的时刻，如 2026-11-22T09:00+08:00")


class _Group(click.Group):
    """Faults of operators end with one line and exit code 1, never with a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NiangjiarenError as error:
            click.echo(f"错误：{error}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """娘家人：教职工工会的聊天助手。"""


def _settings() -> Settings:
    from bot.settings import load_settings  # noqa: PLC0415

    return load_settings()


def _now(text: str | None) -> datetime:
    from actions.core.zones import SHANGHAI  # noqa: PLC0415
    from bot.app import utc_now  # noqa: PLC0415

    if text is None:
        return utc_now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no ISO 8601 time", param_hint="--now") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def _wants_demo(settings: Settings, *, asked: bool | None) -> bool:
    """The demo world is for the first run: asked for, set, or the embedded default with no settings file."""
    from bot.settings import settings_path  # noqa: PLC0415

    if asked is not None:
        return asked
    if settings.demo is not None:
        return settings.demo
    return settings.embedded and not settings_path().exists()


# --- running


@main.command()
@click.option(
    "--role", type=click.Choice(["all", "web", "worker"]), default="all", help="只运行一部分（需要 PostgreSQL）"
)
@click.option("--demo/--no-demo", default=None, help="空数据库里放不放示例数据")
def serve(role: str, *, demo: bool | None) -> None:
    """启动服务：聊天页、接口、提醒。"""
    from bot.logs import configure  # noqa: PLC0415

    settings = _settings()
    configure(settings.log_level)
    if role != "all" and settings.embedded:
        raise ConfigurationError("--role needs PostgreSQL: set NJR_DATABASE__URL=postgresql+psycopg://…")
    _run(_serve(settings, role, demo=_wants_demo(settings, asked=demo)))


async def _serve(settings: Settings, role: str, *, demo: bool) -> None:
    from bot import app as root  # noqa: PLC0415
    from bot.serving import serve as run  # noqa: PLC0415

    click.echo("准备语言模型（数据变了才会重新训练，约十秒）…")
    app = root.build(settings)
    filled = await root.prepare(app, demo=demo, say=click.echo)
    if filled:
        await _first_officer(app)
    address = settings.http.public_url or f"http://{settings.http.host}:{settings.http.port}"
    click.echo(f"聊天页：{address}/")
    click.echo(f"干部入口：{address}/console/")
    await run(app, role=role)


async def _first_officer(app: App) -> None:
    """The demo's union officer gets a one-time password; elsewhere `bot admin create` does it."""
    from bot.demo import OFFICER  # noqa: PLC0415

    password = await _create_administrator(app, *OFFICER)
    click.echo(f"校工会干部（示例）{OFFICER[1]}，工号 {OFFICER[0]}，一次性口令：{password}")


@main.command()
@click.option("--as", "who", default="", help="示例世界里的谁，默认林一帆")
def chat(who: str) -> None:
    """在终端里和它说话。"""
    from bot.logs import configure  # noqa: PLC0415

    configure("warning")
    _run(_chat(_settings(), who))


async def _chat(settings: Settings, who: str) -> None:
    from bot import app as root  # noqa: PLC0415
    from bot.channels.terminal import TerminalChannel, converse  # noqa: PLC0415
    from bot.demo import load_world  # noqa: PLC0415

    terminal = TerminalChannel()
    app = root.build(settings, senders=[terminal])
    await root.prepare(app, demo=_wants_demo(settings, asked=None), say=click.echo)
    world = load_world(settings.data_dir)
    name = who or world.default
    click.echo(f"您现在是{name}（示例）。直接打字，Ctrl-D 结束。")
    async with app.running():
        try:
            sender = world.sender(name)
        except KeyError as error:
            raise ConfigurationError(f"--as: nobody in the demo world is called {name!r}") from error
        await converse(app.gateway.receive, sender=sender, lines=_lines(), write=click.echo, pushed=terminal.pushed)


async def _lines() -> AsyncIterator[str]:
    while True:
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return
        yield line.rstrip("\n")


# --- looking


@main.command()
def check() -> None:
    """检查设置、服务目录、措辞、训练数据、迁移；有问题就说出文件和行号，退出码 1。"""
    from bot.checks import faults  # noqa: PLC0415

    found = asyncio.run(faults())
    for fault in found:
        click.echo(fault, err=True)
    if found:
        click.echo(f"{len(found)} 处问题", err=True)
        sys.exit(1)
    click.echo("都对")


@main.command()
@_NOW
def parse(now_text: str | None) -> None:
    """标准输入每行一个 JSON {"text","now"?}，按原顺序输出理解结果。"""
    _run(_parse(_settings(), now_text))


async def _parse(settings: Settings, now_text: str | None) -> None:
    from bot import app as root  # noqa: PLC0415
    from bot.parsing import parse_line  # noqa: PLC0415

    pipeline = root.build_parser(settings)
    now = _now(now_text)
    for line in sys.stdin.buffer:
        click.echo(json.dumps(await parse_line(pipeline, line, now), ensure_ascii=False))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_NOW
@click.option("--json", "as_json", is_flag=True, help="每个对话一行 JSON（不加则便于人读）")
def replay(file: Path, now_text: str | None, *, as_json: bool) -> None:
    """在装着示例世界的临时数据库里演一遍对话。"""
    _run(_replay(_settings(), file, _now(now_text), as_json=as_json))


async def _replay(settings: Settings, file: Path, now: datetime, *, as_json: bool) -> None:
    from bot import app as root  # noqa: PLC0415
    from bot.replay import play_file  # noqa: PLC0415

    async for result in play_file(file, settings, root.build_pipeline(settings), now):
        click.echo(json.dumps(result, ensure_ascii=False, indent=None if as_json else 2, default=str))


# --- doing


@main.command()
@click.argument("command")
@click.option("--as", "staff_id", required=True, metavar="工号", help="以谁的身份")
@click.option("--json", "arguments", default="{}", metavar="ARGS", help="参数，JSON")
def do(command: str, staff_id: str, arguments: str) -> None:
    """执行一个命令，输出 JSON；退出码 0 完成，1 被拒绝，2 用法不对。"""
    try:
        given = json.loads(arguments)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--json: {error}") from error
    if not isinstance(given, dict):
        raise click.UsageError("--json: expected an object")
    sys.exit(asyncio.run(_do(_settings(), command, staff_id, given)))


async def _do(settings: Settings, command: str, staff_id: str, arguments: dict[str, Any]) -> int:
    from bot import app as root  # noqa: PLC0415

    app = root.build(settings, pipeline=root.NO_NLU)
    await root.prepare(app, demo=_wants_demo(settings, asked=None))
    try:
        outcome = await root.execute(app, staff_id, command, arguments)
    except DomainError as error:
        reason = app.house.wording.text(f"errors.{error.code}", error.params)
        click.echo(json.dumps({"done": False, "code": error.code, "reason": reason}, ensure_ascii=False))
        return 2 if error.code in ("unknown_command", "bad_arguments") else 1
    finally:
        await app.house.database.close()
    told = app.house.wording.text(outcome.wording, outcome.params)
    body = {"done": True, "said": told, "subject": outcome.subject, "data": dict(outcome.data)}
    click.echo(json.dumps(body, ensure_ascii=False, default=str))
    return 0


@main.command()
def migrate() -> None:
    """把数据库升级到最新结构。"""
    from bot import app as root  # noqa: PLC0415

    async def work() -> None:
        app = root.build(_settings(), pipeline=root.NO_NLU)
        await root.prepare(app, demo=False, say=click.echo)
        await app.house.database.close()

    _run(work())


@main.group()
def admin() -> None:
    """管理员。"""


@admin.command("create")
@click.option("--staff-id", prompt="工号", help="工号")
@click.option("--name", prompt="姓名", help="姓名")
def admin_create(staff_id: str, name: str) -> None:
    """创建第一位管理员，给出一次性口令。"""
    from bot import app as root  # noqa: PLC0415

    async def work() -> None:
        app = root.build(_settings(), pipeline=root.NO_NLU)
        await root.prepare(app, demo=False)
        password = await _create_administrator(app, staff_id, name)
        click.echo(f"管理员 {name}（{staff_id}）的一次性口令：{password}")
        await app.house.database.close()

    _run(work())


async def _create_administrator(app: App, staff_id: str, name: str) -> str:
    from bot import app as root  # noqa: PLC0415

    outcome = await root.execute(app, "", "membership.create_administrator", {"staff_id": staff_id, "full_name": name})
    return str(outcome.data["password"])


@main.group()
def keys() -> None:
    """接口密钥与加密密钥。"""


@keys.command("create")
@click.argument("name")
def keys_create(name: str) -> None:
    """给一个服务端调用方发一把接口密钥；只显示这一次。"""
    from bot import app as root  # noqa: PLC0415

    async def work() -> None:
        app = root.build(_settings(), pipeline=root.NO_NLU)
        await root.prepare(app, demo=False)
        click.echo(await root.create_api_key(app, name))
        await app.house.database.close()

    _run(work())


@keys.command("vault")
def keys_vault() -> None:
    """生成一把加密密钥，放进 NJR_VAULT__KEYS。"""
    from actions.blocks.vault import new_key  # noqa: PLC0415

    click.echo(f"k1:{new_key()}")


@main.group()
def demo() -> None:
    """示例世界。"""


@demo.command("members")
@click.argument("count", type=click.IntRange(1, 100_000))
def demo_members(count: int) -> None:
    """再加 COUNT 位已绑定的示例会员（web 渠道的 demo-1…）。"""
    from bot import app as root  # noqa: PLC0415
    from bot.demo import add_members  # noqa: PLC0415

    async def work() -> None:
        settings = _settings()
        app = root.build(settings, pipeline=root.NO_NLU)
        await root.prepare(app, demo=_wants_demo(settings, asked=None))
        first, last = await add_members(app.house, count, app.clock())
        click.echo(f"加好了：{first} … {last}")
        await app.house.database.close()

    _run(work())


@main.group()
def members() -> None:
    """会员名册。"""


@members.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def members_import(file: Path) -> None:
    """从 Excel 读入名册；有问题的行逐行说明，其余照常导入。"""
    from bot import app as root  # noqa: PLC0415
    from bot.rosters import import_roster  # noqa: PLC0415

    async def work() -> None:
        app = root.build(_settings(), pipeline=root.NO_NLU)
        await root.prepare(app, demo=False)
        clean = await import_roster(app, file, click.echo)
        await app.house.database.close()
        if not clean:
            sys.exit(1)

    _run(work())


if __name__ == "__main__":
    main()
