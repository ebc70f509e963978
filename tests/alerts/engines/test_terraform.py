"""Terraform JSON, judged by the AWS provider's published types; and by Terraform itself where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orders_obs.alerts.compile import terraform
from orders_obs.alerts.compile.sns import RETRIES
from orders_obs.errors import EnvironmentFault
from tests.alerts.engines.conftest import Built, build
from tests.alerts.terraform.check import check_all

Document = dict[str, Any]


def documents() -> dict[str, Document]:
    """Both catalogues, with and without blocks that import."""
    return {
        f"{name}{'-import' if imports else ''}": terraform.document(
            build(name).catalogue, build(name).state, imports=imports
        )[0]
        for name in ("shipped", "wide")
        for imports in (False, True)
    }


def judged(found: dict[str, Document], folder: Path) -> dict[str, list[str]]:
    try:
        return check_all(found, folder)
    except EnvironmentFault as fault:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(fault))


def read_by_terraform(document: Document, folder: Path) -> str:
    """What Terraform says of a document that it only reads; empty where it has no objection or is not installed."""
    program = shutil.which("terraform")
    if program is None:
        return ""
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(document))
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [program, "providers"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_providers_types_take_every_document(tmp_path: Path) -> None:
    found = documents()
    assert judged(found, tmp_path) == {name: [] for name in found}
    for name, document in found.items():
        assert read_by_terraform(document, tmp_path / name) == ""


def test_what_goes_over_https_is_tried_for_an_hour_there_as_well() -> None:
    subscriptions = documents()["wide"]["resource"]["aws_sns_topic_subscription"].values()
    policies = {made["protocol"]: made.get("delivery_policy") for made in subscriptions}
    assert json.loads(policies.pop("https")) == {"healthyRetryPolicy": RETRIES}
    assert set(policies.values()) == {None}


def test_the_judges_are_awake(tmp_path: Path) -> None:
    found = documents()
    shipped, wide = found["shipped"], found["wide-import"]
    topic = next(iter(shipped["resource"]["aws_sns_topic"]))
    shipped["resource"]["aws_sns_topic"][topic]["topic_name"] = "x"
    wide["moved"][0]["to"] = "aws_cloudwatch_metric_alarm.none"
    wide["import"][0]["to"] = "aws_cloudwatch_metric_alarm.none"
    broken = {"shipped": shipped, "wide": wide}
    said = judged(broken, tmp_path)
    assert [line.partition(":")[0] for line in said["shipped"]] == [f"aws_sns_topic.{topic}.topic_name"]
    assert len(said["wide"]) == 2
    shipped["moved"] = [{"from": "aws_sns_topic..a", "to": f"aws_sns_topic.{topic}"}]
    assert shutil.which("terraform") is None or "Invalid" in read_by_terraform(shipped, tmp_path / "broken")


def test_text_stays_text(wide: Built) -> None:
    document, _ = terraform.document(wide.catalogue, wide.state)
    alarm = document["resource"]["aws_cloudwatch_metric_alarm"][
        "orders-api-of-the-european-market-production-slow_requests-wake_up"
    ]
    assert "slow?alert=$${name}&share=%%{if}" in alarm["alarm_description"]


def test_old_names_become_moves_in_a_chain_of_everything_that_belongs_to_the_alert(wide: Built) -> None:
    document, _ = terraform.document(wide.catalogue, wide.state)
    resources = {f"{kind}.{label}" for kind, made in document["resource"].items() for label in made}
    moved = {block["from"]: block["to"] for block in document["moved"]}
    assert len(moved) == len(document["moved"]) == len({*moved.values()}), (
        "nothing moves from or to two places"
    )
    assert not resources & moved.keys()
    prefix = "orders-api-of-the-european-market-production"
    ends = {}
    for start in moved:
        at = start
        while at in moved:
            at = moved[at]
        ends[start] = at
    assert {*ends.values()} <= resources
    metric, composite = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
    for old in ("errors_of_http", "http_errors"):
        assert (
            ends[f"{metric}.{prefix}-{old}-urgent-measure"] == f"{metric}.{prefix}-error_rate-urgent-measure"
        )
        assert (
            ends[f"{composite}.{prefix}-{old}-office_hours"]
            == f"{composite}.{prefix}-error_rate-office_hours"
        )
    assert f"{metric}.{prefix}-reachable-wake_up-0_0144-over-1h" in ends
    # An announcement's rule has a name that is cut, and targets.
    assert sorted(start.partition(".")[0] for start in ends if "_event_" in start) == [
        "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target",
    ]  # fmt: skip


def test_what_terraform_does_not_get_is_said_with_its_place(wide: Built) -> None:
    document, differences = terraform.document(wide.catalogue, wide.state, imports=True)
    said = {
        difference.name.removeprefix("orders-api-of-the-european-market-production-")
        for difference in differences
    }
    left_out = {alarm["AlarmName"] for alarm in wide.state.metric_alarms if "EvaluationCriteria" in alarm}
    mutes = {mute["Name"] for mute in wide.state.mute_rules}
    assert left_out
    assert {
        name.removeprefix("orders-api-of-the-european-market-production-") for name in left_out | mutes
    } <= said
    assert all(difference.place for difference in differences if not difference.name.startswith("alias/"))
    assert [difference.name for difference in differences if "imported" in difference.reason] == [
        "alias/orders-api-of-the-european-market-production-alerts"
    ]
    # Importing the alias alone would turn it to a new key, and what the topics hold could not be read.
    assert not [block for block in document["import"] if "kms" in block["to"]]


def test_everything_that_can_be_imported_is(built: Built) -> None:
    document, _ = terraform.document(built.catalogue, built.state, imports=True)
    imported = {block["to"] for block in document["import"]}
    known_only_to_aws = {
        "aws_kms_key",
        "aws_kms_alias",
        "aws_sns_topic_subscription",
        "aws_lambda_permission",
    }
    assert imported == {
        f"{kind}.{label}"
        for kind, made in document["resource"].items()
        if kind not in known_only_to_aws
        for label in made
    }
