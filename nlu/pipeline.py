"""From a message to a `Parse`: whatever engine ranks the intents, the rules around it are the same."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from nlu import crisis, times
from nlu.entities import Extractor
from nlu.text import LONGEST, normalise, syllables
from nlu.types import Parse, Ranked

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from nlu.engine import Model
    from nlu.types import CrisisKind, Entity, Gazetteer, TimeMention

log = logging.getLogger(__name__)

T = TypeVar("T")

OUT_OF_SCOPE: Final = "out_of_scope"

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_RANKED: Final = 5

# A message says yes where one of its clauses is made of nothing but words of consent and the small words beside them:
# 好的就这样 and 可以，那天没课, but not 好望角, 对账单 or 行业前景, which a classifier takes for a yes.
_CONSENT: Final = (
    r"好|可以|阔以|可|行|是|对头?|嗯|恩|唔|昂|成|中|妥|管|要得|要|需要|得嘞?|没有?(?:问题|错|毛病|意见|异议|写错|差错|改动|不对)"
    r"|同意|愿意|接受|确认|确定|正确|无误|正是|系|当然|必须|提交|继续|交|不错|准了|有道理|收到|知道了|定了|就它|就这样?"
    r"|就按|照这|按这|[号浩]的|彳亍|ok+|yes|yep|yeah|sure|y|shi|1|想的|有的"
)
_BESIDE: Final = (
    r"[的滴哒呀啊吧嘞呢哈啦咯喔哦噢嗷呐哪了就这那个样它我俺您你恁都也很挺蛮太真全按照来办弄走定约报填排发勾说地得着给往下上去一先再哎啥么为是]"
    r"|完全|信息|以上|本人|下一步|接着|没啥|这么|那么|帮我|老师|谢谢|辛苦|麻烦|意思|时间|工号|手机号|号码|名字|单位|内容"
    r"|时候|刚才|现在|核对过|please|goahead"
)
_YES: Final = re.compile(rf"(?:{_BESIDE})*(?:{_CONSENT})(?:{_CONSENT}|{_BESIDE})*")
#: What is also understood by its sound alone: 嚎的, 剔交坝. No single syllable: half of all characters would say yes.
_PLAIN_YES: Final = (
    *("好的", "可以", "是的", "对的", "嗯嗯", "行的", "没问题", "没错"),
    *("确认", "提交", "同意", "愿意", "就这样", "就这个", "没意见"),
)
_CLAUSES: Final = re.compile(r"[,。!;:、…~ ]+")
_NOT_YES: Final = re.compile(
    r"\?|[吗么嘛伐啵]$|可是$|可别|(?<!都)要是|[好行可以对是](?:什么|啥)|\b(?:or|not|no)\b|是啥|就是那|那个就是|是你|唔[系好]|^成都|错了"
    r"|^[对好行]?了?(?:你|您|老师|大家)们?好"
)
_NO: Final = re.compile(r"[不没别否错非算免甭莫拒勿改反吧删]|取消|\bno\b|nope|\bn\b|哪有|才怪|等等|慢着|重来")
_NOT_NO: Final = re.compile(r"不错|没错|没问题|没毛病|没意见|没异议|不客气|不好意思|没关系|没事")

#: Intents that begin or go on with something, and so are refused where the member says no to it.
_WISHES: Final = frozenset(
    {"book_counseling", "book_room", "register_sports", "register_activity", "join_retreat", "choose_benefit"}
    | {"join_club", "submit_idea", "submit_achievement", "submit_proposal", "second_proposal", "apply_aid"}
    | {"claim_condolence", "nominate", "review_club", "order_service", "apply_project", "submit_news", "bind"}
    | {"subscribe", "affirm", "broadcast"}
)
_DOING: Final = (
    r"(?:预约|预订|预定|报名|参加|参与|加入|入会|申请|申报|提交|登记|推荐|订阅|附议|投稿|绑定"
    r"|约|订|定|报|去|办|填|选|领|交|提|投|弄|搞|来)"
)
_FOR_ME: Final = r"(?:再|给我|帮我|去|来)?"
_REFUSES: Final = (
    re.compile(  # 不想约咨询了, 先不报名了, 没时间去了; but not 能不能约了, 要不约吧
        r"(?<![能要得是会可想约报好何])(?:不(?:太|是很)?(?:想|要|打算|准备|用|需要|考虑)?|别|甭|没空|没时间|懒得)"
        rf"{_FOR_ME}{_DOING}[^,。?!;]{{0,8}}了(?!吗|么|没|嘛|\?)"
    ),
    re.compile(  # 先别约, 不想报名
        r"(?<![是能要])(?:不想|不要|不打算|不准备|不考虑|不愿意|先不|先别|别|暂时不|还是不)"
        rf"{_FOR_ME}{_DOING}(?:名|它|这个|那个|吧|啊|哈|呢|先){{0,3}}(?:[,。!;]|$)"
    ),
)
_ASKS_OR_AMENDS: Final = re.compile(
    r"不是不|换[一个成到别]|换到|换成|改[到成约在]|另[约选外]|想约别|怎么|为什么|为啥|咋|吗\W*$|\?|不了了"
    r"|了[,。 ]{1,2}我?(?:想|要|就|还是|帮我|给我)?(?:预约|约|报|订|改|换|选)(?!错|重)"
)


class Engine(Protocol):
    """Ranks the intents of a message."""

    @property
    def threshold(self) -> float:
        """Confidence, 0 to 1, from which its best intent may be acted upon."""
        ...

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        """Every intent, or the best of them, best first; nothing when the message has no word the engine knows.

        Args:
            text: normalised (`nlu.text.normalise`), at most `nlu.text.LONGEST` code points.

        """
        ...


class Embedded:
    """A trained model as an engine."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def use(self, model: Model) -> None:
        """Answer by another model from the next message on."""
        self._model = model

    @property
    def threshold(self) -> float:
        """See `Engine.threshold`."""
        return self._model.threshold

    async def classify(self, text: str) -> tuple[Ranked, ...]:
        """See `Engine.classify`."""
        return self._model.classify(text)


