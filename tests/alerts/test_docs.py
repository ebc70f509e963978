"""The page on alerts is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orders_obs.alerts import load
from orders_obs.alerts.catalogue import _CONDITION, _ENVIRONMENT, _SEVERITY, _SHARED, _TOP
from orders_obs.signals import SIGNALS, Level
from tests.alerts.test_catalogue import write

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/alerts.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_its_catalogue_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks("yaml")
    catalogue = load(write(tmp_path, text))
    assert [len(catalogue.resolve(name).alerts) for name in catalogue.environments] == [2, 2]


def test_its_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["fired"] is True


def test_it_names_every_word_of_the_language_and_every_signal() -> None:
    words = {*_TOP, *_ENVIRONMENT, *_SEVERITY, *_SHARED, *_CONDITION} - {"environments", "severities"}
    signals = {name for name, signal in SIGNALS.items() if not isinstance(signal, Level)}
    assert {word for word in words | signals if f"`{word}`" not in TEXT} == set()
