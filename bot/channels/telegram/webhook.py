"""`/webhooks/telegram`: what the platform calls, known by the secret that it sends along."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

if TYPE_CHECKING:
    from bot.channels.telegram.channel import TelegramChannel

_HEADER = "x-telegram-bot-api-secret-token"


def webhook_router(channel: TelegramChannel) -> APIRouter:
    """The route. 401 without the secret; 503 while messages are not taken in: the platform tries again."""
    router = APIRouter(tags=["渠道"])

    @router.post("/webhooks/telegram", include_in_schema=False)
    async def take(request: Request) -> Response:
        given = request.headers.get(_HEADER, "")
        if not hmac.compare_digest(given.encode(), channel.secret.encode()):
            return Response(status_code=401)
        try:
            update = json.loads(await request.body())
        except ValueError:
            return Response(status_code=400)
        return Response(status_code=200 if await channel.take(update) else 503)

    return router
