"""The catalogue: one declaration per service; a fault names file and line, a wrong setting names the setting."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from actions.appointments import Appointments
from actions.appointments.rules import AppointmentRules
from actions.core.catalogue import Catalogue, load_catalogue
from actions.core.errors import ConfigurationError
from bot.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RULES = {"appointment": Appointments.rules}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The two services of appointments, to be spoilt."""
    for name in ("counseling", "health_room"):
        shutil.copy(ROOT / "data" / "services" / f"{name}.yml", tmp_path)
    return tmp_path


def rules_of(catalogue: Catalogue, service: str) -> AppointmentRules:
    rules = catalogue[service].rules
    assert isinstance(rules, AppointmentRules)
    return rules


def spoil(folder: Path, old: str, new: str) -> int:
    """Replaces a text in counseling.yml; returns the line of what is there now."""
    path = folder / "counseling.yml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def fault(folder: Path, overrides: dict[str, Any] | None = None) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load_catalogue(folder, RULES, overrides)
    return str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("private: true", "privat: true", "privat: Extra inputs are not permitted"),
        ("horizon_days: 28", "horizon: 28", "rules.horizon: Extra inputs are not permitted"),
        ("horizon_days: 28", "horizon_days: 0", "rules.horizon_days: Input should be greater than 0"),
        ("horizon_days: 28", "minutes: 28", "the key 'minutes' is there twice"),
        ("life: appointment", "life: apointment", "life: 'apointment' is none of appointment"),
        ("id: counseling", "id: counselling", "id: must be the file's name, 'counseling'"),
        ("hours_before: 24,", "hours_before: -1,", "rules.reminders.0.hours_before: Input should be greater than 0"),
        ("type: contact", "type: kontact", "form.5.type: Input should be"),
        ("key: note", "key: Note", "form.6.key: String should match pattern"),
    ],
)
def test_a_fault_names_file_and_line(folder: Path, old: str, new: str, says: str):
    line = spoil(folder, old, new)
    assert fault(folder).startswith(f"{folder / 'counseling.yml'}:{line}: {says}")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("key: note", "key: mode", "form: a field's key is there twice"),
        ("type: slot", "type: text", "exactly one field of type slot"),
        ("type: offering", "type: text", "exactly one field of type offering"),
        ("type: consent", "type: yes_no", "the form has no field of type consent"),
        ("  consent: counseling", "  party_field: people", "rules.party_field: the form has no field 'people'"),
        (
            "type: text",
            "type: choice",
            "choices: are given for a field of type",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_told(folder: Path, old: str, new: str, says: str):
    spoil(folder, old, new)
    told = fault(folder)
    assert told.startswith(str(folder / "counseling.yml"))
    assert says in told


def test_every_fault_is_told_at_once(folder: Path):
    spoil(folder, "private: true", "privat: true\nnamd: 1")
    (folder / "health_room.yml").write_text("- 1\n", encoding="utf-8")
    (folder / "gym.yml").write_text("", encoding="utf-8")
    told = fault(folder, {"sauna": {"minutes": 3}}).splitlines()
    assert len(told) == 5
    assert {line.partition(":")[0].rpartition("/")[2] for line in told} == {
        "counseling.yml",
        "gym.yml",
        "health_room.yml",
        "settings",
    }
    assert "settings: services.sauna: there is no such service" in told


def test_settings_are_laid_over_the_rules(folder: Path):
    overrides = {"counseling": {"horizon_days": 14, "retention_days": 30, "reminders": []}}
    catalogue = load_catalogue(folder, RULES, overrides)
    rules = rules_of(catalogue, "counseling")
    assert (rules.horizon_days, rules.minutes, rules.reminders) == (14, 50, ())
    assert (catalogue["counseling"].retention_days, catalogue["health_room"].retention_days) == (30, None)
    assert rules_of(catalogue, "health_room").horizon_days == 28


def test_a_service_that_is_kept_in_another_system(folder: Path):
    elsewhere = {"text": "请在“矿大教工 e 家”小程序里约。", "link": "https://example.edu"}
    catalogue = load_catalogue(folder, RULES, {"health_room": {"elsewhere": elsewhere}})
    kept = catalogue["health_room"].elsewhere
    assert kept is not None
    assert kept.model_dump() == elsewhere


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"horizon": 3}, "settings: services.counseling.horizon: Extra inputs are not permitted"),
        ({"horizon_days": "soon"}, "settings: services.counseling.horizon_days: Input should be a valid integer"),
        ({"elsewhere": {"txt": "x"}}, "settings: services.counseling.elsewhere.text: Field required"),
        ({"weeks_field": "weeks"}, "rules.weeks_field: the form has no field 'weeks' of type number"),
        ([1], "settings: services.counseling: expected a mapping"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_the_settings_fault(folder: Path, setting: Any, says: str):
    told = fault(folder, {"counseling": setting})
    assert says in told
    assert told.startswith("settings: services.counseling")


def test_services_by_id_and_by_intent(folder: Path):
    catalogue = load_catalogue(folder, RULES)
    assert {service.id for service in catalogue} == {"counseling", "health_room"}
    assert ("counseling" in catalogue, "gym" in catalogue) == (True, False)
    assert [service.id for service in catalogue.opened_by("book_room")] == ["health_room"]
    assert catalogue.opened_by("greet") == ()
    with pytest.raises(KeyError):
        catalogue["counseling"].field("people")


def test_a_declaration_round_trips(folder: Path):
    """What is declared is data: nothing of it is lost in the reading."""
    declared = yaml.safe_load((folder / "counseling.yml").read_text(encoding="utf-8"))
    service = load_catalogue(folder, RULES)["counseling"]
    assert [field.key for field in service.form] == [item["key"] for item in declared["form"]]
    assert service.rules.model_dump(exclude_unset=True, mode="json") == declared["rules"]
