"""The questions without an answer: kept with personal data masked, grouped by likeness, answered, labelled, let go."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import delete, func, literal, select

from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.notify import Letter, Notice, Option, cancel_notices, notify, offer, send_letter
from actions.core.tables import Account, Member
from actions.knowledge.commands import AnswerQuestion, DismissQuestion, LabelQuestion
from actions.knowledge.masking import masked, matter
from actions.knowledge.tables import OpenQuestion

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.ext.asyncio import AsyncSession

    from actions.core.commands import Context
    from actions.core.meaning import Encoder
    from actions.knowledge.commands import Ask, ExportLabels, ListQuestions, NoteQuestion

# From this likeness on two questions are about the same matter (docs/knowledge.md).
LIKE = 0.8
# Groups that a new question is held against, the latest first; groups that a list shows, questions that it repeats.
_LATEST, _SHOWN, _REPEATED = 300, 5, 3
_TEXT, _ASKER, _MEANING = "question", "asker", "question meaning"


async def note(command: Ask | NoteQuestion, context: Context, encoder: Encoder | None) -> OpenQuestion | None:
    """Keeps a question, masked; None where the same person's same question waits already, or nothing is left of it."""
    text = masked(command.question, {*command.names, *await _roster_names(context.session, command.question)})
    actor = context.actor
    asker_key = context.vault.pseudonym(f"asker:{actor.channel}:{actor.account}:{actor.sender}")
    text_key = context.vault.pseudonym(f"question:{text}")
    same = (OpenQuestion.asker_key == asker_key, OpenQuestion.text_key == text_key, OpenQuestion.state == "open")
    if (await context.session.execute(select(OpenQuestion.id).where(*same))).first() is not None:
        return None
    meaning = None if encoder is None else encoder([matter(text)])[0]
    row = OpenQuestion(
        like_id=await _like(context, text_key, meaning),
        service=getattr(command, "service", ""),
        intent=getattr(command, "intent", ""),
        text=context.vault.seal(text, about=_TEXT),
        asker=context.vault.seal(await _asker(context), about=_ASKER),
        meaning="" if meaning is None else context.vault.seal(_packed(meaning), about=_MEANING),
        asker_key=asker_key,
        text_key=text_key,
        at=context.now,
    )
    context.session.add(row)
    await context.session.flush()
    row.like_id = row.like_id or row.id
    return row


async def _roster_names(session: AsyncSession, text: str) -> Collection[str]:
    """Names of the roster that stand in a text; the database looks, so that the roster is not read for it."""
    stands = func.length(Member.name) > 1, literal(text).contains(Member.name)
    return (await session.execute(select(Member.name).where(*stands))).scalars().all()


async def _asker(context: Context) -> dict[str, Any]:
    """Whom to tell: the member, or the private chat of an account that is not bound; nobody out of a group."""
    actor = context.actor
    if actor.member is not None:
        return {"member_id": actor.member.id}
    query = select(Account.conversation).where(
        Account.channel == actor.channel, Account.account == actor.account, Account.sender == actor.sender
    )
    conversation = (await context.session.execute(query)).scalar_one_or_none()
    if not conversation:
        return {}
    return {"channel": actor.channel, "account": actor.account, "conversation": conversation}


async def _like(context: Context, text_key: str, meaning: NDArray[np.float32] | None) -> int | None:
    """The group that a question belongs to: the same words, or the likeliest meaning."""
    heads = OpenQuestion.state == "open", OpenQuestion.id == OpenQuestion.like_id
    query = select(OpenQuestion.like_id).where(OpenQuestion.state == "open", OpenQuestion.text_key == text_key).limit(1)
    same = (await context.session.execute(query)).scalar_one_or_none()
    if same is not None or meaning is None:
        return same
    latest = select(OpenQuestion.id, OpenQuestion.meaning).where(*heads, OpenQuestion.meaning != "")
    rows = (await context.session.execute(latest.order_by(OpenQuestion.id.desc()).limit(_LATEST))).all()
    if not rows:
        return None
    known = np.stack([_unpacked(context.vault.open(row.meaning, about=_MEANING)) for row in rows])
    likeness = known @ meaning
    best = int(likeness.argmax())
    return int(rows[best].id) if likeness[best] >= LIKE else None


def _packed(meaning: NDArray[np.float32]) -> str:
    return base64.b64encode(meaning.astype(np.float16).tobytes()).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text), dtype=np.float16).astype(np.float32)


# --- officers


async def list_questions(_command: ListQuestions, context: Context) -> Outcome:
    """Groups of open questions, the greatest first, with options to answer them."""
    query = select(OpenQuestion).where(OpenQuestion.state == "open").order_by(OpenQuestion.id)
    groups: dict[int, list[OpenQuestion]] = {}
    for row in (await context.session.execute(query)).scalars():
        groups.setdefault(row.like_id or row.id, []).append(row)
    if not groups:
        return Outcome(wording="unanswered.none")
    greatest = sorted(groups.values(), key=lambda rows: (-len(rows), rows[0].id))
    described = [_described(context, rows) for rows in greatest]
    shown = described[:_SHOWN]
    options = [option for group in shown for option in await _offered(context, group)] if context.actor.member else []
    params = {"groups": len(groups), "questions": sum(map(len, greatest)), "shown": shown}
    return Outcome(wording="unanswered.list", params=params, options=options, data={"groups": described})


