"""The service catalogue: one typed declaration per service, read from data/services.

A life brings a model of its own rules (`rules:` in the file); the catalogue knows only that there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, ValidationError, model_validator

from actions.core.errors import ConfigurationError
from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FieldType = Literal[
    "slot",
    "offering",
    "choice",
    "text",
    "number",
    "yes_no",
    "consent",
    "contact",
    "record",
    "staff_id",
    "name",
    "materials",
    "option",
]


class Declared(BaseModel):
    """Base of everything that a declaration holds: frozen, and a key it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def fit(self, form: Sequence[FormField]) -> None:
        """For the rules of a life: raises ValueError where a form lacks what they ask for."""


class DeclaredChoice(Declared):
    """One answer of a choice field; `also` are other ways in which people say it."""

    value: str
    also: tuple[str, ...] = ()


class FormField(Declared):
    """One question of a form.

    `when` maps a field or a fact to the value (or one of the values) it must have for the question to be asked.
    `ask: on_request` fields are filled where a member offers them or picks them at the read-back. `any` is the label
    of "no preference"; `also` are other names that people use for the field; `avoidable` lets a member name what they
    do not want. `entity` is the NLU entity that fills it.
    `opening`: what opens the form is kept as `<key>_hint`, for the life to read. `verbatim`: whatever is said to the
    question is its answer, word for word, even where it names another service.
    Of type option are the choices that an offering holds (its sets, its routes): the life lists them. `refused` is
    what is said to who does not consent.
    `grows`: words that say nothing else at the read-back are more of this text.
    A field of type materials takes files of these `kinds`, at most `max_count`; its value is the list of their ids.
    """

    key: str = Field(pattern=r"^[a-z][a-z_]*$")
    type: FieldType
    label: str
    prompt: str
    why: str
    hint: str = ""
    choices: tuple[DeclaredChoice, ...] = ()
    entity: str = ""
    also: tuple[str, ...] = ()
    any: str = ""
    avoidable: bool = False
    optional: bool = False
    refused: str = ""
    confidential: bool = False
    opening: bool = False
    verbatim: bool = False
    grows: bool = False
    ask: Literal["always", "on_request"] = "always"
    when: dict[str, bool | str | tuple[str, ...]] = {}
    max_length: int = 200
    minimum: int = 1
    maximum: int = 10_000
    kinds: tuple[Literal["picture", "document"], ...] = Field(("picture", "document"), min_length=1)
    max_count: int = Field(9, gt=0)
    default: str | int | None = None

    @model_validator(mode="after")
    def _choices_belong(self) -> FormField:
        if (self.type == "choice") != bool(self.choices):
            message = "choices: are given for a field of type choice, and only there"
            raise ValueError(message)
        return self

    def applies(self, values: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
        """Whether the question is to be asked, given what is known."""
        known = {**facts, **values}
        return all(
            known.get(name) in wanted if isinstance(wanted, tuple) else known.get(name) == wanted
            for name, wanted in self.when.items()
        )


class Triggers(Declared):
    """What opens a service."""

    intents: tuple[str, ...] = ()
    schedule: str = ""
    officer: bool = False


class Who(Declared):
    """Who may use a service. `roles` empty means every member."""

    bound: bool = True
    status: tuple[Literal["active", "retired"], ...] = ("active", "retired")
    roles: tuple[str, ...] = ()


class Elsewhere(Declared):
    """A service that is kept in another system: the assistant answers and links, and keeps no second ledger."""

    text: str
    link: str = ""


class NoRules(Declared):
    """The rules of a life that has none of its own."""


class Declaration(Declared):
    """One service.

    `also` are other names that people use for it; `named: false` is for what people do rather than name (取消, 改期).
    `part_of` is the service that this one belongs to: its records and turns count as that one's.
    `confirm: false` commits a full form with no read-back, for what only looks or has its own proof.
    """

    id: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: str
    short: str
    also: tuple[str, ...] = ()
    named: bool = True
    life: str
    paragraphs: tuple[int, ...] = ()
    triggers: Triggers
    who: Who = Who()
    part_of: str = ""
    private: bool = False
    confirm: bool = True
    form: tuple[FormField, ...] = ()
    rules: SerializeAsAny[Declared] = NoRules()
    columns: tuple[str, ...] = ()
    retention_days: int | None = None
    elsewhere: Elsewhere | None = None

    @model_validator(mode="after")
    def _keys_once(self) -> Declaration:
        keys = [item.key for item in self.form]
        if len(set(keys)) != len(keys):
            message = "form: a field's key is there twice"
            raise ValueError(message)
        self.rules.fit(self.form)
        return self

    def field(self, key: str) -> FormField:
        """The form's field of that key. Raises KeyError."""
        for item in self.form:
            if item.key == key:
                return item
        raise KeyError(key)


class Catalogue:
    """All services, by id and by intent."""

    def __init__(self, declarations: Mapping[str, Declaration]) -> None:
        self._by_id = dict(declarations)
        self._by_intent: dict[str, list[Declaration]] = {}
        for declaration in self._by_id.values():
            for intent in declaration.triggers.intents:
                self._by_intent.setdefault(intent, []).append(declaration)

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self._by_id.values())

    def __contains__(self, service: str) -> bool:
        return service in self._by_id

    def __getitem__(self, service: str) -> Declaration:
        return self._by_id[service]

    def whole(self, service: str) -> str:
        """The service that one is a part of; itself where it is whole, and "" for none."""
        return (self[service].part_of or service) if service in self else service

    def opened_by(self, intent: str) -> tuple[Declaration, ...]:
        """Services that an intent opens."""
        return tuple(self._by_intent.get(intent, ()))


