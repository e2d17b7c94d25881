"""E-mail against a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.policy
import ipaddress
import ssl
from contextlib import asynccontextmanager
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from bot.channels.email import EmailChannel
from bot.delivery import Delivery
from bot.messages import Address, Outbound, SendError, Senders
from bot.settings import MailSettings
from tests.membership.world import Sitting, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import Envelope, Session

TEXT = "绑定工号的验证码\n您的验证码是 123456，10 分钟内有效。\n不要转告任何人。"


class Mailbox:
    """What the server took; `answer` is what it says to a recipient or to the text."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.rcpt = ""
        self.data = ""

    async def handle_RCPT(self, _s: SMTP, _e: Session, envelope: Envelope, address: str, _o: list[str]) -> str:  # noqa: N802
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data
        self.envelopes.append(envelope)
        return "250 taken"

    def mail(self) -> EmailMessage:
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        return message_from_bytes(envelope.content, policy=email.policy.default)


@asynccontextmanager
async def serving(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    """A server on a free port of loopback."""
    over_tls = options.pop("over_tls", None)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, hostname="test", **options), "127.0.0.1", 0, ssl=over_tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def channel(port: int, **changes: Any) -> EmailChannel:
    settings = {"host": "127.0.0.1", "port": port, "sender": "娘家人 <union@example.edu.cn>", "tls": "none"}
    return EmailChannel(MailSettings(**{**settings, **changes}))


def letter(to: str = "sun@example.edu.cn") -> Outbound:
    return Outbound(address=Address(channel="email", conversation=to), text=TEXT, id=7)


async def refused(mail: EmailChannel, message: Outbound) -> SendError:
    with pytest.raises(SendError) as caught:
        await mail.send(message)
    assert "sun@" not in caught.value.reason
    assert "123456" not in caught.value.reason
    return caught.value


async def test_a_letter_arrives_with_its_first_line_as_subject():
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        await channel(port).send(letter())
    assert mailbox.envelopes[0].rcpt_tos == ["sun@example.edu.cn"]
    assert mailbox.envelopes[0].mail_from == "union@example.edu.cn"
    mail = mailbox.mail()
    assert mail["Subject"] == "绑定工号的验证码"
    assert mail["From"] == "娘家人 <union@example.edu.cn>"
    assert mail["Message-ID"] == "<niangjiaren-7@example.edu.cn>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail.get_content().split() == TEXT.split()[1:]


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such user", True), ("451 try later", False)])
async def test_a_refused_recipient(answer: str, permanent: bool):
    mailbox = Mailbox()
    mailbox.rcpt = answer
    async with serving(mailbox) as port:
        error = await refused(channel(port), letter())
    assert (error.permanent, error.reason) == (permanent, f"smtp {answer[:3]}")


@pytest.mark.parametrize(("answer", "permanent"), [("554 spam", True), ("452 mailbox full", False)])
async def test_a_refused_text(answer: str, permanent: bool):
    mailbox = Mailbox()
    mailbox.data = answer
    async with serving(mailbox) as port:
        error = await refused(channel(port), letter())
    assert error.permanent is permanent


async def test_a_server_that_is_away_is_tried_again():
    async with serving(Mailbox()) as port:
        pass
    assert (await refused(channel(port), letter())).permanent is False


@pytest.mark.parametrize("settings", [{"host": ""}, {"sender": ""}])
async def test_where_no_server_is_set_nothing_is_tried(settings: dict[str, str]):
    assert (await refused(channel(1, **settings), letter())).permanent is True


@pytest.mark.parametrize("address", ["sun@example.edu.cn\nBcc: all@example.edu.cn", "sun@example.edu.cn\r\nX: y"])
async def test_an_address_that_smuggles_a_header_is_not_written_to(address: str):
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        assert (await refused(channel(port), letter(address))).permanent is True
    assert mailbox.envelopes == []


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for 127.0.0.1, and the file that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, public


def authenticator(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"union", b"secret")
    return AuthResult(success=good, handled=False)


async def test_starttls_and_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    context, public = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    mailbox = Mailbox()
    options = {"tls_context": context, "authenticator": authenticator, "auth_required": True}
    async with serving(mailbox, **options) as port:
        mail = channel(port, tls="starttls", username="union", password=SecretStr("secret"))
        await mail.send(letter())
        assert mailbox.mail()["Subject"] == "绑定工号的验证码"
        wrong = channel(port, tls="starttls", username="union", password=SecretStr("guess"))
        assert (await refused(wrong, letter())).reason == "smtp 535"


async def test_tls_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    context, public = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    mailbox = Mailbox()
    async with serving(mailbox, over_tls=context) as port:
        await channel(port, tls="tls").send(letter())
    assert len(mailbox.envelopes) == 1


async def test_a_server_that_nobody_vouches_for_gets_no_code(tmp_path: Path):
    context, _ = certificate(tmp_path)
    mailbox = Mailbox()
    async with serving(mailbox, tls_context=context) as port:
        await refused(channel(port, tls="starttls"), letter())
    async with serving(mailbox) as port:
        await refused(channel(port, tls="starttls"), letter())
    assert mailbox.envelopes == []


async def test_from_the_question_to_the_mailbox_and_back(world: World):
    """The whole way: the form asks, the queue sends, the server takes it, the code binds."""
    world.rule(verification="email")
    sitting = Sitting(world, "new")
    await sitting.try_pair("20210107", "孙悦")
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        senders = Senders(by_channel={"email": channel(port)})
        delivery = Delivery(world.database, world.vault, world.wording, senders, lambda: world.now, text_hours=24)
        assert len(await delivery.flush()) == 1
    assert mailbox.envelopes[0].rcpt_tos == ["sun@example.edu.cn"]
    code = next(word for word in mailbox.mail().get_content().replace("，", " ").split() if word.isdigit())
    assert await sitting.say(code=code) == ["membership.bound"]
    assert await world.bound_to("new") == "孙悦"
