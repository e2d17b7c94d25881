"""`bot keys rotate` as an operator runs it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from actions.blocks.vault import new_key, parse_keys

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_on_the_default_a_key_is_added_then_used(bot: Cli) -> None:
    path = bot.var / "vault.key"
    bot("migrate")  # whatever makes the house makes its first key
    first = path.read_text()
    added = bot("keys", "rotate")
    assert added.code == 0
    assert "k2" in added.out
    assert "重启" in added.out
    assert path.read_text().startswith(f"{first},k2:")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    changed = bot("keys", "rotate")
    assert changed.code == 0
    assert "改用密钥 k2" in changed.out
    assert list(parse_keys(path.read_text())) == ["k1", "k2"]


def test_with_keys_of_the_settings_the_operator_adds_one(bot: Cli) -> None:
    one = f"a:{new_key()}"
    refused = bot("keys", "rotate", NJR_VAULT__KEYS=one)
    assert refused.code != 0
    assert "NJR_VAULT__KEYS" in refused.err
    assert bot("keys", "rotate", NJR_VAULT__KEYS=f"{one},b:{new_key()}").code == 0
