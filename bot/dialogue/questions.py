"""Questions that are answered from knowledge: begun, followed up, picked out of candidates. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.dialogue.picking import labelled, number_said
from bot.dialogue.steps import SURE, Answer, Open

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.core.catalogue import Declaration
    from bot.dialogue.state import State
    from bot.dialogue.steps import Registry, Step
    from nlu.types import Parse

#: What a declaration calls the life of questions.
LIFE = "question"

# 那二胎呢, 那要多久, 还有呢: said of what was talked about last.
_FOLLOWS = re.compile(r"^(?:那|那么|还有|另外|如果|要是|假如|再问|它|这个|这条|除了这)|呢[?？。]?$")
# 多久, 几天, 怎么申请: a question that names nothing of its own.
_BARE = re.compile(
    r"^(?:要|得|需要|能|可以|一共|具体)?(?:多久|多长时间|几天|多少钱|多少|几次|怎么(?:办|弄|申请|报名|算)|找谁|在哪(?:里|儿)?|谁能(?:去|享受|申请)?"
    r"|什么时候|要什么(?:材料|证明|条件)|有什么(?:条件|要求)|为什么|依据是什么|出处)(?:呢|啊|呀|吗)?[?？]?$"
)
_LONGEST_FOLLOWING = 24
# 那二胎呢 sounds like a claim to whoever has not heard what was said before.
_VERY_SURE = 0.9
_ASKS = re.compile(
    r"[?？]|吗|呢|怎么|怎样|如何|多少|多久|几|哪|谁|什么|啥|能不能|可不可以|有没有|是不是|为什么|规定|政策|算不算|能否"
)


def is_question(service: Declaration) -> bool:
    """Whether a service answers questions."""
    return service.life == LIFE


def opening(service: Declaration, parse: Parse, *, offering: str = "") -> Step:
    """The step that begins a service: a question is answered, anything else opened (with what was picked of it)."""
    if is_question(service):
        return Answer(service=service.id, parse=parse)
    return Open(service=service.id, parse=parse, offering=offering)


def asks(text: str) -> bool:
    """Whether a message looks like a question."""
    return _ASKS.search(text) is not None


def following(state: State, parse: Parse, registry: Registry) -> Step | None:
    """The answer to a message about the topic at hand: one of its candidates, or a question that follows it up."""
    topic = state.topic
    if topic is None:
        return None
    picked = labelled(topic.offered, parse.text, whole=True)
    number = number_said(parse.text) if picked is None else None
    if number is not None and 1 <= number <= len(topic.offered):
        picked = topic.offered[number - 1]
    if picked is not None:
        return Answer(service=topic.service, parse=parse, pick=picked.value, about=topic.about)
    if not _follows(parse) or _is_other_matter(parse, registry):
        return None
    return Answer(service=topic.service, parse=parse, about=topic.about)


def _follows(parse: Parse) -> bool:
    said = parse.text.strip()
    if len(said) > _LONGEST_FOLLOWING:
        return False
    return _BARE.match(said) is not None or (_FOLLOWS.search(said) is not None and (asks(said) or said.endswith("呢")))


def _is_other_matter(parse: Parse, registry: Registry) -> bool:
    """Whether the message is sure to want something done, or is talk."""
    enough = _VERY_SURE if _FOLLOWS.search(parse.text.strip()) else SURE
    if parse.confidence < enough or parse.intent == "out_of_scope":
        return False
    return registry.kinds.get(parse.intent) != "ask"


def all_questions(services: Iterable[Declaration]) -> bool:
    """Whether there are services, and all of them answer questions: no need to ask which one is meant."""
    found = list(services)
    return bool(found) and all(is_question(service) for service in found)


def attempt(parse: Parse, otherwise: Step) -> Step:
    """What nobody could place may still be plainly answered; if not, the step that was decided."""
    return Answer(service="", parse=parse, otherwise=otherwise) if asks(parse.text) else otherwise
