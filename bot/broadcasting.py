"""`bot broadcast` and `bot chase`: telling many from the command line, by the commands of chat and console."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actions.core.errors import ConfigurationError, DomainError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from actions.core.batches import Tally
    from actions.core.tables import Account
    from bot.app import App

_LOOK_SECONDS = 0.3
#: Rows that wait longer than this (the quiet hours, the cap) are not waited for.
_PATIENCE = timedelta(minutes=2)


@click.command()
@click.option(
    "--to", required=True, metavar="SEGMENT", help="发给谁：全体，单位:文学院 且 非 角色:分工会干部，也可以是 JSON"
)
@click.option("--text", required=True, help="原文，一字不改")
@click.option("--title", default="", help="列表里显示的标题")
@click.option("--link", default="", help="链接")
@click.option("--topic", default="", help="类别，见 data/topics.yml；不写就按内容猜")
@click.option(
    "--picture",
    "pictures",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="图片，可以写几次；要同时写 --as",
)
@click.option("--receipt", "answer_in_days", type=click.IntRange(0, 60), help="要大家回“收到”，几个工作日内")
@click.option("--at", "at_text", default="", metavar="ISO", help="什么时候发，默认马上")
@click.option(
    "--as", "staff_id", default="", metavar="工号", help="以哪位干部的身份；不写是本机的运维人员，不用第二人同意"
)
@click.option("--preview", is_flag=True, help="只数人数、看会发成什么样，不发")
@click.option("--wait", is_flag=True, help="等发完，显示进度")
@click.option("--json", "as_json", is_flag=True, help="最后的数字输出为 JSON")
def broadcast(**options: Any) -> None:
    """群发通知，按账本报数。"""
    asyncio.run(_broadcast(options))


@click.command()
@click.argument("number", metavar="NUMBER")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写成 Excel")
@click.option("--as", "staff_id", default="", metavar="工号", help="以哪位干部的身份")
@click.option("--send", is_flag=True, help="同时发给各单位的分工会干部")
def chase(number: str, out: Path | None, staff_id: str, *, send: bool) -> None:
    """催办表：第 NUMBER 号通知（别的事写“种类:编号”）还有谁没回，按单位。"""
    asyncio.run(_chase(number, out, staff_id, send=send))


async def _app() -> App:
    from bot import app as root  # noqa: PLC0415 - `bot --help` is quick
    from bot.logs import configure  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415
    from bot.understanding import NO_NLU  # noqa: PLC0415

    settings = load_settings()
    configure("warning")
    app = root.build(settings, pipeline=NO_NLU)
    await root.prepare(app, demo=False)
    return app


async def _execute(app: App, staff_id: str, command: str, arguments: dict[str, Any]) -> Any:
    """As `app.execute`; what is refused is told in words."""
    from bot import app as root  # noqa: PLC0415

    try:
        return await root.execute(app, staff_id, command, arguments)
    except DomainError as error:
        raise _refusal(app, error) from error


def _refusal(app: App, error: DomainError) -> ConfigurationError:
    """What is refused, in words."""
    return ConfigurationError(app.house.wording.text(f"errors.{error.code}", error.params))


async def _broadcast(options: dict[str, Any]) -> None:
    app = await _app()
    try:
        arguments = {key: options[key] for key in ("text", "title", "link", "topic", "answer_in_days")}
        arguments["to"] = _segment(options["to"])
        if options["at_text"]:
            arguments["at"] = _moment(options["at_text"]).isoformat()
        if options["preview"]:
            await _preview(app, options["staff_id"], arguments, as_json=options["as_json"])
            return
        arguments["files"] = await _kept(app, options["staff_id"], options["pictures"])
        outcome = await _execute(app, options["staff_id"], "announcements.announce", arguments)
        click.echo(app.house.wording.text(outcome.wording, outcome.params), err=options["as_json"])
        number = int(outcome.data["announcement_id"])
        if options["wait"]:
            await _wait(app, number, as_json=options["as_json"])
        await _told(app, number, as_json=options["as_json"])
    finally:
        await app.house.database.close()


async def _preview(app: App, staff_id: str, arguments: dict[str, Any], *, as_json: bool) -> None:
    """How many it is for, and what they would read."""
    outcome = await _execute(app, staff_id, "announcements.preview", {"to": arguments["to"]})
    if as_json:
        click.echo(json.dumps(dict(outcome.data), ensure_ascii=False))
        return
    shown = {"text": arguments["text"], "link": arguments["link"], "answer_by": ""}
    click.echo(app.house.wording.text(outcome.wording, outcome.params))
    click.echo("\n" + app.house.wording.text("announcements.text", shown))


async def _kept(app: App, staff_id: str, pictures: Sequence[Path]) -> list[str]:
    """Hands pictures over as the officer's own; their ids."""
    if not pictures:
        return []
    from bot.messages import Address  # noqa: PLC0415

    account = await _account(app, staff_id)
    if account is None:
        raise click.UsageError("--picture: 要写 --as 工号，是哪位绑定过账号的干部发的图片")
    address = Address(
        channel=account.channel, account=account.account, conversation=account.conversation or account.sender
    )
    keys = []
    for path in pictures:
        with path.open("rb") as source:
            try:
                kept = await app.files.keep(address, account.sender, path.name, source)
            except DomainError as error:
                raise _refusal(app, error) from error
        keys.append(kept.id)
    return keys


