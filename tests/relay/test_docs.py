"""docs/relay.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from orders_obs.relay import envelope, log, server
from orders_obs.relay.settings import PREFIX, RelaySettings
from tests.relay.sns import TOPIC

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "relay.md").read_text()


def rows(title: str) -> list[list[str]]:
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_each_setting_is_there_with_its_default() -> None:
    source = (ROOT / "orders_obs/relay/settings.py").read_text()
    read = set(re.findall(r'self\._value\("([A-Z_]+)"', source)) | {
        "SLACK_SECRET",
        "SLACK_WEBHOOK",
        "WEBHOOK",
        "WEBHOOK_SECRET",
    }
    told = {row[0].strip("`").removeprefix(PREFIX): row[-1] for row in rows("Settings")}
    assert set(told) == read
    defaults = RelaySettings.load({f"{PREFIX}TOPICS": TOPIC, f"{PREFIX}SLACK_SECRET": "a"})
    for name in ("LATE_AFTER", "MAX_BYTES", "SECRET_TTL", "KEEP", "BIND", "PORT"):
        value = getattr(defaults, name.lower())
        assert told[name].split(",")[0] == (
            f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value)
        ), name


def test_each_reason_to_refuse_is_there_with_its_status() -> None:
    told = {row[0].strip("`"): row[1].split(",")[0] for row in rows("What is refused")}
    assert set(told) == set(get_args(envelope.Reason))
    for reason, status in told.items():
        assert int(status) == vars(server)["_REFUSED"].get(reason, 403), reason


def test_the_path_to_subscribe_is_said() -> None:
    assert "Any path will do, `/` too" in PAGE


def test_each_metric_is_there() -> None:
    for name in (*vars(log)["_METRICS"].values(), log.NAMESPACE):
        assert f"`{name}`" in PAGE
