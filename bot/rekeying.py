"""`bot keys rotate`: the newest key takes the place of the older ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from actions.blocks.rotation import rotate
from actions.blocks.vault import AesVault, new_key, parse_keys
from actions.core.errors import ConfigurationError
from actions.core.tables import Base

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.app import App


async def rotate_keys(app: App, say: Callable[[str], None]) -> None:
    """Seals everything with the newest key, and says what became of it.

    Where there is only one key: on the embedded default one is added to var/vault.key, to be known to the running
    assistant first; elsewhere ConfigurationError says how. Raises ConfigurationError where something could not be
    opened.
    """
    vault = app.house.vault
    if not isinstance(vault, AesVault):
        raise ConfigurationError("keys rotate: this vault has no keys")
    if len(vault.names) == 1:
        _add(app, say)
        return
    done = await rotate(app.house.database, vault, Base.metadata, lambda count: say(f"已换 {count} 处…"))
    say(f"换好了：{done.resealed} 处改用密钥 {vault.current}。")
    if done.unreadable:
        raise ConfigurationError(f"keys rotate: {done.unreadable} texts do not open with any key of NJR_VAULT__KEYS")
    old = [name for name in vault.names[1:] if name != vault.current]
    if old:
        say(f"这些密钥可以删了：{'、'.join(old)}。")
    say(f"第一把 {vault.names[0]} 还要留着：化名由它算出，换了就对不上从前的审计。")


def _add(app: App, say: Callable[[str], None]) -> None:
    path: Path = app.settings.var_dir / "vault.key"
    if app.settings.vault.keys.get_secret_value() or not path.exists():
        raise ConfigurationError(
            "keys rotate: NJR_VAULT__KEYS holds one key; add a second one behind it (k1:…,k2:…; `bot keys vault` makes "
            "one), restart every process, then run this again"
        )
    keys = path.read_text(encoding="ascii").strip()
    name = f"k{len(parse_keys(keys)) + 1}"
    beside = path.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{keys},{name}:{new_key()}")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    say(f"加了一把新密钥 {name}（{path}）。先重启助手让它认得，再运行一次这条命令。")
