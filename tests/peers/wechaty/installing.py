"""The gateway's packages, installed from their lock file into a cache outside of what git sees."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from bot.settings import ROOT

HERE: Final = Path(__file__).resolve().parent
_LOCKED: Final = ("package.json", "package-lock.json", ".npmrc")
_SECONDS = 600.0


def installed() -> Path:
    """The folder with the gateway and its packages; installs them where they are not there, or others than locked.

    It lies under NIANGJIAREN_PEERS, or in var/. Raises RuntimeError where npm is missing or fails.
    """
    home = Path(os.environ.get("NIANGJIAREN_PEERS") or ROOT / "var" / "peers")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _LOCKED)).hexdigest()
    folder = home / f"wechaty-{digest[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "wechaty.lock").open("w") as lock:
        # Several workers of pytest ask at once: one installs.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / ".done").exists():
            _install(folder)
        # A module finds its packages from where it lies.
        shutil.copy2(HERE / "gateway.mjs", folder)
    return folder


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is missing: apt-get install nodejs npm")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _LOCKED:
        shutil.copy2(HERE / name, folder)
    done = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, timeout=_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"npm ci: exit {done.returncode}\n{done.stderr.decode(errors='replace')[-4_000:]}")
    (folder / "node_modules" / ".done").touch()
