"""HTTP: the chat interface, pushed messages, the chat page, health and metrics. `create_api` builds it."""

from bot.api.app import create_api
from bot.api.limits import Limiter, Limits
from bot.api.metrics import Metrics
from bot.api.parts import ApiParts, Pace
from bot.api.provider import Provider, callback_url
from bot.api.server import serve
from bot.api.sessions import Sessions
from bot.api.signing_in import SingleSignOn

__all__ = [
    "ApiParts",
    "Limiter",
    "Limits",
    "Metrics",
    "Pace",
    "Provider",
    "Sessions",
    "SingleSignOn",
    "callback_url",
    "create_api",
    "serve",
]
