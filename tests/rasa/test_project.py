"""The Rasa project that is generated: complete, and the same for the same data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from actions.core.errors import ConfigurationError
from bot.__main__ import main
from bot.lives import load_services
from bot.rasa.project import Project, project
from bot.rasa.training import cut, need
from bot.settings import ROOT, Settings
from bot.trained import Trained, known_models
from bot.understanding import intent_kinds
from nlu.data import read
from nlu.rasa.server import Launch, token_in

if TYPE_CHECKING:
    from pathlib import Path

INTENTS = tuple(intent_kinds(Settings().data_dir))
RECIPE = (ROOT / "config.yml").read_text(encoding="utf-8")


def made(url: str = "") -> Project:
    return project(INTENTS, load_services(Settings()), RECIPE, actions_url=url)


def part(name: str, url: str = "") -> Any:
    return yaml.safe_load(made(url).files[name])


def test_each_intent_has_one_rule_and_its_place_in_the_domain() -> None:
    begun = [rule["steps"][0]["intent"] for rule in part("data/rules.yml")["rules"] if "intent" in rule["steps"][0]]
    assert begun == [*INTENTS, "nlu_fallback"]
    assert part("domain.yml")["intents"] == begun


def test_rules_name_only_actions_and_forms_that_are_there() -> None:
    domain = part("domain.yml")
    named = {step["action"] for rule in part("data/rules.yml")["rules"] for step in rule["steps"] if "action" in step}
    validated = {f"validate_{form}" for form in domain["forms"]}
    assert named == (set(domain["actions"]) | set(domain["forms"])) - validated
    assert validated <= set(domain["actions"])


def test_every_form_asks_for_every_field_and_the_confirmation() -> None:
    domain, services = part("domain.yml"), load_services(Settings())
    for form, asked in domain["forms"].items():
        service = services[form.removesuffix("_form")]
        wanted = [f"{service.id}_{item.key}" for item in service.form] + [f"{service.id}_ready"]
        assert asked["required_slots"] == wanted
        assert set(wanted) <= set(domain["slots"])
    assert all(slot["influence_conversation"] is False for slot in domain["slots"].values())


def test_a_counselling_intent_opens_the_form_and_a_crisis_never_does() -> None:
    rules = {rule["rule"]: rule for rule in part("data/rules.yml")["rules"]}
    assert rules["book_counseling"]["steps"][1:] == [
        {"action": "counseling_form"},
        {"active_loop": "counseling_form"},
    ]
    assert rules["crisis"]["steps"] == [{"intent": "crisis"}, {"action": "action_assistant"}]


def test_the_key_is_named_and_never_written() -> None:
    endpoint = part("endpoints.yml", "http://127.0.0.1:8080/api/v1/rasa/webhook")["action_endpoint"]
    assert endpoint["headers"] == {"Authorization": "Bearer ${RASA_ACTION_KEY}"}
    assert endpoint["url"] == "http://127.0.0.1:8080/api/v1/rasa/webhook"


def test_without_an_address_rasa_opens_no_channel() -> None:
    assert not part("endpoints.yml")
    assert not part("credentials.yml")


def test_a_model_depends_on_the_recipe_and_not_on_where_the_actions_are() -> None:
    assert made().hash == made("http://127.0.0.1:1").hash
    other = project(INTENTS, load_services(Settings()), RECIPE + "\n# another", actions_url="")
    assert other.hash != made().hash


def test_a_slice_is_the_same_each_time_and_holds_every_intent(tmp_path: Path) -> None:
    data = ROOT / "data" / "nlu"
    first = cut(data, tmp_path / "a.yml", 3).read_bytes()
    assert cut(data, tmp_path / "b.yml", 3).read_bytes() == first
    examples = read(tmp_path / "a.yml")
    counts = {intent: sum(example.intent == intent for example in examples) for intent in INTENTS}
    assert set(counts.values()) == {3}


def test_models_are_known_by_what_lies_beside_them(tmp_path: Path) -> None:
    for name, at in (("rasa-old", "2026-01-01T00:00:00Z"), ("rasa-new", "2026-02-01T00:00:00Z"), ("rasa-gone", "2027")):
        model = Trained(name=name, data="d", project="p", examples=1, seconds=1.0, trained_at=at)
        model.keep(tmp_path)
        model.path(tmp_path).touch()
    (tmp_path / "rasa-gone.tar.gz").unlink()
    (tmp_path / "rasa-bad.json").write_text("{", encoding="utf-8")
    (tmp_path / "rasa-odd.json").write_text(json.dumps({"name": "x"}), encoding="utf-8")
    assert [model.name for model in known_models(tmp_path)] == ["rasa-new", "rasa-old"]


def test_without_rasa_it_is_told_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="bot rasa install"):
        need(tmp_path)


def test_the_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    token = token_in(tmp_path / "rasa")
    assert token_in(tmp_path / "rasa") == token
    assert len(token) > 30
    assert (tmp_path / "rasa" / "token").stat().st_mode & 0o777 == 0o600


def test_a_server_is_started_for_this_machine_alone_with_no_secret_in_its_arguments(tmp_path: Path) -> None:
    launch = Launch(venv=tmp_path, model=tmp_path / "m.tar.gz", token="t0ken", project=tmp_path, action_key="k3y")
    command = launch.command
    assert command[command.index("--interface") + 1] == "127.0.0.1"
    assert not any("t0ken" in word or "k3y" in word for word in command)
    assert (launch.environment["RASA_SERVER_TOKEN"], launch.environment["RASA_ACTION_KEY"]) == ("t0ken", "k3y")
    assert launch.environment["RASA_TELEMETRY_ENABLED"] == "false"


def test_beyond_this_machine_it_is_not_served_without_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NJR_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("NJR_SETTINGS", str(tmp_path / "none.yml"))
    done = CliRunner().invoke(main, ["rasa", "serve", "--host", "0.0.0.0"])
    assert done.exit_code == 1
    assert "NJR_NLU__RASA__TOKEN" in done.output
