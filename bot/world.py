"""The demo world as its files tell it: people, units, what runs in it. Everything in it is 示例."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, RootModel

from actions.core.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemoRole(_Part):
    """A role of somebody in the demo world."""

    role: str
    service: str = ""
    unit: str = ""


class DemoMember(_Part):
    """Somebody in the demo world."""

    staff_id: str
    name: str
    sex: str
    unit: str
    phone: str
    bound: bool = True
    tags: tuple[str, ...] = ()
    roles: tuple[DemoRole, ...] = ()


class DemoOffering(_Part):
    """What runs in the demo world: a calendar, a call, an event; its spec is checked by its life."""

    service: str
    title: str
    campus: str = ""
    owner: str = ""
    spec: dict[str, Any]


class DemoCommand(_Part):
    """Something that somebody of the demo world has done; `by` is their 工号."""

    by: str
    command: str
    arguments: dict[str, Any]


class _Commands(RootModel[tuple[DemoCommand, ...]]):
    """The file demo/commands.yml."""


class _Offerings(RootModel[tuple[DemoOffering, ...]]):
    """A file of demo/offerings."""


class World(_Part):
    """The whole demo world; `default` is who speaks where nobody is named."""

    units: tuple[str, ...]
    default: str
    members: tuple[DemoMember, ...]
    offerings: tuple[DemoOffering, ...] = ()
    commands: tuple[DemoCommand, ...] = ()

    def sender(self, name: str) -> str:
        """The sender of a person, on every channel of the demo. Raises KeyError for nobody of that name."""
        for member in self.members:
            if member.name == name:
                return member.staff_id
        raise KeyError(name)


def load_world(data_dir: Path) -> World:
    """Reads the demo world. Raises ConfigurationError with file and line."""
    people = YamlFile(data_dir / "demo" / "world.yml").validate(World)
    commands = YamlFile(data_dir / "demo" / "commands.yml").validate(_Commands).root
    offerings = tuple(found for *_, found in read_offerings(data_dir))
    return people.model_copy(update={"offerings": offerings, "commands": commands})


def read_offerings(data_dir: Path) -> Iterator[tuple[YamlFile, int, DemoOffering]]:
    """What runs in the demo world, with its file and its place there. Raises ConfigurationError with file and line."""
    for path in sorted((data_dir / "demo" / "offerings").glob("*.yml")):
        file = YamlFile(path)
        for number, offering in enumerate(file.validate(_Offerings).root):
            yield file, number, offering
