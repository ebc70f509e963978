"""The page on alerts is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orders_obs.alerts import load
from orders_obs.alerts.catalogue import (
    ALERT_WORDS,
    ALERTMANAGER_WORDS,
    ENVIRONMENT_WORDS,
    INCLUDE_WORDS,
    TOP_WORDS,
    packages,
)
from orders_obs.alerts.conditions import CONDITION_WORDS, RAW_WORDS, SLO_WORDS
from orders_obs.alerts.routes import MUTE_WORDS, SEVERITY_WORDS, WAIVER_WORDS
from orders_obs.signals import SIGNALS
from tests.alerts.test_catalogue import write

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/alerts.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_its_catalogue_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    catalogue = load(write(tmp_path, text))
    production, demo = (catalogue.resolve(name) for name in catalogue.environments)
    assert len(production.alerts) >= 15
    assert [len(production.burns), len(production.raws), len(production.mutes)] == [2, 1, 1]
    assert {alert.minimum for alert in demo.alerts if alert.name == "error_rate"} == {10}


def test_its_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["fired"] is True


def test_it_names_every_word_of_the_language_every_signal_and_every_package() -> None:
    words = {
        *TOP_WORDS, *ENVIRONMENT_WORDS, *ALERT_WORDS, *ALERTMANAGER_WORDS, *INCLUDE_WORDS, *CONDITION_WORDS, *SLO_WORDS, *RAW_WORDS,
        *SEVERITY_WORDS, *MUTE_WORDS, *WAIVER_WORDS, *SIGNALS, *packages(),
    }  # fmt: skip
    assert {word for word in words if f"`{word}`" not in TEXT} == set()
