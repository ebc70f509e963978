"""The parts into which the rules are cut for promtool, against the rules that are deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import yaml

_SERIES = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*:[a-zA-Z0-9_:]+")


def assert_parts_are_the_rules(files: Mapping[str, str]) -> None:
    """What promtool judges in parts is what is deployed: the same rules, and none that needs one of another part.

    Args:
        files: What is built for Prometheus, by name.
    """
    deployed_name, *names = files
    deployed = _group(files[deployed_name])
    recorded = [rule["record"] for rule in deployed["rules"] if "record" in rule]
    assert len(recorded) == len(set(recorded))
    alerts = {rule["alert"] for rule in deployed["rules"] if "alert" in rule}
    folder = f"{PurePath(deployed_name).stem}.tests"
    assert set(names) == {f"{folder}/{alert}{kind}" for alert in alerts for kind in (".rules", ".test")}
    order = [_text(rule) for rule in deployed["rules"]]
    together: set[str] = set()
    for alert in alerts:
        part = _group(files[f"{folder}/{alert}.rules"])
        assert (part["name"], part["interval"]) == (deployed["name"], deployed["interval"])
        assert {rule["alert"] for rule in part["rules"] if "alert" in rule} == {alert}
        own = [_text(rule) for rule in part["rules"]]
        assert own == [rule for rule in order if rule in set(own)], alert
        together.update(own)
        here = {rule["record"] for rule in part["rules"] if "record" in rule}
        read = {name for rule in part["rules"] for name in _SERIES.findall(rule["expr"])}
        assert read & set(recorded) <= here, alert
        # Nor has it what it does not need.
        assert here <= read, alert
        test = yaml.safe_load(files[f"{folder}/{alert}.test"])
        assert test["rule_files"] == [f"{alert}.rules"]
        assert test["evaluation_interval"] == deployed["interval"]
        assert all(each["name"].split()[0] == alert for each in test["tests"])
    assert together == set(order)
    assert len(order) == len(set(order))


def _group(text: str) -> dict[str, Any]:
    (group,) = yaml.safe_load(text)["groups"]
    # Without an alert there is nothing after the word.
    return {**group, "rules": group["rules"] or []}


def _text(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule, sort_keys=True)
