"""The one error root. An error carries a code and parameters; its wording is in data/responses/errors.yml."""

from __future__ import annotations

from typing import Any


class NiangjiarenError(Exception):
    """Root of every error that this project raises on purpose."""


class ConfigurationError(NiangjiarenError):
    """What an operator must mend: the message names the setting, file and line, or peer."""


class DomainError(NiangjiarenError):
    """A rule that refuses what a member or officer asked for.

    `code` names the sentence in data/responses/errors.yml; `params` fill it. `field` is the form's field that has
    to be answered anew, where there is one.
    """

    def __init__(self, code: str, *, field: str | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.params = params


class ForbiddenError(DomainError):
    """The actor does not hold the right that a command asks for."""

    def __init__(self, code: str = "forbidden", **params: Any) -> None:
        super().__init__(code, **params)
