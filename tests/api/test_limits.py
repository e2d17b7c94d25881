from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.api import Limiter
from bot.api.limits import _KEYS_KEPT
from tests.api.conftest import Union


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 5))
def test_never_more_than_the_limit_in_any_window(pauses, most):
    union = Union()
    limiter = Limiter(most, 60, union.now)
    let_through = []
    for pause in pauses:
        union.passes(seconds=pause)
        wait = limiter.take("somebody")
        if wait == 0:
            let_through.append(union.clock)
        else:
            assert 1 <= wait <= 60
    for start in let_through:
        window = [moment for moment in let_through if start <= moment < start + timedelta(seconds=60)]
        assert len(window) <= most


@given(st.integers(1, 4), st.floats(0, 59))
def test_after_the_wait_it_goes_on(most, pause):
    union = Union()
    limiter = Limiter(most, 60, union.now)
    for _ in range(most):
        assert limiter.take("somebody") == 0
    union.passes(seconds=pause)
    wait = limiter.take("somebody")
    assert wait > 0
    assert limiter.take("another") == 0
    union.passes(seconds=wait)
    assert limiter.take("somebody") == 0


def test_who_has_gone_is_forgotten():
    union = Union()
    limiter = Limiter(1, 60, union.now)
    for number in range(_KEYS_KEPT):
        limiter.take(str(number))
    union.passes(seconds=61)
    limiter.take("newcomer")
    assert len(limiter._taken) == 1
    assert limiter.take("newcomer") > 0
