"""One-time codes: made, hashed under the vault's key, sent by e-mail, and read out of what was typed."""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from actions.core.notify import Letter, cancel_notices, send_letter
from actions.membership import tries
from actions.membership.tables import BindingRequest

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.core.tables import Member
    from actions.membership.rules import MembershipRules

#: Letters and digits that are not mistaken for one another when read aloud or typed.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
_INVITE = re.compile(rf"(?<![A-Z0-9])[{ALPHABET}]{{5}}-?[{ALPHABET}]{{5}}(?![A-Z0-9])")


def read_code(text: str) -> str:
    """The six digits of an answer, or nothing."""
    found = _DIGITS.search(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
    return found[0] if found else ""


def read_invite(text: str) -> str:
    """The ten characters of an invite code in an answer, or nothing."""
    found = _INVITE.search(re.sub(r"\s*-\s*", "-", unicodedata.normalize("NFKC", text)).upper())
    return found[0].replace("-", "") if found else ""


def new_invite() -> str:
    """A fresh invite code, fifty bits, as it is handed out."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def invite_hash(context: Context, code: str) -> str:
    """What is kept of an invite code."""
    return context.vault.pseudonym(f"invite:{code.replace('-', '')}")


def fits(context: Context, request: BindingRequest, code: str) -> bool:
    """Whether it is the request's code."""
    return hmac.compare_digest(_code_hash(context, request, code), request.code_hash)


def _code_hash(context: Context, request: BindingRequest, code: str) -> str:
    return context.vault.pseudonym(f"code:{request.id}:{code}")


def expired(context: Context, rules: MembershipRules, request: BindingRequest) -> bool:
    """Whether the code's time is over; told alike for requests that never had one."""
    sent = request.code_sent_at
    return sent is None or sent + timedelta(minutes=rules.code_minutes) <= context.now


async def send(context: Context, rules: MembershipRules, request: BindingRequest) -> None:
    """Gives a request a new code, unless the last is fresh. What matches no mailbox gets one that nobody knows."""
    pause = timedelta(seconds=rules.resend_seconds)
    if request.code_sent_at is not None and context.now < request.code_sent_at + pause:
        return
    recipient = await _recipient(context, rules, request, pause)
    code = f"{secrets.randbelow(10**6):06d}" if recipient else secrets.token_hex()
    request.code_hash, request.code_sent_at, request.failures = _code_hash(context, request, code), context.now, 0
    if request.state == "checked":
        request.expires_at = context.now + timedelta(minutes=rules.code_minutes)
    if recipient is not None:
        await _mail(context, rules, request, recipient, code)
    await context.session.flush()


async def _recipient(
    context: Context, rules: MembershipRules, request: BindingRequest, pause: timedelta
) -> Member | None:
    """Whom a mail goes to: one a minute for a member whoever asks, and as many in a window as there are tries."""
    member = request.member
    if member is None or not member.email or request.state != "checked":
        return None
    query = select(func.max(BindingRequest.code_sent_at)).where(
        BindingRequest.member_id == member.id, BindingRequest.id != request.id
    )
    last = (await context.session.execute(query)).scalar_one()
    mails = await tries.take(context, rules, tries.mail_key(context, member.id))
    if (last is not None and context.now < last + pause) or mails.left == 0:
        return None
    mails.count()
    return member


async def _mail(context: Context, rules: MembershipRules, request: BindingRequest, member: Member, code: str) -> None:
    # An earlier code that still waits in the queue would arrive after this one, and not fit.
    await cancel_notices(context, request.subject)
    letter = Letter(
        channel="email",
        conversation=member.email,
        wording="mail.binding_code",
        params={"code": code, "minutes": rules.code_minutes},
        subject=request.subject,
        expires=context.now + timedelta(minutes=rules.code_minutes),
    )
    await send_letter(context, letter)
