"""The table of all services in docs/catalogue.md: what each serves, what opens it, and which conversations show it.

`python -m tests.conversations.catalogue` writes it anew; a test holds it against declarations and conversations.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.lives import load_services
from bot.replay import Dialogue, read_dialogues
from bot.settings import ROOT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from actions.core.catalogue import Catalogue, Declaration

PAGE = ROOT / "docs" / "catalogue.md"
_LIVES = {
    "activity": "活动",
    "announcement": "消息",
    "appointment": "预约",
    "case": "办事",
    "membership": "会员",
    "question": "问答",
    "records": "我的事项",
}
_HEAD = """\
# 服务一览

这张表由 `uv run python -m tests.conversations.catalogue` 从 `data/services/` 和 `tests/conversations/` 生成，不要手改。
“对话”是测试里走到这项服务的对话有几段，每一段都要通过；一段也没有的，测试不过。

| 服务 | 名称 | 类 | 工作要点 ¶ | 意图 | 对话 | 状态 |
|---|---|---|---|---|---|---|
"""


def dialogues() -> list[Dialogue]:
    """Every conversation of the tests."""
    files = sorted(Path(__file__).parent.glob("*.yml"))
    return [dialogue for path in files for dialogue in read_dialogues(path)]


def shown_by(every: Sequence[Dialogue]) -> Mapping[str, list[Dialogue]]:
    """The conversations that expect each service, to serve a turn or to leave a record; the shortest first."""
    found: dict[str, list[Dialogue]] = defaultdict(list)
    for dialogue in every:
        for service in set(_expected(dialogue)):
            found[service].append(dialogue)
    return {service: sorted(shown, key=lambda dialogue: len(dialogue.turns)) for service, shown in found.items()}


def _expected(dialogue: Dialogue) -> Iterator[str]:
    turns = [turn.expect for turn in dialogue.turns if not isinstance(turn, str)]
    records = (dialogue.expect or {}).get("records", ())
    for expected in filter(None, (*turns, *records)):
        if expected.get("service"):
            yield expected["service"]
        opened = catalogue().opened_by(expected.get("intent", ""))
        if len(opened) == 1:  # what leaves its record with another service: 附议 is kept with the proposal
            yield opened[0].id


@cache
def catalogue() -> Catalogue:
    """All declarations."""
    return load_services(Settings())


def page(services: Catalogue, shown: Mapping[str, Sequence[Dialogue]]) -> str:
    """The whole page."""
    ordered = sorted(services, key=lambda service: (list(_LIVES).index(service.life), service.id))
    return _HEAD + "\n".join(_row(service, len(shown.get(service.id, ()))) for service in ordered) + "\n"


def _row(service: Declaration, count: int) -> str:
    paragraphs = "、".join(map(str, service.paragraphs)) or "—"
    opened = [f"`{intent}`" for intent in service.triggers.intents]
    opened += ["定时"] if service.triggers.schedule else []
    opened += ["干部命令"] if service.triggers.officer else []
    cells = (
        f"`{service.id}`",
        service.title,
        _LIVES[service.life],
        paragraphs,
        "、".join(opened) or "—",
        str(count),
        _state(service, count),
    )
    return f"| {' | '.join(cells)} |"


def _state(service: Declaration, count: int) -> str:
    if service.elsewhere is not None:
        return "在别的系统办，这里给链接"
    return "能用" if count else "缺对话"


if __name__ == "__main__":
    PAGE.write_text(page(catalogue(), shown_by(dialogues())), encoding="utf-8")
