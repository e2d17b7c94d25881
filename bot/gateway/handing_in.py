"""Files that come along with a message: into the form that asks for them, kept for the next one, or not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actions.blocks import materials
from actions.core.errors import DomainError
from bot.dialogue import forms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from actions.blocks.materials import MaterialView
    from actions.core.catalogue import FormField
    from actions.core.commands import Context
    from bot.dialogue.state import Frame, State
    from bot.gateway.saying import Saying
    from bot.messages import Inbound


class HandingIn:
    """The files of one message, whatever channel it came by, and those that wait since an earlier one."""

    def __init__(self, context: Context, inbound: Inbound) -> None:
        self._context = context
        self._keys = tuple(dict.fromkeys(each.id for each in inbound.attachments if each.id))
        self._refused = [each.refused for each in inbound.attachments if each.refused is not None]

    @property
    def left(self) -> bool:
        """Whether files of this message have found no place so far."""
        return bool(self._keys)

    def tell_refused(self, saying: Saying) -> bool:
        """Says why files were not even kept, the same reason once; False where none were refused."""
        told = {f"{error.code}{error.params}": error for error in self._refused}
        for error in told.values():
            saying.refuse(error)
        return bool(told)

    async def put(self, state: State, saying: Saying) -> tuple[State, frozenset[str]]:
        """Gives the files to the form on top, where it takes files; returns the state and the fields that have more.

        What it does not take is refused in a sentence, and not kept.
        """
        frame = state.top
        if frame is None or not (self._keys or state.files):
            return state, frozenset()
        fields = forms.materials_fields(frame.declared(self._context.catalogue), frame)
        if not fields:
            return state, frozenset()
        keys = (*state.files, *self._keys)
        waiting, fresh, self._keys = state.files, self._keys, ()
        state = state.but(files=(), files_at=None)
        try:
            views = [*await self._still_there(waiting), *await materials.own(self._context, fresh)]
            added = await self._sorted(fields, frame, views)
        except DomainError as error:
            await materials.discard(self._context, keys)
            saying.refuse(error)
            return state, frozenset()
        if not added:
            return state, frozenset()
        saying.say("files.noted", {"count": sum(map(len, added.values()))})
        return state.with_top(_with_files(frame, added)), frozenset(added)

    async def _sorted(
        self, fields: Sequence[FormField], frame: Frame, views: Iterable[MaterialView]
    ) -> dict[str, list[MaterialView]]:
        """All files by field, of those to which some were added. Raises DomainError: file_kind, files_too_many."""
        found: dict[str, list[MaterialView]] = {}
        for view in views:
            field = next((each for each in fields if view.kind in each.kinds), None)
            if field is None:
                raise DomainError("file_kind", kinds=sorted({kind for each in fields for kind in each.kinds}))
            if field.key not in found:
                found[field.key] = list(await self._still_there(frame.values.get(field.key) or ()))
            if view.id not in {other.id for other in found[field.key]}:
                found[field.key].append(view)
            if len(found[field.key]) > field.max_count:
                raise DomainError("files_too_many", most=field.max_count)
        return found

    async def _still_there(self, keys: Collection[str]) -> Sequence[MaterialView]:
        """What was handed in before, less what is gone: a draft may lie longer than its files."""
        found: list[MaterialView] = []
        for key in keys:
            try:
                found += await materials.own(self._context, [key])
            except DomainError:
                continue
        return found

    def wait(self, state: State, saying: Saying) -> State:
        """Keeps the files for a form that is yet to begin, and asks what they are for."""
        waiting = tuple(dict.fromkeys((*state.files, *self._keys)))
        self._keys = ()
        saying.say("files.waiting", {"count": len(waiting)})
        return state.but(files=waiting, files_at=self._context.now)

    async def let_go(self) -> None:
        """Files that nobody will ask for are not kept."""
        await materials.discard(self._context, self._keys)
        self._keys = ()


def _with_files(frame: Frame, added: Mapping[str, Sequence[MaterialView]]) -> Frame:
    values = dict(frame.values)
    for key, views in added.items():
        values[key] = [view.id for view in views]
        values[f"{key}_label"] = "、".join(view.name for view in views)
    answered = frame.asked in added
    asked = {"asked": "", "choices": (), "misses": 0} if answered else {}
    return frame.but(values=values, before=None, **asked)
