"""Rules of Prometheus come into the catalogue as they are: name, expression, times, labels, annotations."""

from __future__ import annotations

import json
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_obs.alerts import load
from orders_obs.alerts.compile import prometheus
from orders_obs.aws.importing.files import read_file, rules_text
from orders_obs.aws.importing.importer import Importer
from tests.aws.importing.conftest import CATALOGUE, World
from tests.aws.importing.random_alarms import texts

Said = Callable[[], str]
RULES = """\
groups:
  - name: shop
    interval: 30s
    limit: 5
    labels: {team: orders}
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: HighErrors
        expr: |
          job:errors:rate5m{job="shop"} > 0.05
        for: 5m
        keep_firing_for: 10m
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.job }}: 5 % of \\"all\\""
          description: |
            Two lines,
            the second one.
      - alert: HighErrors
        expr: job:errors:rate5m{job="shop"} > 0.01
        labels: {severity: warning, team: web}
"""


def rules(path: Path) -> list[dict[str, Any]]:
    text = prometheus.render(prometheus.compile_rules(load(path).resolve("local")))
    listed: list[dict[str, Any]] = yaml.safe_load(text)["groups"][0]["rules"]
    return listed


def test_a_rule_stays_as_it_is(world: World, said: Said) -> None:
    file = world.folder / "old.rules.yml"
    file.write_text(RULES)
    target = world.folder / "imported.yaml"
    assert world.run("--rules-file", str(file), "-o", str(target), env="local") == 0
    words = said()
    assert "the recording rules of group shop are left out: job:errors:rate5m" in words
    assert "group shop is evaluated every 30s, and environment local every 1m" in words
    assert "limit of group shop is left out" in words
    assert set(yaml.safe_load(target.read_text())["alerts"]) == {
        "high_errors_critical",
        "high_errors_warning",
    }
    world.include()
    assert rules(world.path) == [
        {
            "alert": "HighErrors",
            "expr": 'job:errors:rate5m{job="shop"} > 0.05',
            "for": "5m",
            "keep_firing_for": "10m",
            "labels": {"severity": "critical", "team": "orders"},
            "annotations": {
                "summary": '{{ $labels.job }}: 5 % of "all"',
                "description": "Two lines,\nthe second one.\n",
            },
        },
        {
            "alert": "HighErrors",
            "expr": 'job:errors:rate5m{job="shop"} > 0.01',
            "labels": {"severity": "warning", "team": "web"},
        },
    ]


def test_rules_of_the_operator_and_names_that_choose(world: World, said: Said) -> None:
    file = world.folder / "old.yaml"
    groups = yaml.safe_load(RULES)["groups"]
    groups[0]["rules"].append({"alert": "Other", "expr": "up == 0", "labels": {"severity": "page"}})
    file.write_text(yaml.safe_dump({"kind": "PrometheusRule", "spec": {"groups": groups}}))
    assert world.run("Other", "--file", str(file), env="local") == 2
    assert "nothing says how bad it is" in said()
    assert world.run("Other", "--file", str(file), "--severity", "critical", env="local") == 0
    words = said()
    assert "has the label severity=page, so Alertmanager does not route it as critical" in words
    assert set(yaml.safe_load(words[words.index("catalogue: 1") : words.index("note:")])["alerts"]) == {
        "other"
    }


def test_a_rule_with_what_looks_like_a_secret_is_refused(world: World, said: Said) -> None:
    file = world.folder / "old.rules.yml"
    address = "https://hooks.slack.com/services/T012/B012/abcdefgh"
    file.write_text(RULES + f"        annotations: {{webhook: {address}}}\n")
    assert world.run("--rules-file", str(file), env="local") == 1
    words = said()
    assert "its annotations.webhook holds what looks like a secret" in words
    assert "abcdefgh" not in words


def test_a_word_that_no_rule_has_is_refused_and_what_is_no_rule_is_an_error(world: World, said: Said) -> None:
    file = world.folder / "old.rules.yml"
    file.write_text(RULES + "        silence: yes\n")
    assert world.run("--rules-file", str(file), env="local") == 1
    assert "HighErrors: its silence is not known" in said()
    file.write_text("groups: [{name: a, rules: [{expr: up}]}]\n")
    assert world.run("--rules-file", str(file), env="local") == 2
    assert "is neither an alert nor a recording rule" in said()
    file.write_text("just: text\n")
    assert world.run("--rules-file", str(file), env="local") == 2
    assert "has no alarms and no rules" in said()


def test_a_rule_file_in_json_keeps_letters_that_json_escapes_in_two_halves(world: World, said: Said) -> None:
    file = world.folder / "old.json"
    rule = {
        "alert": "Fire",
        "expr": "up == 0",
        "annotations": {"summary": "\U0001f6a8 ä"},
        "labels": {"severity": "warning"},
    }
    file.write_text(json.dumps({"groups": [{"name": "a", "rules": [rule]}]}))
    assert world.run("--rules-file", str(file), env="local") == 0
    part = yaml.safe_load(said().split("\nlint:")[0])
    assert part["alerts"]["fire"]["raw"]["prometheus"]["annotations"]["summary"] == "\U0001f6a8 ä"
    # A backslash before it is text of its own.
    assert rules_text(r'["\\ud83d\ude00"]') == r'["\\ud83d\ude00"]'
    assert rules_text(r'["\\\ud83d\ude00"]') == '["\\\\\U0001f600"]'


LABELS = st.dictionaries(
    st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(
        lambda name: not name.startswith("__")
    ),
    texts(1, 40),
    max_size=3,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "alert": st.text(string.ascii_letters, min_size=1, max_size=12),
                "expr": st.sampled_from(
                    ["up == 0", 'sum(rate(a{b="c"}[5m])) > 1e3', "vector(1)\nor\nvector(2)"]
                ),
            },
            optional={
                "for": st.sampled_from(["5m", "0s", "1h30m"]),
                "keep_firing_for": st.just("10m"),
                "labels": LABELS,
                "annotations": LABELS,
            },
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_rule_comes_back_as_it_was(wanted: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, file = Path(folder) / "shop.yaml", Path(folder) / "old.yml"
        path.write_text(CATALOGUE)
        # In quotes: PyYAML reads some of what it writes without them as another text.
        text = yaml.safe_dump({"groups": [{"name": "a", "rules": wanted}]}, default_style='"')
        file.write_text(text, encoding="utf-8")
        catalogue = load(path)
        target = Path(folder) / "imported.yaml"
        importer = Importer(catalogue, "local", target, severity="warning")
        result = importer.run(read_file(file, catalogue.resolve("local").environment), "")
        assert (result.refused, result.proof.differences) == ([], [])
        target.write_text(result.text, encoding="utf-8")
        path.write_text(CATALOGUE + "include: [imported.yaml]\n")
        made = rules(path)
    kept = [{key: value for key, value in rule.items() if value} for rule in wanted]
    assert sorted(map(in_order, made)) == sorted(map(in_order, kept))


def in_order(rule: dict[str, Any]) -> str:
    return json.dumps(rule, sort_keys=True)
