"""One channel that takes calls: rows are picked, handed over side by side, and settled together as they end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.delivery.ledger import Result
from bot.delivery.limits import Pace
from bot.messages import SendError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.delivery.ledger import Ledger
    from bot.delivery.picking import Parcel, Picked, Picker
    from bot.messages import Outbound, Sender

log = structlog.get_logger(__name__)

#: A call that takes longer has failed: the platform may have taken it all the same.
_CALL_SECONDS = 60.0
#: How long calls that have begun are waited for when the process ends.
_FAREWELL_SECONDS = 8.0
_AFTER_A_FAULT = 1.0
#: How early a call is picked: about what it takes to pick it where the database is busy.
_AHEAD = timedelta(milliseconds=100)
#: Places for those who wait, beside the ones that the channel allows to a batch.
_URGENT_PLACES = 32


class Post:
    """What is handed over to one channel by this process."""

    def __init__(
        self,
        sender: Sender,
        picker: Picker,
        ledger: Ledger,
        clock: Callable[[], datetime],
        fault: Callable[[str], None],
    ) -> None:
        self.sender = sender
        self._picker = picker
        self._ledger = ledger
        self._clock = clock
        self._fault = fault
        limits = picker.limits_of(sender.name)
        self._most = limits.in_flight
        self._pace = Pace(limits.overall)
        self._calls: dict[asyncio.Task[None], int] = {}
        self._results: list[Result] = []
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    @property
    def _ready(self) -> bool:
        """A channel whose bridge is away says so: its rows stay where they are, and another process may have it."""
        return bool(getattr(self.sender, "ready", True))

    # --- once

    async def flush(self) -> tuple[bool, list[Outbound]]:
        """Hands over what may be handed over now, and waits for it; whether anything moved, and what was said."""
        if not self._ready:
            return False, []
        picked = await self._pick()
        if self.sender.pulled:
            await self._show(picked)
            return bool(picked.parcels or picked.moved), [parcel.message for parcel in picked.parcels]
        results = list(await asyncio.gather(*(self._call(parcel) for parcel in picked.parcels)))
        if results:
            await self._ledger.settle(results)
        pairs = zip(picked.parcels, results, strict=True)
        said = [parcel.message for parcel, result in pairs if result.error is None]
        return bool(results or picked.moved), said

    async def _pick(self, ahead: timedelta = timedelta()) -> Picked:
        if self.sender.pulled:
            return await self._picker.show(self.sender.name, self._clock())
        picked = await self._picker.pick(self.sender.name, self._places(), ahead=ahead)
        if picked.parcels:
            self._fault("delivery.claimed")
        return picked

    def _places(self) -> dict[int, int]:
        """Calls that may be begun, by lane: a batch never takes the last places."""
        begun = Counter(self._calls.values())
        urgent = _URGENT_PLACES - begun[0]
        single = min(self._most, _URGENT_PLACES) - begun[1]
        return {0: max(urgent, 0), 1: max(single, 0), 2: max(self._most - begun[2], 0)}

    async def _show(self, picked: Picked) -> None:
        if picked.parcels:
            self._fault("delivery.settled")
        for parcel in picked.parcels:
            # The row is there to be read: the client is only woken.
            with contextlib.suppress(SendError):
                await self.sender.send(parcel.message)

    async def _call(self, parcel: Parcel) -> Result:
        """Hands one row over. Whatever a channel raises ends this row alone."""
        error: SendError | None = None
        now = self._clock()
        await asyncio.sleep((self._pace.next(max(now, parcel.call.at)) - now).total_seconds())
        state, begun = "sent", self._clock()
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                receipt = await self.sender.send(parcel.message)
            state = "accepted" if receipt is not None and not receipt.confirmed else "sent"
            self._fault("delivery.sent")
        except SendError as raised:
            error = raised
        except TimeoutError:
            error = SendError("no answer in time")
        except Exception as raised:
            log.exception("channel_failed", channel=self.sender.name, row=parcel.row.id)
            error = SendError(f"{type(raised).__name__}")
        return Result(row=parcel.row, call=parcel.call, begun=begun, at=self._clock(), state=state, error=error)

    # --- for as long as the process lives

    async def run(self, pause: float) -> None:
        """Hands over whatever falls due, until cancelled; then waits a little for what has begun."""
        settling = asyncio.create_task(self._settle_always())
        try:
            while True:
                self._wake.clear()
                seconds = await self._step(pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), timeout=seconds)
        finally:
            await self._farewell(settling)

    async def _step(self, pause: float) -> float:
        """Begins what may be begun; returns the seconds until there may be more."""
        if not self._ready:
            return pause
        try:
            if not await self._picker.waits(self.sender.name, self._clock()):
                return pause
            picked = await self._pick(_AHEAD)
        except Exception:
            log.exception("delivery_failed", channel=self.sender.name)
            return _AFTER_A_FAULT
        if self.sender.pulled:
            await self._show(picked)
        else:
            for parcel in picked.parcels:
                self._begin(parcel)
        if picked.parcels or picked.moved:
            return 0
        if picked.next_at is None:
            return pause
        return min(max((picked.next_at - self._clock()).total_seconds(), 0), pause)

    def _begin(self, parcel: Parcel) -> None:
        async def call() -> None:
            self._results.append(await self._call(parcel))
            self._ended.set()

        task = asyncio.create_task(call())
        self._calls[task] = parcel.row.lane
        task.add_done_callback(lambda done: self._calls.pop(done, None))

    async def _settle_always(self) -> None:
        while True:
            await self._ended.wait()
            self._ended.clear()
            if not await self._settle():
                await asyncio.sleep(_AFTER_A_FAULT)
                self._ended.set()

    async def _settle(self) -> bool:
        """Writes what has ended, all in one transaction; False where the database does not take it."""
        results = self._results[:]
        if not results:
            return True
        try:
            await self._ledger.settle(results)
        except Exception:
            log.exception("settling_failed", channel=self.sender.name, rows=len(results))
            return False
        del self._results[: len(results)]
        self._wake.set()
        return True

    async def _farewell(self, settling: asyncio.Task[None]) -> None:
        if self._calls:
            await asyncio.wait(list(self._calls), timeout=_FAREWELL_SECONDS)
        # A transaction that has begun must not be torn: it is written once more, where rows are no longer ours nothing.
        settling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await settling
        await self._settle()
