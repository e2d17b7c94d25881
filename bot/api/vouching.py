"""`/api/v1/members`: a system in which members are signed in already tells, with proof, which member an account is.

The proof is an assertion: a JWT (RFC 7519, 7523) that the system's back end signs with ES256. Its private key never
leaves that system; the key of the interface names the public one. An assertion is for one account, good for minutes,
and counts once.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from actions.core.tables import ApiKey
from actions.membership.sso import BindBySso, Proof
from bot.api.callers import CHANNEL, Caller, actor_of, called_for
from bot.api.errors import DONE, ApiError
from bot.api.once import Named, command_once, once_of, spent
from bot.api.parts import Api, State, house_of

router = APIRouter(prefix="/api/v1/members", tags=["会员"])

AUDIENCE = "niangjiaren"
#: An assertion may be good for so long, and clocks may differ by so much.
LONGEST = timedelta(minutes=5)
_LEEWAY_SECONDS = 30
_STATUS = {"sso_unknown": 403, "sso_left": 403, "sso_name": 403, "forbidden": 403}

_EXAMPLE: dict[str, Any] = {
    "sender": "e-home-20180312",
    "assertion": "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJlLWhvbWUi…",
}


_BOUND: dict[str, Any] = {"staff_id": "20180312", "said": "绑好了，林一帆老师。"}


class Vouching(BaseModel):
    """Whose an account is."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    sender: str = Field(
        min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$", description="账号，以密钥的前缀开头"
    )
    assertion: str = Field(
        min_length=1,
        max_length=4096,
        description="ES256 的 JWT：iss 密钥的名字，aud niangjiaren，sub 工号，sender 同上，iat、exp（最多 5 分钟），"
        "jti 每份不同；可以有 name，给了就和名册核对",
    )


class Bound(BaseModel):
    """Whose it is now."""

    model_config = ConfigDict(json_schema_extra={"example": _BOUND})

    staff_id: str = Field(description="工号")
    said: str = Field(description="可以直接给老师看")


@router.post("", summary="绑定：这个账号是哪位会员", response_model=Bound, responses=DONE)
async def vouch(
    vouching: Vouching,
    request: Request,
    caller: Annotated[Caller, Depends(called_for("vouch"))],
    api: Api,
    named: Named = "",
) -> Response:
    """绑一次就行，以后对话、我的事都认得；本人随时可以在对话里说“解除绑定”。只给有 `vouch` 权限的密钥。"""
    house, key = house_of(api), caller.key
    if key is None:
        raise ApiError(401, "bad_key", headers={"WWW-Authenticate": "Bearer"})
    who = caller.speaking(vouching.sender)

    async def work(session: AsyncSession) -> Bound:
        claims = _claims(api, key, vouching)
        if await spent(session, f"jti\x1f{key.id}\x1f{claims['jti']}", api):
            raise ApiError(409, "used_assertion")
        now = api.parts.now()
        proof = Proof(
            staff_id=claims["sub"],
            name=str(claims.get("name") or ""),
            channel=CHANNEL,
            sender=who,
            conversation=who,
            until=now + timedelta(minutes=1),
        )
        actor = await actor_of(session, who)
        command = BindBySso(proof=proof.sealed(house.vault))
        outcome = await house.bus.execute(command, house.context(session, actor, now))
        return Bound(staff_id=claims["sub"], said=api.parts.say(outcome.wording, outcome.params))

    answer = await command_once(api, await once_of(request, caller, who, named), work, _STATUS)
    api.parts.after_commit()
    return answer


def _claims(api: State, key: ApiKey, vouching: Vouching) -> Mapping[str, Any]:
    """What an assertion says, where it is proved and in time. Raises ApiError, with what is wrong of it."""
    claims = _decoded(key, vouching.assertion)
    expected = {"iss": key.name, "aud": AUDIENCE, "sender": vouching.sender}
    for name, value in expected.items():
        if claims.get(name) != value:
            raise _bad(name)
    for name, longest in (("sub", 20), ("jti", 64)):
        if (
            not isinstance(claims.get(name), str)
            or not 0 < len(claims[name]) <= longest
            or not claims[name].isprintable()
        ):
            raise _bad(name)
    begun, ends = claims.get("iat"), claims.get("exp")
    if type(begun) is not int or type(ends) is not int:
        raise _bad("iat、exp")
    now = api.parts.now().timestamp()
    if not begun - _LEEWAY_SECONDS <= now < ends + _LEEWAY_SECONDS or not 0 < ends - begun <= LONGEST.total_seconds():
        raise _bad("iat、exp")
    return claims


def _decoded(key: ApiKey, assertion: str) -> Mapping[str, Any]:
    from joserfc import jwt  # noqa: PLC0415 - for those who vouch
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import ECKey  # noqa: PLC0415

    try:
        # One algorithm: whoever could choose would choose none.
        return jwt.decode(assertion, ECKey.import_key(key.public_key), algorithms=["ES256"]).claims
    except (JoseError, ValueError, TypeError) as error:
        raise _bad("签名") from error


def _bad(reason: str) -> ApiError:
    return ApiError(403, "bad_assertion", reason=reason)
