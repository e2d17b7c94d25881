"""The command line: `bot …`. Each command imports what it needs when it runs, so that `bot --help` is quick."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from actions.core.errors import ConfigurationError, DomainError
from bot.broadcasting import broadcast, chase
from bot.model_commands import models
from bot.rasa.commands import rasa

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.app import App
    from bot.settings import HttpSettings, Settings

_NOW = click.option("--now", "now_text", metavar="ISO", help="当作现在的时刻，如 2026-11-22T09:00+08:00")


class _Group(click.Group):
    """Faults of operators end with one line and exit code 1, never with a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from bot.logs import told_in_short  # noqa: PLC0415

            told = told_in_short(error)
            if not told:
                raise
            click.echo(f"错误：{told}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """娘家人：教职工工会的聊天助手。"""


def _settings(*, quiet: bool = True) -> Settings:
    """The settings, with logs set up: on stderr, warnings alone where the command's own output is what matters."""
    from bot.logs import configure  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    configure("warning" if quiet else settings.log_level)
    return settings


@contextlib.asynccontextmanager
async def _opened(*, demo: bool) -> AsyncIterator[App]:
    """The assistant with its database up to date and no NLU. What a command refuses is told in words."""
    from bot import app as root  # noqa: PLC0415
    from bot.understanding import NO_NLU  # noqa: PLC0415

    app = root.build(_settings(), pipeline=NO_NLU)
    try:
        await root.prepare(app, demo=demo)
        yield app
    except DomainError as error:
        raise ConfigurationError(app.house.wording.text(f"errors.{error.code}", error.params)) from error
    finally:
        await app.house.database.close()


def _print_json(value: Any, *, indent: int | None = None) -> None:
    """UTF-8 whatever the terminal's locale; half a character that somebody sent becomes the escape that JSON has."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    click.echo(text.encode("utf-8", "backslashreplace"))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _now(text: str | None) -> datetime:
    from actions.core.zones import SHANGHAI  # noqa: PLC0415

    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no ISO 8601 time", param_hint="--now") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


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
    "--role",
    type=click.Choice(["all", "web", "worker", "telegram", "wechaty"]),
    default="all",
    help="只运行一部分（需要 PostgreSQL；wechaty 是微信桥，不碰数据库）",
)
@click.option("--demo/--no-demo", default=None, help="空数据库里放不放示例数据")
def serve(role: str, *, demo: bool | None) -> None:
    """启动服务：聊天页、接口、提醒。"""
    settings = _settings(quiet=False)
    if role == "wechaty":
        from bot.channels.wechaty.bridge import serve_bridge  # noqa: PLC0415

        asyncio.run(serve_bridge(settings))
        return
    if role != "all" and settings.database_url.startswith("sqlite"):
        raise ConfigurationError("--role needs PostgreSQL: set NJR_DATABASE__URL=postgresql+psycopg://…")
    signal.signal(signal.SIGTERM, _end)
    asyncio.run(_serve(settings, role, demo=_wants_demo(settings, asked=demo)))


def _end(_number: int, _frame: object) -> NoReturn:
    """Told to stop: what is open is closed on the way out."""
    raise SystemExit(0)


async def _serve(settings: Settings, role: str, *, demo: bool) -> None:
    from bot import app as root  # noqa: PLC0415
    from bot.rosters import first_officer  # noqa: PLC0415
    from bot.serving import serve as run  # noqa: PLC0415

    serves_http = role in ("all", "web")
    if serves_http:
        _refuse_taken_port(settings.http)
    click.echo("准备语言模型（第一次要训练，约一分钟）…")
    app = root.build(settings)
    await root.prepare(app, demo=demo, say=click.echo)
    if note := await first_officer(app):
        click.echo(note)
    if serves_http:
        address = settings.http.public_url or f"http://{settings.http.host}:{settings.http.port}"
        click.echo(f"聊天页：{address}/")
        click.echo(f"干部入口：{address}/console/")
    await run(app, role=role)


def _refuse_taken_port(http: HttpSettings) -> None:
    """Said before anything is prepared. Raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((http.host, http.port))
        except OSError as error:
            message = f"http: {http.host}:{http.port}: {error.strerror}; NJR_HTTP__PORT sets another port"
            raise ConfigurationError(message) from error


@main.command()
@click.option("--as", "who", default="", help="示例世界里的谁，默认林一帆")
def chat(who: str) -> None:
    """在终端里和它说话。"""
    asyncio.run(_chat(_settings(), who))


async def _chat(settings: Settings, who: str) -> None:
    from bot import app as root  # noqa: PLC0415
    from bot.channels.terminal import TerminalChannel, converse  # noqa: PLC0415

    terminal = TerminalChannel()
    app = root.build(settings, senders=[terminal])
    await root.prepare(app, demo=_wants_demo(settings, asked=None), say=click.echo)
    async with app.running():
        sender, name = await _speaker(app, who)
        click.echo(f"您现在是{name}。直接打字，Ctrl-D 结束。")
        await converse(app.gateway.receive, sender=sender, lines=_lines(), write=click.echo, pushed=terminal.pushed)


async def _speaker(app: App, who: str) -> tuple[str, str]:
    """Sender and name: somebody of the demo world where it is there, else a visitor whom nobody knows."""
    from bot.demo import is_demo  # noqa: PLC0415
    from bot.world import load_world  # noqa: PLC0415

    world = load_world(app.settings.data_dir)
    if not await is_demo(app.house.database, world):
        if who:
            raise ConfigurationError("--as: the demo world is not in this database")
        return "terminal", "新来的访客"
    name = who or world.default
    try:
        return world.sender(name), f"{name}（示例）"
    except KeyError as error:
        raise ConfigurationError(f"--as: nobody in the demo world is called {name!r}") from error


async def _lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        yield line.decode("utf-8", "replace").rstrip("\r\n")


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


# --- understanding

_ENGINE = click.option("--engine", type=click.Choice(["embedded", "rasa"]), help="用哪个引擎，默认照设置 nlu.engine")
_MODEL = click.option(
    "--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="bot train --out 写的文件夹"
)


def _with_engine(engine: str | None, model: Path | None) -> Settings:
    """The settings, with another engine where one is asked for."""
    settings = _settings()
    if engine == "rasa" and model is not None:
        raise click.UsageError("--model: a folder of `bot train` holds a model of the embedded engine")
    if engine is None:
        return settings
    return settings.model_copy(update={"nlu": settings.nlu.model_copy(update={"engine": engine})})


@main.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="语料：Rasa YAML 或 JSONL，文件或文件夹")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="模型写到哪个文件夹，默认 var/models/own")
def train(data: Path | None, out: Path | None) -> None:
    """用语料训练内置引擎（默认 data/nlu），输出 JSON。"""
    settings = _settings()
    from bot.learning import train_model  # noqa: PLC0415

    _print_json(train_model(data or settings.data_dir / "nlu", out or settings.var_dir / "models" / "own"))


