"""Workers die by kill -9 in the middle of a broadcast: nobody is missed, and whoever may have it twice is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.delivery.broadcast import broadcast, limits
from tests.peers.server import Store, postgres_store, sqlite_store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.delivery.broadcast import Outcome
    from tests.peers.postgres import Cluster

pytestmark = pytest.mark.peer

RECIPIENTS, KILLS = 1500, 5
#: So that a worker dies amid its work, and not amid the first burst.
PACE = limits(per_second=300)


def holds(outcome: Outcome) -> None:
    assert outcome.ledger.states == {"sent": RECIPIENTS}
    assert outcome.missed == 0
    # A repeat only where the ledger says that nobody knows how the first try ended.
    assert outcome.repeated <= outcome.doubted
    assert outcome.ledger.doubts == len(outcome.doubted)
    assert outcome.ledger.reasons.get(("sent", "unknown"), 0) == outcome.ledger.doubts


async def test_one_process_on_sqlite_that_is_started_again_each_time(tmp_path: Path) -> None:
    store: Store = sqlite_store(tmp_path)
    holds(await broadcast(store, RECIPIENTS, kills=KILLS, settings=PACE))


async def test_two_workers_on_postgresql_of_which_one_is_never_started_again(tmp_path: Path, postgres: Cluster) -> None:
    store = postgres_store(tmp_path, postgres)
    holds(await broadcast(store, RECIPIENTS, workers=2, kills=KILLS, settings=PACE))
