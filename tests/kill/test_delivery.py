"""The process dies while it delivers: what was to be said is said, and a repeat is known for one by its id."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import SecretStr
from sqlalchemy import select

from actions.core.tables import Outgoing
from bot.settings import ROOT, DatabaseSettings, MailSettings, Settings, VaultSettings
from tests.kill.courier import carry, write
from tests.peers.server import VAULT_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiosmtpd.smtp import Envelope, Session

    from tests.peers.server import Store

pytestmark = pytest.mark.peer

#: Who was not seen for so long is dead, and what they had in hand is anybody's again.
LEASE = timedelta(seconds=61)
SENDER = "union@example.edu.cn"


class Mailbox:
    """A mail server that keeps the Message-ID of everything it takes."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.port = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content or b""
        self.ids.append(message_from_bytes(content if isinstance(content, bytes) else content.encode())["Message-ID"])
        return "250 OK"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()
    await server.wait_closed()


def settings_of(store: Store, mailbox: Mailbox) -> Settings:
    """The settings that a courier of this process works by."""
    return Settings(
        var_dir=store.var,
        database=DatabaseSettings(url=store.url),
        vault=VaultSettings(keys=SecretStr(VAULT_KEY)),
        mail=MailSettings(host="127.0.0.1", port=mailbox.port, sender=SENDER, tls="none"),
    )


async def dying_courier(store: Store, mailbox: Mailbox, fault: str) -> int:
    """A courier in a process of its own; its exit code, negative for a signal."""
    mail = {"HOST": "127.0.0.1", "PORT": str(mailbox.port), "SENDER": SENDER, "TLS": "none"}
    env = {**store.env, "NJR_FAULT": fault, **{f"NJR_MAIL__{name}": value for name, value in mail.items()}}
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.kill.courier", cwd=ROOT, env=env)
    return await child.wait()


def last_state(store: Store) -> str | None:
    with store.session() as session:
        return session.scalar(select(Outgoing.state).order_by(Outgoing.id.desc()).limit(1))


async def deliver_through(store: Store, mailbox: Mailbox, fault: str) -> tuple[int, int]:
    """One letter, a death at the point, a courier within the lease and one after it; mails before and after it."""
    settings = settings_of(store, mailbox)
    await write(settings, "lin@example.edu.cn")
    assert await dying_courier(store, mailbox, fault) == -signal.SIGKILL
    assert last_state(store) == "sending"
    await carry(settings)
    before = len(mailbox.ids)
    await carry(settings, ahead=LEASE)
    assert last_state(store) == "sent"
    return before, len(mailbox.ids)


async def test_killed_before_sending_it_is_sent_once_the_lease_is_over(store: Store, mailbox: Mailbox) -> None:
    assert await deliver_through(store, mailbox, "delivery.claimed") == (0, 1)


async def test_killed_after_sending_it_is_sent_again_under_the_same_id(store: Store, mailbox: Mailbox) -> None:
    assert await deliver_through(store, mailbox, "delivery.sent") == (1, 2)
    assert len(set(mailbox.ids)) == 1
