"""The plain sample rule."""

from __future__ import annotations

import pytest

from orders_obs.alerts.evaluate import SampleRule, ratio_sample
from orders_obs.alerts.model import WhenMissing

X: float | None = 1.0
G: float | None = 0.0
N: float | None = None


@pytest.mark.parametrize(
    ("m", "n", "samples", "ok", "breach", "keep_quiet", "keep_firing"),
    [
        (1, 1, [X], True, True, True, True),
        (1, 1, [G], False, False, False, False),
        (1, 1, [N], False, True, False, True),
        (2, 2, [X, X], True, True, True, True),
        (2, 2, [G, X], False, False, False, False),
        (2, 2, [N, X], False, True, False, True),
        (2, 3, [X, G, X], True, True, True, True),
        (2, 3, [G, G, X], False, False, False, False),
        (2, 3, [N, N, X], False, True, False, True),
        (2, 3, [G, N, N], False, True, False, True),
        (2, 3, [G, G, N], False, False, False, False),
        (2, 3, [X, X, G, G], False, False, False, False),
        (3, 3, [X, X], False, True, False, True),
    ],
)
def test_when_an_alert_fires(
    m: int, n: int, samples: list[float | None], ok: bool, breach: bool, keep_quiet: bool, keep_firing: bool
) -> None:
    def fires(when_missing: WhenMissing, *, fired: bool) -> bool:
        return SampleRule("above", 0.5, m, n, when_missing).fires(samples, fired=fired)

    assert fires("ok", fired=False) is fires("ok", fired=True) is ok
    assert fires("unknown", fired=True) is ok
    assert fires("breach", fired=False) is breach
    assert fires("keep", fired=False) is keep_quiet
    assert fires("keep", fired=True) is keep_firing


def test_a_sample_at_the_threshold_does_not_breach_and_below_is_the_other_side() -> None:
    assert not SampleRule("above", 0.5, 1, 1, "ok").fires([0.5], fired=False)
    assert SampleRule("below", 0.5, 1, 1, "ok").fires([0.4], fired=False)
    assert not SampleRule("below", 0.5, 1, 1, "ok").fires([0.5], fired=False)


def test_a_ratio_of_too_few_events_is_no_sample() -> None:
    assert ratio_sample(1, 99, 100) is None
    assert ratio_sample(1, 100, 100) == 0.01
    assert ratio_sample(0, 0, 0) is None
