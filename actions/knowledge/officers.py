"""The officers' side of the passages: loaded out of files, confirmed, retired, with every version kept."""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from actions.core.commands import Outcome
from actions.core.errors import DomainError
from actions.core.zones import local
from actions.knowledge import unanswered
from actions.knowledge.asking import spoken_date, subject_of
from actions.knowledge.converting import parted, to_markdown
from actions.knowledge.passages import Front, Passage, fault_of, ref_of
from actions.knowledge.rules import LIFE
from actions.knowledge.tables import PassageVersion

if TYPE_CHECKING:
    from actions.core.commands import Context
    from actions.knowledge.commands import AnswerQuestion, Confirm, History, ListPassages, Load, Retire
    from actions.knowledge.library import Library

# Passages that a file may become, and that a list shows.
_MOST, _SHOWN = 300, 40


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeDesk:
    """Keeps the passages."""

    library: Library

    async def load(self, command: Load, context: Context) -> Outcome:
        """Makes passages of a file. `data["refs"]` are those that are new or changed.

        Raises DomainError: no_such_service, knowledge_file_… where the file is none that can be read,
        knowledge_no_headings, knowledge_too_many.
        """
        _service_of(context, command.service)
        markdown = command.text or await asyncio.to_thread(to_markdown, _decoded(command.content))
        parts = parted(markdown, heading=command.heading)
        if not parts:
            raise DomainError("knowledge_no_headings")
        if len(parts) > _MOST:
            raise DomainError("knowledge_too_many", count=len(parts), most=_MOST)
        standing = await self._of_document(command.document, context)
        front = command.model_dump(include=set(Front.model_fields))
        changed: list[str] = []
        for heading, text in parts:
            passage = Passage(**front, ref=ref_of(command.document, heading), heading=heading, text=text)
            if not _same(standing.pop(passage.ref, None), passage):
                self._add(context, passage, "loaded", origin=command.file_name)
                changed.append(passage.ref)
        for left in standing.values():
            self._add(context, left, "retired", origin=command.file_name)
        await context.session.flush()
        params = {"document": command.document, "count": len(changed), "all": len(parts), "retired": len(standing)}
        subject = f"document:{command.document}"
        return Outcome(wording="knowledge.loaded", params=params, subject=subject, data={"refs": changed})

    async def _of_document(self, document: str, context: Context) -> dict[str, Passage]:
        index = await self.library.index(context.session)
        return {each.ref: each for each in index.passages if each.ref.startswith(f"{document}#")}

    async def confirm(self, command: Confirm, context: Context) -> Outcome:
        """Writes the confirmed version. Raises DomainError: no_such_passage, knowledge_bad_dates."""
        standing = await self.passage(command.ref, context)
        given = command.model_dump(exclude={"ref"}, exclude_none=True)
        values = {**standing.model_dump(), **given, "status": "confirmed"}
        if values["effective"] and values["expires"] and values["expires"] < values["effective"]:
            raise DomainError("knowledge_bad_dates")
        passage = Passage(**values)
        self._add(context, passage, "confirmed")
        await context.session.flush()
        params = {"heading": passage.heading, "source": passage.source, "effective": spoken_date(passage.effective)}
        return Outcome(wording="knowledge.confirmed", params=params, subject=subject_of(passage.ref))

    async def retire(self, command: Retire, context: Context) -> Outcome:
        """Takes a passage out of use. Raises DomainError("no_such_passage")."""
        passage = await self.passage(command.ref, context)
        self._add(context, passage, "retired")
        await context.session.flush()
        return Outcome(
            wording="knowledge.retired", params={"heading": passage.heading}, subject=subject_of(passage.ref)
        )

    async def history(self, command: History, context: Context) -> Outcome:
        """The versions of a passage, the file's last. Raises DomainError("no_such_passage")."""
        query = select(PassageVersion).where(PassageVersion.ref == command.ref).order_by(PassageVersion.id.desc())
        rows = [_version(row) for row in (await context.session.execute(query)).scalars()]
        rows += [_in_file(each) for each in self.library.files if each.ref == command.ref]
        if not rows:
            raise DomainError("no_such_passage", ref=command.ref)
        params = {"heading": rows[0]["heading"], "rows": rows}
        return Outcome(wording="knowledge.history", params=params, subject=subject_of(command.ref), data={"rows": rows})

    async def list_passages(self, command: ListPassages, context: Context) -> Outcome:
        """The passages that count now; `data["passages"]` has all of them."""
        today = local(context.now).date()
        index = await self.library.index(context.session)
        rows = [
            {"ref": each.ref, "service": each.service, "heading": each.heading, "status": state}
            for each in index.passages
            if (state := "expired" if each.expired(today) else each.status)
            and command.service in ("", each.service)
            and command.status in ("", state, each.status)
        ]
        params = {"count": len(rows), "shown": rows[:_SHOWN]}
        return Outcome(wording="knowledge.listed", params=params, data={"passages": rows})

    async def answer(self, command: AnswerQuestion, context: Context) -> Outcome:
        """Answers a group of questions; may keep the answer as a passage.

        Raises DomainError: answer_empty, question_settled, no_such_service, knowledge_bad_passage.
        """
        answer = command.reason.strip()
        if not answer:
            raise DomainError("answer_empty")
        rows = await unanswered.settle(context, command.question_id, "answered")
        told = await unanswered.tell(context, rows, answer)
        ref = ""
        if command.as_passage:
            service = command.service or next((row.service for row in rows if row.service), "")
            heading = command.heading or unanswered.text_of(context, rows[0])[:60]
            ref = self._kept(context, service, heading, answer, command.question_id)
            await context.session.flush()
        return Outcome(
            wording="unanswered.answered",
            params={"count": len(rows), "told": told, "kept": bool(ref)},
            subject=unanswered.subject_of(command.question_id),
            data={"ref": ref},
        )

    def _kept(self, context: Context, service: str, heading: str, text: str, number: int) -> str:
        _service_of(context, service)
        fault = fault_of(heading, text)
        if fault:
            raise DomainError("knowledge_bad_passage", fault=fault)
        passage = Passage(
            ref=ref_of(f"answer-{number}", heading),
            service=service,
            title="工会答复",
            heading=heading,
            text=text,
            source="校工会答复",
            issuer="校工会",
            effective=local(context.now).date(),
            owner="校工会",
            status="confirmed",
        )
        self._add(context, passage, "answered")
        return passage.ref

    async def passage(self, ref: str, context: Context) -> Passage:
        """A passage that is quoted. Raises DomainError("no_such_passage")."""
        index = await self.library.index(context.session)
        found = next((each for each in index.passages if each.ref == ref), None)
        if found is None:
            raise DomainError("no_such_passage", ref=ref)
        return found

    def _add(self, context: Context, passage: Passage, change: str, *, origin: str = "") -> None:
        values = passage.model_dump()
        if change == "retired":
            values["status"] = "retired"
        by_id = context.actor.member.id if context.actor.member else None
        context.session.add(PassageVersion(**values, change=change, origin=origin, by_id=by_id, at=context.now))


def _same(standing: Passage | None, passage: Passage) -> bool:
    return standing == passage


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DomainError("knowledge_file_broken") from error


def _service_of(context: Context, service: str) -> None:
    if service not in context.catalogue or context.catalogue[service].life != LIFE:
        known = [each.id for each in context.catalogue if each.life == LIFE]
        raise DomainError("no_such_service", given=service, known=known)


def _version(row: PassageVersion) -> dict[str, Any]:
    return {
        "change": row.change,
        "at": row.at.isoformat(),
        "by_id": row.by_id,
        "heading": row.heading,
        "text": row.text,
        "source": row.source,
        "effective": spoken_date(row.effective),
        "status": row.status,
        "origin": row.origin,
    }


def _in_file(passage: Passage) -> dict[str, Any]:
    return {
        "change": "file",
        "at": "",
        "by_id": None,
        "heading": passage.heading,
        "text": passage.text,
        "source": passage.source,
        "effective": spoken_date(passage.effective),
        "status": passage.status,
        "origin": "data/knowledge",
    }
