"""E-mail by SMTP: carries one-time codes. A conversation of this channel is a mail address."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING

import aiosmtplib

from bot.messages import Outbound, SendError

if TYPE_CHECKING:
    from bot.settings import MailSettings

_TIMEOUT = 20.0
_LONGEST_SUBJECT = 60


class EmailChannel:
    """The sending half of e-mail: one connection per message. Nothing is read."""

    name = "email"
    pulled = False

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    async def send(self, message: Outbound) -> None:
        """Hands a message to the mail server.

        Raises SendError: permanent for an answer of 5xx, an address that is none, and where no server is set; a
        server that is away, slow, or answers 4xx is tried again. Its reason names no address and no text.
        """
        settings = self._settings
        if not settings.host or not settings.sender:
            raise SendError("mail.host and mail.sender are not set", permanent=True)
        try:
            await aiosmtplib.send(
                self._compose(message),
                hostname=settings.host,
                port=settings.port,
                username=settings.username or None,
                password=settings.password.get_secret_value() or None,
                use_tls=settings.tls == "tls",
                start_tls=settings.tls == "starttls",
                timeout=_TIMEOUT,
            )
        except aiosmtplib.SMTPException as error:
            code = _code(error)
            raise SendError(f"smtp {code or type(error).__name__}", permanent=500 <= code < 600) from error
        except OSError as error:
            raise SendError(f"smtp {type(error).__name__}") from error
        except ValueError as error:
            raise SendError("smtp: not a mail address", permanent=True) from error

    def _compose(self, message: Outbound) -> EmailMessage:
        """The first line is the subject, the rest the text. The id is the row's: a repeat is known for one."""
        subject, _, rest = message.text.strip().partition("\n")
        _, sender = parseaddr(self._settings.sender)
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = message.address.conversation
        mail["Subject"] = subject.strip()[:_LONGEST_SUBJECT]
        mail["Date"] = formatdate(localtime=True)
        mail["Message-ID"] = f"<niangjiaren-{message.id}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n\n".join(filter(None, (rest.strip() or subject, message.link))))
        return mail


def _code(error: aiosmtplib.SMTPException) -> int:
    """The server's answer; 0 where there was none."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return int(error.code)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return max((int(refused.code) for refused in error.recipients), default=0)
    return 0