def _described(context: Context, rows: Sequence[OpenQuestion]) -> dict[str, Any]:
    texts = list(dict.fromkeys(text_of(context, row) for row in rows))
    return {
        "question_id": rows[0].like_id or rows[0].id,
        "count": len(rows),
        "texts": texts[:_REPEATED],
        "service": next((row.service for row in rows if row.service), ""),
        "since": rows[0].at,
    }


async def _offered(context: Context, group: dict[str, Any]) -> list[dict[str, str]]:
    number = group["question_id"]
    notice = Notice(
        member_id=context.actor.member_id,
        wording="unanswered.one",
        params={"text": group["texts"][0], "count": group["count"]},
        subject=subject_of(number),
        again=True,
        options=(
            Option(
                label="解答", command=AnswerQuestion(question_id=number), asks_reason=True, longest=1000, coded=True
            ),
            Option(label="归类", command=LabelQuestion(question_id=number), asks_reason=True, longest=40, coded=True),
            Option(label="不用答", command=DismissQuestion(question_id=number)),
        ),
    )
    return await offer(context, notice)


async def settle(context: Context, question_id: int, state: str, *, label: str = "") -> list[OpenQuestion]:
    """Closes a question and those like it; returns them. Raises DomainError("question_settled")."""
    head = await context.database.lock(context.session, OpenQuestion, question_id)
    like_id = head.like_id if head is not None else None
    query = select(OpenQuestion).where(OpenQuestion.like_id == like_id, OpenQuestion.state == "open")
    rows = list((await context.session.execute(query.order_by(OpenQuestion.id))).scalars()) if head else []
    if not rows:
        raise DomainError("question_settled")
    for row in rows:
        row.state, row.label, row.settled_at = state, label, context.now
        row.by_id = context.actor.member.id if context.actor.member else None
    await context.session.flush()
    await cancel_notices(context, subject_of(like_id or question_id))
    return rows


async def tell(context: Context, rows: Sequence[OpenQuestion], answer: str) -> int:
    """Tells whoever asked, each once; returns how many."""
    told: set[str] = set()
    for row in rows:
        if row.asker_key in told:
            continue
        asker = context.vault.open(row.asker, about=_ASKER)
        params = {"question": text_of(context, row), "answer": answer}
        wording = "unanswered.answered_for_you"
        if "member_id" in asker:
            await notify(context, Notice(member_id=asker["member_id"], wording=wording, params=params))
        elif asker:
            await send_letter(context, Letter(**asker, wording=wording, params=params, kind="service"))
        else:
            continue
        told.add(row.asker_key)
    return len(told)


async def dismiss(command: DismissQuestion, context: Context) -> Outcome:
    """Lets go of a group. Raises DomainError("question_settled")."""
    rows = await settle(context, command.question_id, "dismissed")
    return Outcome(wording="unanswered.dismissed", params={"count": len(rows)}, subject=subject_of(command.question_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelDesk:
    """Labels questions for training. `intents` maps names to what they mean; `folder` is where labels are written."""

    intents: dict[str, str]
    folder: Path

    async def label(self, command: LabelQuestion, context: Context) -> Outcome:
        """Settles a group as an intent. Raises DomainError: no_such_intent, question_settled."""
        name = command.reason.strip()
        if name not in self.intents:
            raise DomainError("no_such_intent", given=name, known=sorted(self.intents))
        rows = await settle(context, command.question_id, "labelled", label=name)
        params = {"count": len(rows), "intent": name, "means": self.intents[name]}
        return Outcome(wording="unanswered.labelled", params=params, subject=subject_of(command.question_id))

    async def export(self, _command: ExportLabels, context: Context) -> Outcome:
        """Writes all labels anew: JSON Lines, as `bot train` and `bot eval` read them. data/nlu is never touched."""
        query = select(OpenQuestion).where(OpenQuestion.state == "labelled").order_by(OpenQuestion.id)
        rows = (await context.session.execute(query)).scalars().all()
        texts = {text_of(context, row): row.label for row in rows}
        path = self.folder / "labelled.jsonl"
        lines = [json.dumps({"text": text, "intent": label}, ensure_ascii=False) for text, label in texts.items()]
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        part.replace(path)
        params = {"count": len(lines), "path": str(path)}
        return Outcome(wording="unanswered.exported", params=params, data=params)


async def forget(context: Context, before: datetime) -> int:
    """Deletes questions that are older than the retention."""
    statement = delete(OpenQuestion).where(OpenQuestion.at < before)
    return (await context.session.execute(statement)).rowcount  # type: ignore[attr-defined,no-any-return]


def text_of(context: Context, row: OpenQuestion) -> str:
    """The masked question."""
    return str(context.vault.open(row.text, about=_TEXT))


def subject_of(question_id: int) -> str:
    """What notices about a group are filed under."""
    return f"question:{question_id}"