class Pipeline:
    """Turns messages into parses.

    Args:
        engine: ranks the intents.
        gazetteer: the names that members may use for things, by entity.
        ours: whether the engine ranks this project's intents; rules about crisis and refusal mean nothing to others.

    """

    def __init__(self, engine: Engine, *, gazetteer: Gazetteer | None = None, ours: bool = True) -> None:
        self._engine = engine
        self._ours = ours
        self._gazetteer = gazetteer or {}
        self._extractor = Extractor(self._gazetteer)

    def update_gazetteer(self, gazetteer: Gazetteer) -> None:
        """Know other names from the next message on; the same ones again cost nothing."""
        if gazetteer != self._gazetteer:
            self._gazetteer = gazetteer
            self._extractor = Extractor(gazetteer)

    async def parse(self, text: str, now: datetime) -> Parse:
        """Understand one message. Never raises: what fails is logged (without the text) and left empty.

        Args:
            text: any string, as it was sent; entities and times are looked for in its first 2,000 code points.
            now: the moment of the message, with its zone.

        """
        head, extractor = text[:LONGEST], self._extractor
        mentions: tuple[TimeMention, ...] = _or(lambda: times.parse(head, now), ())
        entities: tuple[Entity, ...] = _or(lambda: extractor.extract(head, mentions), ())
        impossible: tuple[str, ...] = _or(lambda: times.impossible(head, now), ())
        found = Parse(
            text=text, intent=OUT_OF_SCOPE, confidence=0.0, entities=entities, times=mentions, impossible=impossible
        )
        plain = normalise(text)
        return self._understand(found, plain, await self._rank(plain))

    async def _rank(self, plain: str) -> tuple[Ranked, ...]:
        try:
            return await self._engine.classify(plain) if plain else ()
        except Exception as error:  # an engine that is away must not silence the crisis rules
            log.error("the engine failed: %s", type(error).__name__)  # noqa: TRY400 -- a trace may hold the text
            return ()

    def _understand(self, found: Parse, plain: str, ranking: tuple[Ranked, ...]) -> Parse:
        """Choose the intent: the crisis rules, then refusals, then the best ranked that is sure and has evidence."""
        if not self._ours:
            return _as_ranked(found, ranking, self._engine.threshold)
        danger = crisis.detect(found.text) or _seen(ranking, found.text)
        if danger:
            ranking = _promote(ranking, "crisis", 1.0)
            return replace(found, intent="crisis", confidence=1.0, ranking=ranking[:_RANKED], crisis=danger)
        ranking = _refusal(plain, ranking)
        best = next((r for r in ranking if _stands(r, plain, self._engine.threshold)), None)
        if best is None or best.intent == OUT_OF_SCOPE:
            share = next((r.confidence for r in ranking if r.intent == OUT_OF_SCOPE), 0.0)
            return replace(found, confidence=share, ranking=ranking[:_RANKED])
        return replace(found, intent=best.intent, confidence=best.confidence, ranking=ranking[:_RANKED])


