from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dashboards.preview.fake import Fake, fake


@pytest.fixture
def server() -> Iterator[Fake]:
    """What answers as Prometheus does."""
    with fake() as current:
        yield current
