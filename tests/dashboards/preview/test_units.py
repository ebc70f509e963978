"""How values are written, and in which colours.

`units.json` holds what `getValueFormat` of Grafana's own package `@grafana/data` 13.2.3 gives: value, decimals, text, by unit.
"""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.preview.node import ASSETS, evaluate

TABLE: dict[str, list[Any]] = json.loads((Path(__file__).parent / "units.json").read_text())


def test_every_unit_is_written_as_grafana_writes_it() -> None:
    got = evaluate(
        ["format"],
        "Object.fromEntries(Object.entries(value).map(([unit, rows]) => [unit, rows.map((row) => formatter(unit)(row[0], row[1]))]))",
        TABLE,
    )
    wrong = [
        (unit, row, text)
        for unit, rows in TABLE.items()
        for row, text in zip(rows, got[unit], strict=True)
        if row[2] != text
    ]
    assert wrong == []
    assert {"s", "ms", "percentunit", "percent", "reqps", "bytes", "short", "ops"} <= set(TABLE)


@pytest.mark.parametrize(
    ("value", "config", "text"),
    [
        (1, {"mappings": [{"type": "value", "options": {"1": {"text": "Up"}}}]}, "Up"),
        (5, {"mappings": [{"type": "range", "options": {"from": 1, "to": 9, "result": {"text": "some"}}}]}, "some"),
        (10, {"mappings": [{"type": "range", "options": {"from": 1, "to": 9, "result": {"text": "some"}}}]}, "10"),
        (None, {"mappings": [{"type": "special", "options": {"match": "null", "result": {"text": "gone"}}}]}, "gone"),
        ("abc", {"mappings": [{"type": "regex", "options": {"pattern": "/^a/", "result": {"text": "an a"}}}]}, "an a"),
        ("abc", {"mappings": [{"type": "regex", "options": {"pattern": "/[/", "result": {"text": "no"}}}]}, "abc"),
        (None, {"noValue": "none at all"}, "none at all"),
        (None, {}, "\N{EN DASH}"),
        ("constructor", {"mappings": [{"type": "value", "options": {}}]}, "constructor"),
        (0.5, {"unit": "percentunit", "decimals": 1}, "50.0%"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_its_mapping_or_its_unit_says(value: Any, config: Any, text: str) -> None:
    assert evaluate(["format"], "display(value[0], value[1])", [value, config]) == text


def test_axis_labels_lose_the_zeros_that_say_nothing() -> None:
    texts = ["1.50 ms", "0.500", "100.0", "10 s", "2.50%", "1.05M req/s"]
    got = evaluate(["graph"], "value.map(trimmed)", texts)
    assert got == ["1.5 ms", "0.5", "100", "10 s", "2.5%", "1.05M req/s"]


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def css(theme: str) -> dict[str, str]:
    text = (ASSETS / "page.css").read_text()
    block = re.search(
        r":root\{([^}]*)\}" if theme == "light" else r":root\[data-shown=dark\]\{(--[^}]*)\}", text
    )
    assert block is not None
    found = dict(re.findall(r"(--\w+):(#[0-9a-f]+)", block[1]))
    return {
        name: f"#{value[1] * 2}{value[2] * 2}{value[3] * 2}" if len(value) == 4 else value
        for name, value in found.items()
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_can_be_told_from_the_panel_and_text_can_be_read(theme: str) -> None:
    """WCAG 2: 3 : 1 for graphics and large text, 4.5 : 1 for text."""
    colors = css(theme)
    palette, named = evaluate(["format", "colors"], f"[PALETTES.{theme}, NAMED.{theme}]")
    drawn = [*palette, *(shade for shades in named.values() for shade in shades)]
    assert [color for color in drawn if contrast(color, colors["--paper"]) < 3] == []
    assert len(set(palette)) == len(palette)
    for text, ground in product(("--ink", "--soft", "--bad", "--accent"), ("--paper", "--canvas")):
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_on_any_colour_can_be_read(theme: str) -> None:
    named = evaluate(
        ["format", "colors"], f"Object.values(NAMED.{theme}).flat().map((color) => [color, inkOn(color)])"
    )
    assert [(color, ink) for color, ink in named if contrast(color, ink) < 4.5] == []


def test_thresholds_in_percent_are_of_the_range() -> None:
    config = {
        "thresholds": {"mode": "percentage", "steps": [{"color": "green"}, {"color": "red", "value": 80}]}
    }
    got = evaluate(
        ["format", "colors"],
        "thresholdSteps(value, 100, 200).map((step) => [step.color, String(step.value)])",
        config,
    )
    assert got == [["green", "-Infinity"], ["red", "180"]]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_each_shade_of_a_colour_is_one_of_its_own(theme: str) -> None:
    named = evaluate(["format", "colors"], f"NAMED.{theme}")
    assert {hue: len(set(shades)) for hue, shades in named.items()} == dict.fromkeys(named, 5)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_series_in_shades_of_one_colour_can_be_told_apart_and_seen(theme: str) -> None:
    row = '{ config: { color: { mode: "shades", fixedColor: "#5794F2" } } }'
    before = f'globalThis.document = {{ documentElement: {{ dataset: {{ shown: "{theme}" }} }} }}, globalThis.CSS = {{ supports: () => true }}'
    drawn = evaluate(["format", "colors"], f"({before}, [0, 1, 2, 3, 4].map((at) => seriesColor({row}, at)))")
    assert len(set(drawn)) == 5
    paper = css(theme)["--paper"]
    hexes = ["#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", color)) for color in drawn]
    assert [color for color in hexes[1:] if contrast(color, paper) < 3] == []
