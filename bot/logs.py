"""Structured logs without personal data: lines of JSON, or colours where somebody watches."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Sets up structlog and the standard library's logging on stderr."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    logging.basicConfig(level=max(number, logging.INFO), format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for chatty in ("alembic", "apscheduler", "uvicorn", "nlu"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))
