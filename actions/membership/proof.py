"""Taking the proof that a form holds, in the way that the rules choose.

A wrong answer is counted here, where a refusal is said and the turn still commits; a command that refuses leaves no
trace. What matches and what does not look alike until the last secret is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.core.errors import DomainError
from actions.core.life import Resolved
from actions.membership import codes, requests, tries
from actions.membership.commands import Bind
from actions.membership.people import matching
from actions.membership.tables import BindingInvite

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.core.tables import Member
    from actions.membership.rules import Form
    from actions.membership.tables import BindingRequest
    from actions.membership.tries import Tries


async def take_proof(context: Context, form: Form) -> Resolved:
    """Holds 工号, name and secret against the roster, once they are there.

    Refuses with binding_mismatch, and for a secret binding_code_wrong, binding_code_shape,
    binding_code_expired, binding_invite_shape; tells binding_code_sent and binding_restart.
    """
    if not form.staff_id or not form.name:
        return Resolved(values=form.values)
    keys = tries.account_key(context), tries.staff_key(context, form.staff_id)
    counted = await tries.take(context, form.rules, *keys)
    if counted.left == 0:
        return await _locked(context, form)
    if form.rules.verification == "officer":
        return await _by_officer(context, form, counted)
    if form.rules.verification == "invite":
        return await _by_invite(context, form, counted)
    return await _by_email(context, form, counted)


async def _mismatch(context: Context, form: Form, counted: Tries) -> Resolved:
    left = counted.count()
    if left == 0:
        return await _locked(context, form)
    return Resolved(values=form.emptied(), refusals=(DomainError("binding_mismatch", field=form.staff_key, left=left),))


async def _locked(context: Context, form: Form) -> Resolved:
    """Lets a form with no tries left through to its command, which refuses it: so it ends, and asks nothing more."""
    await _withdraw(context)
    return Resolved(values={form.rules.code_field: "", form.rules.invite_field: "", **form.values})


async def _withdraw(context: Context) -> None:
    """Ends the open request; one that quietly waits for an officer stays."""
    request = await requests.current(context)
    if request is not None and not request.quiet:
        await requests.end(context, request, "withdrawn")


def _again(form: Form, key: str, code: str) -> Resolved:
    """The secret is asked for once more; nothing was counted."""
    return Resolved(values=form.without(key), refusals=(DomainError(code, field=key),))


async def _by_officer(context: Context, form: Form, counted: Tries) -> Resolved:
    member = await matching(context, form.staff_id, form.name)
    if member is None:
        return await _mismatch(context, form, counted)
    await requests.start(context, form, member, way="officer", state="proved")
    return Resolved(values=form.values)


async def _by_invite(context: Context, form: Form, counted: Tries) -> Resolved:
    said = form.secret(form.rules.invite_field)
    if not said:
        return Resolved(values=form.values)
    if _says(form.rules.restart_words, said):
        return await _restart(context, form)
    code = codes.read_invite(said)
    if not code:
        return _again(form, form.rules.invite_field, "binding_invite_shape")
    member = await matching(context, form.staff_id, form.name)
    invite = await _unused(context, code)
    if member is None or invite is None or invite.member_id != member.id:
        return await _mismatch(context, form, counted)
    request = await requests.start(context, form, member, way="invite", state="proved")
    request.invite_id = invite.id
    return Resolved(values=form.values)


async def _unused(context: Context, code: str) -> BindingInvite | None:
    query = select(BindingInvite).where(
        BindingInvite.code_hash == codes.invite_hash(context, code),
        BindingInvite.used_at.is_(None),
        BindingInvite.expires_at > context.now,
    )
    return (await context.session.execute(query)).scalar_one_or_none()


async def _by_email(context: Context, form: Form, counted: Tries) -> Resolved:
    key, said = form.rules.code_field, form.secret(form.rules.code_field)
    request = await requests.current(context)
    if request is None or request.pair != requests.pair_of(context, form) or request.state == "proved":
        await _send_first(context, form)
        return Resolved(values=form.without(key))
    if not said:
        if codes.expired(context, form.rules, request):
            await codes.send(context, form.rules, request)
        return Resolved(values=form.values)
    if _says(form.rules.restart_words, said):
        return await _restart(context, form)
    if _says(form.rules.resend_words, said):
        await codes.send(context, form.rules, request)
        return _again(form, key, "binding_code_sent")
    return await _check_code(context, form, counted, request)


async def _check_code(context: Context, form: Form, counted: Tries, request: BindingRequest) -> Resolved:
    key = form.rules.code_field
    code = codes.read_code(form.secret(key))
    if not code:
        return _again(form, key, "binding_code_shape")
    if codes.expired(context, form.rules, request):
        return _again(form, key, "binding_code_expired")
    if codes.fits(context, request, code):
        request.state = "proved"
        return Resolved(values=form.values)
    return await _wrong_code(context, form, counted, request)


async def _send_first(context: Context, form: Form) -> None:
    """Sends a code, or seems to. Who has no mailbox is vouched for by an officer, and nothing tells so here."""
    member: Member | None = await matching(context, form.staff_id, form.name)
    request = await requests.start(context, form, member, way="email", state="checked")
    await codes.send(context, form.rules, request)
    if member is not None and not member.email:
        request.way, request.quiet, request.state = "officer", True, "proved"
        await context.bus.execute(Bind(staff_id=form.staff_id), context)


async def _wrong_code(context: Context, form: Form, counted: Tries, request: BindingRequest) -> Resolved:
    request.failures += 1
    left = counted.count()
    if left == 0:
        return await _locked(context, form)
    if request.failures >= form.rules.tries:
        await _withdraw(context)
        refusal = DomainError("binding_mismatch", field=form.staff_key, left=left)
        return Resolved(values=form.emptied(), refusals=(refusal,))
    refusal = DomainError("binding_code_wrong", field=form.rules.code_field, left=left)
    return Resolved(values=form.without(form.rules.code_field), refusals=(refusal,))


async def _restart(context: Context, form: Form) -> Resolved:
    await _withdraw(context)
    return Resolved(values=form.emptied(), refusals=(DomainError("binding_restart", field=form.staff_key),))


def _says(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)
