"""The Rasa project: domain, rules and endpoints, generated from the intents and the service catalogue.

Its training data is data/nlu and its recipe config.yml, as they are. Each service with a form becomes a Rasa form whose
messages are validated and whose commit is done by our action server; every other intent is answered by the assistant.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from bot.gateway.native import ASSISTANT, REQUESTED, Names, offered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from actions.core.catalogue import Catalogue, Declaration

#: What the FallbackClassifier predicts where it is not sure.
_FALLBACK: Final = "nlu_fallback"
_HEADER: Final = "# 由 bot rasa train 生成，改了会被覆盖。来源：data/intents.yml、data/services、config.yml。\n"
_SESSION_MINUTES: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """The files of a Rasa project as values; `files` maps a name to what goes into it."""

    files: Mapping[str, str]

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of what a model depends on: all but where the action server is."""
        parts = [f"{name}\n{text}" for name, text in sorted(self.files.items()) if name not in _PLACES]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Writes the files; folders are made."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


_PLACES: Final = ("endpoints.yml", "credentials.yml")


def project(intents: Iterable[str], catalogue: Catalogue, recipe: str, *, actions_url: str = "") -> Project:
    """The project.

    Args:
        intents: names of all intents.
        catalogue: the services.
        recipe: the text of config.yml.
        actions_url: where our action server is; empty where Rasa only parses.

    """
    names, forms = tuple(intents), offered(catalogue)
    endpoint = {
        "action_endpoint": {
            "url": actions_url,
            "headers": {"Authorization": "Bearer ${RASA_ACTION_KEY}"},
            # The domain is ours: there is no need to send it along with each call.
            "enable_selective_domain": True,
        }
    }
    return Project(
        files={
            "config.yml": recipe,
            "domain.yml": _yaml(_domain(names, forms.values())),
            "data/rules.yml": _yaml({"version": "3.1", "rules": _rules(names, forms)}),
            "endpoints.yml": _yaml(endpoint if actions_url else {}),
            "credentials.yml": _yaml({"rest": None} if actions_url else {}),
        }
    )


def _domain(intents: Iterable[str], services: Iterable[Declaration]) -> dict[str, Any]:
    declarations = {declaration.id: declaration for declaration in services}.values()
    slots: dict[str, Any] = {}
    for declaration in declarations:
        names = Names(service=declaration.id)
        texts = (*(names.slot(item.key) for item in declaration.form), names.state)
        slots |= {slot: _slot("text") for slot in texts} | {names.ready: _slot("bool")}
    return {
        "version": "3.1",
        "intents": [*intents, _FALLBACK],
        "slots": slots,
        "forms": {
            Names(service=each.id).form: {"required_slots": list(Names(service=each.id).slots(each))}
            for each in declarations
        },
        "actions": [
            ASSISTANT,
            *(
                name
                for each in declarations
                for name in (Names(service=each.id).validate, Names(service=each.id).commit)
            ),
        ],
        "session_config": {
            "session_expiration_time": _SESSION_MINUTES,
            "carry_over_slots_to_new_session": False,
        },
    }


def _slot(kind: str) -> dict[str, Any]:
    # Our action server fills them; no dialogue is learned, so none of them bears on a prediction.
    return {"type": kind, "influence_conversation": False, "mappings": [{"type": "custom"}]}


def _rules(intents: Iterable[str], forms: Mapping[str, Declaration]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for intent in (*intents, _FALLBACK):
        if intent in forms:
            form = Names(service=forms[intent].id).form
            steps: list[dict[str, Any]] = [{"intent": intent}, {"action": form}, {"active_loop": form}]
        else:
            steps = [{"intent": intent}, {"action": ASSISTANT}]
        rules.append({"rule": intent, "steps": steps})
    for service in dict.fromkeys(declaration.id for declaration in forms.values()):
        names = Names(service=service)
        ended: list[dict[str, Any]] = [
            {"action": names.form},
            {"active_loop": None},
            {"slot_was_set": [{REQUESTED: None}]},
        ]
        steps = [*ended, {"action": names.commit}]
        rules.append({"rule": names.commit, "condition": [{"active_loop": names.form}], "steps": steps})
    return rules


def _yaml(value: Mapping[str, Any]) -> str:
    return _HEADER + (yaml.safe_dump(dict(value), allow_unicode=True, sort_keys=False) if value else "")