def _as_ranked(found: Parse, ranking: tuple[Ranked, ...], threshold: float) -> Parse:
    """The best of the ranking where it is sure enough, by no other rule."""
    best = next(iter(ranking), Ranked(intent=OUT_OF_SCOPE, confidence=0.0))
    said = best.intent if best.confidence >= threshold else OUT_OF_SCOPE
    return replace(found, intent=said, confidence=best.confidence, ranking=ranking[:_RANKED])


def _or(attempt: Callable[[], T], otherwise: T) -> T:
    try:
        return attempt()
    except Exception as error:  # a member's message is answered whatever an extractor makes of it
        log.error("an extractor failed: %s", type(error).__name__)  # noqa: TRY400 -- a trace may hold the text
        return otherwise


def _seen(ranking: tuple[Ranked, ...], text: str) -> CrisisKind | None:
    """The kind of a crisis that the engine alone sees."""
    share = next((r.confidence for r in ranking if r.intent == "crisis"), 0.0)
    return crisis.kind_of(text) if share and share >= crisis.doubt(text) else None


def _stands(ranked: Ranked, plain: str, threshold: float) -> bool:
    """Whether an intent may be acted upon: sure enough, and a yes or no really said."""
    if ranked.confidence < threshold or ranked.intent == "crisis":
        return False
    if ranked.intent == "affirm":
        return says_yes(plain)
    return ranked.intent != "deny" or bool(_NO.search(_NOT_NO.sub("", plain)))


def says_yes(plain: str) -> bool:
    """Whether a normalised message agrees in so many words (by sound at least), and neither asks nor doubts."""
    if _NOT_YES.search(plain):
        return False
    clauses = _CLAUSES.split(plain)
    return any(map(_YES.fullmatch, clauses)) or any(
        " ".join(syllables(clause)) in _heard_as_yes() for clause in clauses
    )


@cache
def _heard_as_yes() -> frozenset[str]:
    return frozenset(" ".join(syllables(phrase + end)) for phrase in _PLAIN_YES for end in ("", "的", "吧", "了", "啊"))


def refuses(plain: str) -> bool:
    """Whether a normalised message says no to a thing that it names (我不想预约了), and neither asks nor amends."""
    if _ASKS_OR_AMENDS.search(plain):
        return False
    return any(pattern.search(plain) for pattern in _REFUSES)


def _refusal(plain: str, ranking: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
    """Give what was ranked as a wish, but is a refusal, to cancel or withdraw, whichever is the likelier."""
    if not ranking or ranking[0].intent not in _WISHES or not refuses(plain):
        return ranking
    shares = {r.intent: r.confidence for r in ranking}
    target = max(("cancel", "withdraw"), key=lambda intent: shares.get(intent, 0.0))
    refused = sum(r.confidence for r in ranking if r.intent in _WISHES)
    rest = tuple(replace(r, confidence=0.0) if r.intent in _WISHES else r for r in ranking)
    ordered = tuple(sorted(rest, key=lambda r: -r.confidence))
    return _promote(ordered, target, min(1.0, shares.get(target, 0.0) + refused))


def _promote(ranking: tuple[Ranked, ...], intent: str, confidence: float) -> tuple[Ranked, ...]:
    others = tuple(r for r in ranking if r.intent != intent)
    return (Ranked(intent=intent, confidence=confidence), *others)


def to_json(parse: Parse) -> dict[str, Any]:
    """The shape that `bot parse` prints (docs: command line contract); times are ISO 8601 at +08:00."""
    return {
        "text": parse.text,
        "intent": parse.intent,
        "confidence": parse.confidence,
        "ranking": [{"intent": r.intent, "confidence": r.confidence} for r in parse.ranking[:_RANKED]],
        "entities": [{"entity": e.name, "value": e.value, "start": e.start, "end": e.end} for e in parse.entities],
        "times": [{"text": t.text, "start": _iso(t.start), "end": _iso(t.end), "kind": t.kind} for t in parse.times],
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(_SHANGHAI).isoformat()