#: What the settings of a service may say beside its rules.
_BESIDE_RULES = ("elsewhere", "retention_days")


def load_catalogue(
    folder: Path,
    rules: Mapping[str, type[Declared]],
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> Catalogue:
    """Reads every `*.yml` of the folder. `rules` maps a life to the model of its rules.

    `overrides` are the settings of a service (`services.counseling.horizon_days: 14`), laid over its rules;
    `elsewhere` and `retention_days` are laid over the declaration itself.
    Raises ConfigurationError that names every fault: file and line, or the setting.
    """
    overrides = overrides or {}
    declarations: dict[str, Declaration] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            declaration = _load_one(path, rules, overrides.get(path.stem) or {})
        except ConfigurationError as error:
            faults.append(str(error))
            continue
        declarations[declaration.id] = declaration
    faults += [f"settings: services.{name}: there is no such service" for name in overrides if not _named(folder, name)]
    if faults:
        raise ConfigurationError("\n".join(faults))
    return Catalogue(declarations)


def load_names(folder: Path) -> Catalogue:
    """The services without their rules, which only a life can read: enough to know what each is called and asks.

    Raises ConfigurationError, for the first fault.
    """
    found = [_mapping(path) for path in sorted(folder.glob("*.yml"))]
    declarations = [file.validate(Declaration, {**file.data, "rules": NoRules()}) for file in found]
    return Catalogue({each.id: each for each in declarations})


def _named(folder: Path, service: str) -> bool:
    return (folder / f"{service}.yml").exists()


def _mapping(path: Path) -> YamlFile:
    file = YamlFile(path)
    if not isinstance(file.data, dict):
        raise ConfigurationError(f"{path}:1: expected a mapping")
    return file


def _load_one(path: Path, rules: Mapping[str, type[Declared]], overrides: Mapping[str, Any]) -> Declaration:
    file = _mapping(path)
    life = str(file.data.get("life"))
    if life not in rules:
        raise ConfigurationError(f"{path}:{file.line(['life'])}: life: {life!r} is none of {', '.join(sorted(rules))}")
    written = file.data.get("rules")
    try:
        own = rules[life].model_validate({} if written is None else written)
    except ValidationError as error:
        raise ConfigurationError("\n".join(file.faults(error, below=["rules"]))) from error
    declaration = file.validate(Declaration, {**file.data, "rules": own})
    if declaration.id != path.stem:
        raise ConfigurationError(f"{path}:{file.line(['id'])}: id: must be the file's name, {path.stem!r}")
    return _overridden(declaration, {**file.data, "rules": written or {}}, overrides) if overrides else declaration


def _overridden(declaration: Declaration, data: Mapping[str, Any], overrides: Mapping[str, Any]) -> Declaration:
    """The declaration with the settings of its service. The file is known to be right: a fault is the settings'."""
    where = f"settings: services.{declaration.id}"
    if not isinstance(overrides, dict):
        raise ConfigurationError(f"{where}: expected a mapping")
    beside = {key: value for key, value in overrides.items() if key in _BESIDE_RULES}
    laid_over = {key: value for key, value in overrides.items() if key not in _BESIDE_RULES}
    try:
        own = type(declaration.rules).model_validate({**data["rules"], **laid_over})
        return Declaration.model_validate({**data, **beside, "rules": own})
    except ValidationError as error:
        faults = [f"{where}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise ConfigurationError("\n".join(faults)) from error
