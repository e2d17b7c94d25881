"""Like records, shown before a submission; what is private, withdrawn or merged is shown to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from actions.blocks.similarity import alike, packed, unpacked
from actions.cases.form import rules_of
from actions.cases.tables import Case

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from actions.core.catalogue import Declaration
    from actions.core.commands import Context
    from actions.core.meaning import Encoder


class Likeness:
    """Finds like records. Without `encode` the shared characters alone count."""

    def __init__(self, encode: Encoder | None) -> None:
        self._encode = encode

    def vector(self, text: str) -> bytes | None:
        """What is kept of a text's meaning."""
        found = self._of(text)
        return None if found is None else packed(found)

    def _of(self, text: str) -> NDArray[np.float32] | None:
        return self._encode([text])[0] if self._encode is not None and text else None

    async def found(self, context: Context, service: Declaration, text: str) -> list[Case]:
        """Records of the service that are like a text, most alike first."""
        rule = rules_of(service).similarity
        if rule is None or not text:
            return []
        since = context.now - timedelta(days=rule.days)
        query = (
            select(Case.id, Case.title, Case.fields, Case.vector)
            .where(Case.service == service.id, Case.created_at >= since, Case.counted, Case.merged_id.is_(None))
            .order_by(Case.id)
        )
        rows = (await context.session.execute(query)).all()
        key = rules_of(service).content_field
        texts = [str(row.fields.get(key) or row.title) for row in rows]
        vector = self._of(text)
        kept = [row.vector for row in rows]
        whole = vector is not None and all(kept) and bool(kept)
        matrix = unpacked([each for each in kept if each]) if whole else None
        like = alike(text, vector if whole else None, texts, matrix, least=rule.least, most=rule.most)
        found = [await context.session.get(Case, rows[each.place].id) for each in like]
        return [case for case in found if case is not None]