async def _account(app: App, staff_id: str) -> Account | None:
    """The account with which an officer was heard last."""
    from sqlalchemy import select  # noqa: PLC0415

    from actions.core.tables import Account, Member  # noqa: PLC0415

    query = select(Account).join(Member, Member.id == Account.member_id).where(Member.staff_id == staff_id)
    async with app.house.database.read() as session:
        return (await session.execute(query.order_by(Account.heard_at.desc()).limit(1))).scalars().first()


def _segment(text: str) -> str | dict[str, Any]:
    """The short text form, or JSON."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(str(error), param_hint="--to") from error
    return dict(found)


def _moment(text: str) -> datetime:
    from actions.core.zones import SHANGHAI  # noqa: PLC0415

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no ISO 8601 time", param_hint="--at") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


async def _wait(app: App, number: int, *, as_json: bool) -> None:
    """Sends along until nothing more can be sent now, with a bar for people and none for programs."""
    sending = asyncio.create_task(app.delivery.run())
    try:
        async for standing in _standings(app, number, pause=_LOOK_SECONDS):
            if not as_json:
                _show(standing)
        if not as_json:
            click.echo(err=True)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def _standings(app: App, number: int, *, pause: float) -> AsyncIterator[Tally]:
    """How it stands, again and again, until it is done or the rest has to wait for its hour."""
    while True:
        state, standing = await _standing(app, number)
        if state == "scheduled":
            await app.sweep()
        yield standing
        if state not in ("scheduled", "sent") or (state == "sent" and not await _goes_on(app, number)):
            return
        await asyncio.sleep(pause)


async def _standing(app: App, number: int) -> tuple[str, Tally]:
    from actions.announcements import store  # noqa: PLC0415
    from actions.announcements.tables import Announcement  # noqa: PLC0415
    from actions.core.commands import SYSTEM  # noqa: PLC0415

    async with app.house.database.read() as session:
        row = await session.get_one(Announcement, number)
        return row.state, await store.standing(app.house.context(session, SYSTEM, app.clock()), row)


async def _goes_on(app: App, number: int) -> bool:
    """Whether a row is being handed over, or may be soon."""
    from sqlalchemy import or_, select  # noqa: PLC0415

    from actions.core.tables import Batch, Outgoing  # noqa: PLC0415

    soon = Outgoing.state.in_(("queued", "unknown")) & (Outgoing.due_at <= app.clock() + _PATIENCE)
    query = (
        select(Outgoing.id)
        .join(Batch, Batch.id == Outgoing.batch_id)
        .where(Batch.subject == f"announcement:{number}", or_(Outgoing.state == "sending", soon))
    )
    async with app.house.database.read() as session:
        return (await session.execute(query.limit(1))).first() is not None


def _show(standing: Tally, *, width: int = 30, write: Callable[..., None] = click.echo) -> None:
    """One line that is written over: a bar, and the ledger's counts."""
    total = standing.total
    settled = total - standing.waiting
    filled = width if not total else settled * width // total
    share = 100 if not total else settled * 100 // total
    counts = " ".join(f"{state} {count}" for state, count in sorted(standing.states.items()))
    write(f"\r{'█' * filled}{'░' * (width - filled)} {share:3d}% {settled}/{total}  {counts}\x1b[K", nl=False, err=True)


async def _told(app: App, number: int, *, as_json: bool) -> None:
    from actions.announcements import store  # noqa: PLC0415

    state, standing = await _standing(app, number)
    counts = {"announcement_id": number, "state": state, **store.counts(standing)}
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False))
        return
    outcome = await _execute(app, "", "announcements.progress", {"announcement_id": number})
    click.echo(app.house.wording.text(outcome.wording, outcome.params))


async def _chase(number: str, out: Path | None, staff_id: str, *, send: bool) -> None:
    app = await _app()
    try:
        arguments = {"ref": f"announcement:{number}" if number.isdecimal() else number, "send": send}
        outcome = await _execute(app, staff_id, "announcements.chase", arguments)
        click.echo(app.house.wording.text(outcome.wording, outcome.params))
        if out is not None:
            from actions.announcements.chasing import workbook  # noqa: PLC0415

            await asyncio.to_thread(out.write_bytes, workbook(app.house.wording.text, outcome.data))
            click.echo(str(out))
    finally:
        await app.house.database.close()