@main.command("eval")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@_ENGINE
@_MODEL
@_NOW
@click.option("--json", "as_json", is_flag=True, help="输出一个 JSON")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="把混淆图（SVG）画到这个文件")
def evaluate(
    file: Path, engine: str | None, model: Path | None, now_text: str | None, picture: Path | None, *, as_json: bool
) -> None:
    """用标注好的消息评测引擎：准确率、混淆、范围外 AUROC、误认同意、耗时。"""
    settings = _with_engine(engine, model)
    from bot import learning  # noqa: PLC0415

    found = asyncio.run(learning.evaluate(learning.parser_of(settings, model), file, _now(now_text)))
    if picture is not None:
        found.draw(picture)
    if as_json:
        _print_json(found.report.to_json())
    else:
        click.echo(found.report.table())


@main.command()
@_ENGINE
@_MODEL
@_NOW
def parse(engine: str | None, model: Path | None, now_text: str | None) -> None:
    """标准输入每行一个 JSON {"text","now"?}，按原顺序输出理解结果。"""
    asyncio.run(_parse(_with_engine(engine, model), model, now_text))


async def _parse(settings: Settings, model: Path | None, now_text: str | None) -> None:
    from bot.learning import parser_of  # noqa: PLC0415
    from bot.parsing import parse_line  # noqa: PLC0415

    now = _now(now_text)
    pipeline = parser_of(settings, model)
    for line in sys.stdin.buffer:
        _print_json(await parse_line(pipeline, line, now))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_NOW
