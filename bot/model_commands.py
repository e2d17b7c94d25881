"""The commands of `bot models`. Each imports what it needs when it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.models import Models

#: So much gentler than the house that answers beside it.
_NICE = 10


@click.group()
def models() -> None:
    """内嵌引擎的模型：哪个在用，换一个，退回。"""


def _models() -> Models:
    from bot.logs import configure  # noqa: PLC0415
    from bot.models import models_of  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    configure("warning")
    return models_of(settings)


@models.command("list")
def list_models() -> None:
    """列出评过的模型，新的在前；* 是正在用的。"""
    from bot.trained import known_models  # noqa: PLC0415

    found = _models()
    for model in known_models(found.folder):
        mark = "*" if model.name == found.current else " "
        click.echo(f"{mark} {model.trained_at}  {model.examples or '?'} 句  {model.told()}")


@models.command()
@click.option("--force", is_flag=True, help="比正在用的差也换")
def train(*, force: bool) -> None:
    """用现在的语料训练、评测；不比正在用的差就换上，不停机。"""
    os.nice(_NICE)
    found = _models()
    new = found.train()
    click.echo(f"{new.examples} 句，训练 {new.seconds:.0f} 秒。{new.told()}")
    _load(found, new.name, force=force)


@models.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="比正在用的差也换")
def load(name: str, *, force: bool) -> None:
    """换成 NAME；写旧的就是退回。先在 data/evaluation 上评，差了就不换。"""
    _load(_models(), name, force=force)


def _load(found: Models, name: str, *, force: bool) -> None:
    before = found.current
    new = found.load(name, force=force)
    click.echo(f"换好了：{before or '（没有）'} → {new.told()}。正在跑的几秒内跟上。")
