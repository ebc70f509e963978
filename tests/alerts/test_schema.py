"""The schema for editors says what the loader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from orders_obs.alerts import load
from orders_obs.alerts.catalogue import ALERT_WORDS, ALERTMANAGER_WORDS, ENVIRONMENT_WORDS, TOP_WORDS
from orders_obs.alerts.conditions import CONDITION_WORDS, RAW_WORDS, SLO_WORDS, WHEN_MISSING
from orders_obs.alerts.routes import MUTE_WORDS, SEVERITY_WORDS, WAIVER_WORDS
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS
from tests.alerts.test_catalogue import GOOD, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "alerts/catalogue.schema.json").read_text())
    return content


def test_it_knows_the_words_of_the_language(schema: dict[str, Any]) -> None:
    top, definitions = schema["properties"], schema["$defs"]
    alert = definitions["alert"]["properties"]
    environment = top["environments"]["additionalProperties"]["properties"]
    assert sorted(top) == sorted(TOP_WORDS)
    assert sorted(environment) == sorted(ENVIRONMENT_WORDS)
    assert sorted(environment["alertmanager"]["properties"]) == sorted(ALERTMANAGER_WORDS)
    assert sorted(top["severities"]["additionalProperties"]["properties"]) == sorted(SEVERITY_WORDS)
    assert sorted(top["severities"]["propertyNames"]["not"]["enum"]) == sorted((*ALERT_WORDS, "none"))
    assert sorted(top["mute"]["additionalProperties"]["properties"]) == sorted(MUTE_WORDS)
    assert sorted(top["lint"]["properties"]["ignore"]["items"]["properties"]) == sorted(WAIVER_WORDS)
    assert sorted(alert) == sorted(ALERT_WORDS)
    assert sorted(definitions["condition"]["properties"]) == sorted(CONDITION_WORDS)
    assert sorted(definitions["slo"]["properties"]) == sorted(SLO_WORDS)
    assert sorted(definitions["raw"]["properties"]) == sorted(RAW_WORDS)
    assert alert["when_missing"]["enum"] == list(WHEN_MISSING)


def test_it_knows_the_signals(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["alert"]["properties"]["signal"]["enum"] == list(SIGNALS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("above: 5%", "above: 5"),
        ("above: 5%", "above: 5%, below: 1%"),
        ("over: 1m", "over: 1 minute"),
        ("2 of 3", "two of three"),
        ("minimum: 100 requests\n    when", "minimum: 100\n    when"),
        ("minimum: 100 requests\n    when", "minimum: 0 requests\n    when"),
        ("when_missing: keep", "when_missing: ignore"),
        ("signal: orders_created", "signal: orders"),
        ("      errors: {over", "      errors: {signal: errors, over"),
        ("  warning: {topic", "  signal: {topic"),
        ("  many:", "  Many:"),
        ("  many:", "  too-many:"),
        ('"111122223333"', '"1111"'),
        ("app/shop/1}", "{tags: shop}}"),
        ("page: true", "page: often"),
        ("topic: shop-alerts", "topic: shop alerts"),
        ("region: eu-west-1", "region: Ireland"),
        ("service: shop\n", "service: shop\nservices: shop\n"),
        ("service: shop\n", ""),
        ("catalogue: 1", "catalogue: 2"),
    ],
)
def test_what_it_refuses_the_loader_refuses(
    schema: dict[str, Any], tmp_path: Path, old: str, new: str
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema)
    with pytest.raises(UserError) as caught:
        load(write(tmp_path, text))
    assert caught.value.line is not None
