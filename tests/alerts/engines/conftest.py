"""The two catalogues that outside judges look at: the one that is shipped, and one that uses every word."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from orders_obs.alerts import ResolvedCatalogue, load
from orders_obs.alerts.compile.aws import DesiredState, compile_state

HERE = Path(__file__).parent
CATALOGUES = {"shipped": HERE.parents[2] / "alerts", "wide": HERE / "wide.yaml"}


@dataclass(frozen=True, slots=True)
class Built:
    """A catalogue in its production environment, and what AWS should have for it."""

    catalogue: ResolvedCatalogue
    state: DesiredState


@cache
def build(name: str) -> Built:
    resolved = load(CATALOGUES[name]).resolve("production")
    return Built(resolved, compile_state(resolved))


@pytest.fixture(params=sorted(CATALOGUES))
def built(request: pytest.FixtureRequest) -> Built:
    return build(request.param)


@pytest.fixture
def wide() -> Built:
    return build("wide")
