"""The sample of docs/channels does what it says, against a real `bot serve`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.settings import ROOT
from tests.peers.server import Server, Store, sqlite_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer

SAMPLE = ROOT / "docs" / "channels" / "e_home.py"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return sqlite_store(tmp_path)


def _keys(store: Store, folder: Path) -> tuple[str, Path]:
    """A key that vouches, made as an operator makes it, and the file of the private key."""
    made = generate_private_key(SECP256R1())
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    scopes = [word for scope in ("chat", "files", "events", "lists", "act", "vouch") for word in ("--scope", scope)]
    options = ["--senders", "e-home-", "--days", "30", "--public-key", str(public)]
    return store.bot("keys", "create", "e-home", *scopes, *options).strip(), private


def _run(server: Server, key: str, private: Path) -> subprocess.CompletedProcess[str]:
    own = {"UNION_URL": server.url, "UNION_KEY": key, "UNION_PRIVATE_KEY": str(private), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, str(SAMPLE)],
        env={**os.environ, **own},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_the_sample_binds_books_lists_and_cancels(store: Store, tmp_path: Path) -> None:
    with store.serving() as server:
        key, private = _keys(store, tmp_path)
        done = _run(server, key, private)
        assert done.returncode == 0, done.stderr + server.written
        bound, counted, *rest = done.stdout.splitlines()
        assert "林一帆" in bound
        assert re.fullmatch(r"[1-9]\d* 项服务，[1-9]\d* 项开放", counted)
        told = "\n".join(rest)
        assert "瑜伽室" in told
        assert "['cancel', 'move']" in told
        assert "取消" in rest[-1]
        listed = store.bot("keys", "list")
        assert "e-home-" in listed
        assert key not in listed
        store.bot("keys", "revoke", "e-home")
        refused = httpx.get(f"{server.url}/api/v1/services", headers={"Authorization": f"Bearer {key}"})
        assert refused.status_code == 401
        assert _run(server, key, private).stderr.strip().endswith("密钥不对或已停用，请用 bot keys create 发放的密钥。")


def test_the_sample_is_short() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    lines = text.partition('if __name__ == "__main__"')[0].partition("class Union")[2].splitlines()
    assert len([line for line in lines if line.strip()]) <= 60
