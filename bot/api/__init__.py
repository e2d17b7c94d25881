"""HTTP: the chat interface, pushed messages, the chat page, health and metrics. `create_api` builds it."""

from bot.api.app import create_api
from bot.api.limits import Limiter, Limits
from bot.api.metrics import Metrics
from bot.api.parts import ApiParts, Pace
from bot.api.server import serve
from bot.api.sessions import Sessions

__all__ = ["ApiParts", "Limiter", "Limits", "Metrics", "Pace", "Sessions", "create_api", "serve"]
