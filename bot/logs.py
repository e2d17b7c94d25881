"""What operators read: structured logs without personal data, and faults of their own in short."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

from actions.core.errors import NiangjiarenError
from nlu.data import DataError, ModelError

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure(level: str) -> None:
    """Sets up structlog and the standard library's logging on stderr: JSON lines, colours where somebody watches."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    last = _renderers()
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    named = [structlog.stdlib.add_logger_name, *shared]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=named, processors=[remove, *last]),
    )
    logging.basicConfig(level=max(number, logging.INFO), handlers=[handler], force=True)
    for chatty in ("alembic", "apscheduler", "httpcore", "httpx", "nlu", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))
    # It writes down what it cannot read, which is what somebody said.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)


def _renderers() -> list[Processor]:
    if sys.stderr.isatty():
        # Plain tracebacks: a prettier one shows local variables, and those are what members said.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def told_in_short(error: Exception) -> str:
    """A fault of the machine's or the operator's in a line or two; nothing for one of ours, which needs its trace."""
    if isinstance(error, NiangjiarenError | DataError | ModelError):
        return str(error)
    from sqlalchemy.exc import DatabaseError, OperationalError  # noqa: PLC0415 - only where something has failed

    # Exactly these: the others under DatabaseError tell of wrong statements, which are ours.
    if type(error) in (OperationalError, DatabaseError):
        return f"database: {str(getattr(error, 'orig', error)).strip()}"
    if isinstance(error, OSError) and error.filename:
        return str(error)
    return ""