@click.option("--json", "as_json", is_flag=True, help="每个对话一行 JSON（不加则便于人读）")
def replay(file: Path, now_text: str | None, *, as_json: bool) -> None:
    """在装着示例世界的临时数据库里演一遍对话。"""
    asyncio.run(_replay(_settings(), file, _now(now_text), as_json=as_json))


async def _replay(settings: Settings, file: Path, now: datetime, *, as_json: bool) -> None:
    from bot.replay import play_file  # noqa: PLC0415
    from bot.understanding import build_pipeline  # noqa: PLC0415

    async for result in play_file(file, settings, build_pipeline(settings), now):
        _print_json(result, indent=None if as_json else 2)


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
    from bot.understanding import NO_NLU  # noqa: PLC0415

    app = root.build(settings, pipeline=NO_NLU)
    await root.prepare(app, demo=_wants_demo(settings, asked=None))
    try:
        outcome = await root.execute(app, staff_id, command, arguments)
    except DomainError as error:
        reason = app.house.wording.text(f"errors.{error.code}", error.params)
        _print_json({"done": False, "code": error.code, "reason": reason})
        return 2 if error.code in ("unknown_command", "bad_arguments") else 1
    finally:
        await app.house.database.close()
    told = app.house.wording.text(outcome.wording, outcome.params)
    _print_json({"done": True, "said": told, "subject": outcome.subject, "data": dict(outcome.data)})
    return 0


@main.command()
def migrate() -> None:
    """把数据库升级到最新结构。"""

    async def work() -> None:
        async with _opened(demo=False):
            click.echo("数据库是最新的。")

    asyncio.run(work())


@main.group()
def admin() -> None:
    """管理员。"""


@admin.command("create")
@click.option("--staff-id", prompt="工号", help="工号")
@click.option("--name", prompt="姓名", help="姓名")
def admin_create(staff_id: str, name: str) -> None:
    """创建第一位管理员，给出一次性口令。"""
    from bot.rosters import create_administrator  # noqa: PLC0415

    async def work() -> None:
        async with _opened(demo=False) as app:
            password = await create_administrator(app, staff_id, name)
            click.echo(f"管理员 {name}（{staff_id}）的一次性口令：{password}")

    asyncio.run(work())


@main.group()
def keys() -> None:
    """接口密钥与加密密钥。"""


@keys.command("create")
@click.argument("name")
def keys_create(name: str) -> None:
    """给一个服务端调用方发一把接口密钥；只显示这一次。"""
    from bot import app as root  # noqa: PLC0415

    async def work() -> None:
        async with _opened(demo=False) as app:
            click.echo(await root.create_api_key(app, name))

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
        async with _opened(demo=False) as app:
            await rotate_keys(app, click.echo)

    asyncio.run(work())


@main.group()
def demo() -> None:
    """示例世界。"""


@demo.command("members")
@click.argument("count", type=click.IntRange(1, 100_000))
def demo_members(count: int) -> None:
    """再加 COUNT 位已绑定的示例会员（web 渠道的 demo-1…）；空数据库先放进示例世界。"""
    from bot.demo import add_members, is_demo  # noqa: PLC0415
    from bot.world import load_world  # noqa: PLC0415

    async def work() -> None:
        async with _opened(demo=True) as app:
            if not await is_demo(app.house.database, load_world(app.settings.data_dir)):
                raise ConfigurationError("demo members: this database holds real members, not the demo world")
            first, last = await add_members(app.house, count, app.clock())
            click.echo(f"加好了：{first} … {last}")

    asyncio.run(work())


@main.group()
def members() -> None:
    """会员名册。"""


@members.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def members_import(file: Path) -> None:
    """从 Excel 读入名册；有问题的行逐行说明，其余照常导入；有问题时退出码 1。"""
    from bot.rosters import import_roster  # noqa: PLC0415

    async def work() -> bool:
        async with _opened(demo=False) as app:
            return await import_roster(app, file, click.echo)

    if not asyncio.run(work()):
        sys.exit(1)


main.add_command(broadcast)
main.add_command(chase)
main.add_command(models)
main.add_command(rasa)

if __name__ == "__main__":
    main()
