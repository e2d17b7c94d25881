"""The commands of `bot rasa`. Each imports what it needs when it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actions.core.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.rasa.project import Project
    from bot.settings import Settings
    from bot.trained import Trained


@click.group()
def rasa() -> None:
    """Rasa：第二个理解引擎，装在它自己的环境里。"""


def _settings() -> Settings:
    from bot.logs import configure  # noqa: PLC0415
    from bot.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    configure("warning")
    return settings


def venv_of(settings: Settings) -> Path:
    """Where Rasa is installed."""
    own = settings.nlu.rasa.venv
    return Path(own).expanduser().absolute() if own else settings.var_dir / "rasa-venv"


@rasa.command()
@click.option("--again", is_flag=True, help="已经装好也重装")
def install(*, again: bool) -> None:
    """按锁文件装好 Rasa 3.6.21（约 2.5 GB），用找到的 Python 3.10。"""
    from nlu.rasa import environment  # noqa: PLC0415

    settings = _settings()
    venv = venv_of(settings)
    if environment.installed(venv) and not again:
        click.echo(f"已经装好了：{venv}")
        return
    try:
        python = environment.find_python(settings.nlu.rasa.python)
        click.echo(f"用 {python} 装到 {venv}…")
        environment.install(venv, python)
    except environment.RasaEnvironmentError as error:
        raise ConfigurationError(str(error)) from error
    click.echo("装好了。接着：bot rasa train")


@rasa.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Rasa 格式的语料，默认 data/nlu")
@click.option("--slice", "most", type=click.IntRange(min=2), help="每个意图只用这么多句，试一试用")
@click.option("--again", is_flag=True, help="语料和配方没变也重新训练")
@click.option("--write-only", is_flag=True, help="只生成 Rasa 项目（var/rasa/project），不训练")
def train(data: Path | None, most: int | None, *, again: bool, write_only: bool) -> None:
    """用 config.yml 的配方训练；语料和配方没变就用上次的。"""
    from bot.rasa import training  # noqa: PLC0415

    settings = _settings()
    venv, source, folder = venv_of(settings), data or settings.data_dir / "nlu", settings.var_dir / "rasa"
    made = _project(settings)
    if most is not None:
        source = training.cut(source, folder / "slice.yml", most)
    if write_only:
        made.write(folder / "project")
        click.echo(f"项目：{folder / 'project'}")
        return
    model = training.train(venv, made, source, folder, again=again)
    click.echo(f"模型：{model.path(folder / 'models')}（{model.examples} 句，训练 {model.seconds:.0f} 秒）")


def prepared(settings: Settings) -> tuple[Path, Trained, Path]:
    """Rasa's environment, the model of the data and the recipe as they are (trained where need be), and its file."""
    from bot.rasa import training  # noqa: PLC0415

    venv, folder = venv_of(settings), settings.var_dir / "rasa"
    model = training.train(venv, _project(settings), settings.data_dir / "nlu", folder)
    return venv, model, model.path(folder / "models")


@rasa.command()
@click.option("--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="默认最近训练的")
@click.option("--host", default="127.0.0.1", help="监听地址；在容器里才改")
@click.option("--port", default=5005, type=click.IntRange(1, 65535))
def serve(model: Path | None, host: str, port: int) -> None:
    """启动 Rasa；只在本机，要口令，不向外报告。"""
    from bot.rasa import training  # noqa: PLC0415
    from nlu.rasa.server import Launch, token_in  # noqa: PLC0415

    settings = _settings()
    folder, own = settings.var_dir / "rasa", settings.nlu.rasa
    if host not in ("127.0.0.1", "::1", "localhost") and not own.token.get_secret_value():
        raise ConfigurationError(f"--host {host}: NJR_NLU__RASA__TOKEN must be set where other machines may ask")
    training.need(venv_of(settings))
    chosen = model.resolve() if model else latest(settings).path(folder / "models")
    made = _project(settings)
    made.write(folder / "project")
    launch = Launch(
        venv=venv_of(settings),
        model=chosen,
        host=host,
        port=port,
        token=own.token.get_secret_value() or token_in(folder),
        project=folder / "project" if own.actions_url else None,
        action_key=own.action_key.get_secret_value(),
    )
    click.echo(f"Rasa 用 {chosen.name}，监听 {host}:{port}（要等半分钟左右）…")
    os.chdir(folder)  # it writes beside itself
    os.execve(launch.command[0], launch.command, launch.environment)  # noqa: S606 -- its signals are its own


@rasa.command()
@click.option(
    "--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="默认最近训练的；写旧的就是退回"
)
@click.option("--force", is_flag=True, help="比正在用的差也换")
def load(model: Path | None, *, force: bool) -> None:
    """给正在运行的 Rasa 换模型，不停机；先在 data/evaluation 上评，差了就不换。"""
    import asyncio  # noqa: PLC0415

    from bot.rasa import loading, training  # noqa: PLC0415
    from bot.trained import known_models, refuse_worse  # noqa: PLC0415
    from nlu.rasa.server import token_in  # noqa: PLC0415

    settings = _settings()
    venv, folder, own = venv_of(settings), settings.var_dir / "rasa", settings.nlu.rasa
    models, data = folder / "models", settings.data_dir / "nlu"
    training.need(venv)
    new, token = loading.choose(models, model), own.token.get_secret_value() or token_in(folder)
    name = loading.running(own.url, token)
    old = next((known for known in known_models(models) if known.name == name), None)
    evaluation = settings.data_dir / "evaluation"
    new = asyncio.run(loading.judged(venv, new, models, data, evaluation))
    if old is not None and not force:
        refuse_worse(new, asyncio.run(loading.judged(venv, old, models, data, evaluation)))
    loading.load(own.url, token, new.path(models))
    click.echo(f"换好了：{name} → {new.told()}")


@rasa.command()
def models() -> None:
    """列出训练过的模型，新的在前。"""
    from bot.trained import known_models  # noqa: PLC0415

    folder = _settings().var_dir / "rasa" / "models"
    for model in known_models(folder):
        click.echo(f"{model.trained_at}  {model.examples} 句  {model.told()}  {model.path(folder)}")


def latest(settings: Settings) -> Trained:
    """The model that was trained last. Raises ConfigurationError where there is none."""
    from bot.trained import known_models  # noqa: PLC0415

    found = known_models(settings.var_dir / "rasa" / "models")
    if not found:
        raise ConfigurationError("no Rasa model has been trained yet: run `bot rasa train`")
    return found[0]


def _project(settings: Settings) -> Project:
    from bot.lives import load_services  # noqa: PLC0415
    from bot.rasa.project import project  # noqa: PLC0415
    from bot.settings import ROOT  # noqa: PLC0415
    from bot.understanding import intent_kinds  # noqa: PLC0415

    return project(
        intent_kinds(settings.data_dir),
        load_services(settings),
        (ROOT / "config.yml").read_text(encoding="utf-8"),
        actions_url=settings.nlu.rasa.actions_url,
    )
