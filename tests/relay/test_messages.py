"""What the messages of AWS say: each kind as what, how bad, since when, value and threshold, and where to look."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_obs.alerts import load
from orders_obs.alerts.compile.cloudwatch import compile_all
from orders_obs.relay import links
from orders_obs.relay.alert import Alert
from orders_obs.relay.envelope import parse_body
from orders_obs.relay.messages import read
from orders_obs.relay.settings import RelaySettings
from tests.relay.sns import ALARM, NOW, TOPIC, WARNINGS, notification

CONSOLE = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "ORDERS_OBS_RELAY_TOPICS": f"{TOPIC},{WARNINGS}",
    "ORDERS_OBS_RELAY_SLACK_SECRET": "orders/slack",
    "ORDERS_OBS_RELAY_RUNBOOK_BASE": "https://wiki.example.com/runbooks/{}.html",
}


def told(
    message: Any, *, topic: str = TOPIC, subject: str | None = "a subject", **settings: str
) -> Alert | None:
    body = notification(message, topic=topic, subject=subject)
    loaded = RelaySettings.load(
        SETTINGS | {f"ORDERS_OBS_RELAY_{name}": value for name, value in settings.items()}
    )
    return read(parse_body(json.dumps(body).encode(), 1_048_576), loaded)


def alert(message: Any, **more: Any) -> Alert:
    found = told(message, **more)
    assert found is not None
    return found


def changed(**fields: Any) -> dict[str, Any]:
    return copy.deepcopy(ALARM) | fields


def events(name: str) -> list[dict[str, Any]]:
    """AWS's own samples, which the tests of the rules have."""
    found = json.loads((ROOT / f"tests/alerts/engines/events/{name}.json").read_text())["cases"]
    return [case["event"] for case in found]


def test_an_alarm_says_what_how_bad_since_when_value_threshold_and_where_to_look() -> None:
    assert alert(ALARM, LOG_GROUPS="/orders/api/production") == Alert(
        status="firing",
        severity="critical",
        title="Error rate",
        name="orders-api-production-error_rate-critical",
        text="Fires while http_error_ratio is above 5% over 5m; a sample needs 100 events.\n"
        + ALARM["NewStateReason"],
        since=datetime(2026, 11, 25, 8, 29, 58, 123000, tzinfo=UTC),
        facts=(("Value", "7.25%"), ("Threshold", "> 5%"), ("State", "ALARM (was OK)")),
        links=(
            (
                "Alarm",
                f"{CONSOLE}#alarmsV2:alarm/orders-api-production-error_rate-critical",
            ),
            ("Runbook", "https://wiki.example.com/runbooks/error_rate"),
            (
                "Logs /orders/api/production",
                f"{CONSOLE}#logsV2:log-groups/log-group/$252Forders$252Fapi$252Fproduction/log-events$3Fstart$3D1795595098123",
            ),
        ),
        source="CloudWatch alarm",
        account="111122223333",
        region="eu-west-1",
    )


def test_each_alarm_of_the_shipped_catalogue_is_read_with_its_title_its_words_and_its_runbook() -> None:
    alarms = compile_all(load(ROOT / "alerts").resolve("production"))
    telling = [alarm for alarm in (*alarms.metric, *alarms.composite) if alarm["ActionsEnabled"]]
    assert len(telling) > 10
    for alarm in telling:
        shown = {key: alarm[key] for key in ("AlarmName", "AlarmDescription")}
        trigger = {key: alarm[key] for key in ("Threshold", "ComparisonOperator") if key in alarm}
        found = alert({**ALARM, **shown, "Trigger": trigger}, topic=WARNINGS)
        severity = next(tag["Value"] for tag in alarm["Tags"] if tag["Key"] == "severity")
        head, _, runbook = alarm["AlarmDescription"].rpartition(" Runbook: ")
        assert (found.severity, found.title) == (severity, head.partition(": fires while ")[0])
        assert dict(found.links)["Runbook"] == runbook
        assert found.text.startswith("Fires while ")


@pytest.mark.parametrize(
    ("when", "threshold", "point", "value", "limit"),
    [
        ("rds_cpu (average) is above 80% over 5m", 80.0, "91.5", "91.5%", "> 80%"),
        (
            "rds_free_storage (minimum) is below 10GiB over 5m",
            10 * 1024.0**3,
            "5368709120",
            "5GiB",
            "> 10GiB",
        ),
        (
            "unhealthy_hosts (minimum) is at least 1 host over 1m, in 3 of the last 3 samples",
            1.0,
            "2",
            "2 host",
            "> 1 host",
        ),
        ("the share of http_latency slower than 5s is above 1% over 5m", 0.01, "0.034", "3.4%", "> 1%"),
        ("orders_created is above 100 over 1m", 100.0, "131.0", "131", "> 100"),
        ("its own expression says so", 5.0, "7.25", "7.25", "> 5"),
        ("something is above 0% over 5m", 0.0, "7.25", "7.25", "> 0"),
    ],
)
def test_value_and_threshold_are_in_the_unit_of_the_description(
    when: str, threshold: float, point: str, value: str, limit: str
) -> None:
    message = changed(
        AlarmDescription=f"Something: fires while {when}.",
        NewStateReason=f"Threshold Crossed: 1 datapoint [{point} (25/11/26 08:24:00)] was greater than the threshold.",
        Trigger={"Threshold": threshold, "ComparisonOperator": "GreaterThanThreshold"},
    )
    facts = dict(alert(message).facts)
    assert (facts["Value"], facts["Threshold"]) == (value, limit)


def test_an_alarm_of_one_metric_says_which_metric_of_what() -> None:
    trigger = {
        "MetricName": "CPUUtilization",
        "Namespace": "AWS/RDS",
        "StatisticType": "Statistic",
        "Statistic": "AVERAGE",
        "Unit": None,
        "Dimensions": [{"value": "orders-db", "name": "DBInstanceIdentifier"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 80.0,
    }
    facts = dict(alert(changed(AlarmDescription=None, Trigger=trigger)).facts)
    assert facts["Metric"] == "AWS/RDS/CPUUtilization"
    assert facts["Dimensions"] == "DBInstanceIdentifier: orders-db"


def test_a_composite_says_which_of_its_children_it_is() -> None:
    child = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-api-production-error_rate-warning-measure"
    state = {"Value": "ALARM", "Timestamp": "2026-11-25T08:29:58.123+0000"}
    message = {key: value for key, value in ALARM.items() if key != "Trigger"} | {
        "AlarmName": "orders-api-production-error_rate-warning",
        "AlarmRule": 'ALARM("orders-api-production-error_rate-warning-measure")',
        "TriggeringChildren": [{"Arn": child, "State": state}],
    }
    found = alert(message, topic=WARNINGS)
    assert dict(found.facts)["Because of"] == "orders-api-production-error_rate-warning-measure (ALARM)"
    assert (found.source, found.severity) == ("CloudWatch composite alarm", "warning")


def test_an_alarm_with_contributors_says_which_series_it_is() -> None:
    message = changed(
        AlarmContributorAttributes={"job": "orders-api", "route": "/orders"},
        Trigger={"EvaluationCriteria": {}},
    )
    assert dict(alert(message).facts)["Contributor"] == "job: orders-api\nroute: /orders"


def test_a_recovery_is_told_and_ok_after_no_data_is_not() -> None:
    assert alert(changed(NewStateValue="OK", OldStateValue="ALARM")).status == "recovered"
    assert told(changed(NewStateValue="OK", OldStateValue="INSUFFICIENT_DATA")) is None
    # Who asked to be told of missing data is told of it.
    assert alert(changed(NewStateValue="INSUFFICIENT_DATA")).status == "unknown"


@pytest.mark.parametrize("previous", ["ALARM", "INSUFFICIENT_DATA"])
def test_the_same_holds_for_an_alarm_by_eventbridge(previous: str) -> None:
    event = copy.deepcopy(events("cloudwatch-alarm")[0])
    event["detail"]["state"]["value"] = "OK"
    event["detail"]["previousState"]["value"] = previous
    found = told(event)
    assert (found is None) == (previous == "INSUFFICIENT_DATA")
    assert found is None or found.status == "recovered"


@pytest.mark.parametrize(
    ("name", "settings", "tags", "topic", "severity"),
    [
        (
            "a-b-warning",
            {"SEVERITIES": '{"orders-critical-production": "info"}'},
            {"severity": "critical"},
            TOPIC,
            "info",
        ),
        ("a-b-warning", {}, {"severity": "critical"}, TOPIC, "warning"),
        ("a-b-c", {}, {"severity": "info"}, TOPIC, "info"),
        ("a-b-c", {}, [{"Key": "severity", "Value": "info"}], TOPIC, "info"),
        ("a-b-c", {}, {"severity": "<!channel>"}, TOPIC, "critical"),
        ("a-b-c", {}, {}, TOPIC, "critical"),
        ("a-b-c", {}, {}, WARNINGS, ""),
        ("a-b-page", {"SEVERITIES": '{"other": "page"}'}, {}, WARNINGS, "page"),
    ],
)
def test_how_bad_it_is_says_the_topics_setting_then_the_name_then_the_tag_then_the_topics_name(
    name: str, settings: dict[str, str], tags: Any, topic: str, severity: str
) -> None:
    assert alert(changed(AlarmName=name, AlarmTags=tags), topic=topic, **settings).severity == severity


@pytest.mark.parametrize(
    ("arn", "link"),
    [
        (
            "arn:aws:cloudwatch:us-east-1:1:alarm:x",
            "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1",
        ),
        (
            "arn:aws-cn:cloudwatch:cn-north-1:1:alarm:x",
            "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1",
        ),
        (
            "arn:aws-us-gov:cloudwatch:us-gov-west-1:1:alarm:x",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1",
        ),
        (
            "arn:aws:cloudwatch:evil.com/x-1:1:alarm:x",
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1",
        ),
        (None, "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"),
    ],
)
def test_links_lead_to_the_console_of_the_alarms_partition(arn: str | None, link: str) -> None:
    found = alert(changed(AlarmArn=arn, AlarmName="a/b c#d|e"))
    assert dict(found.links)["Alarm"] == f"{link}#alarmsV2:alarm/a%2Fb%20c%23d%7Ce"


def test_the_region_of_an_event_leads_to_no_other_host() -> None:
    event = events("cloudwatch-alarm")[0] | {"region": "evil.com/#"}
    assert dict(alert(event).links)["Alarm"].startswith(f"{CONSOLE}#alarmsV2:alarm/")


def test_a_field_that_cannot_be_read_leaves_the_message_as_text() -> None:
    message = changed(Trigger={"Threshold": 10**400, "ComparisonOperator": "GreaterThanThreshold"})
    found = alert(message, subject='ALARM: "error_rate" in EU (Ireland)')
    assert (found.status, found.title, found.severity) == (
        "happened",
        'ALARM: "error_rate" in EU (Ireland)',
        "critical",
    )
    assert ALARM["NewStateReason"].partition("->")[0] in found.text


def test_a_failed_deployment_is_told_with_its_reason_and_its_runbook() -> None:
    found = alert(events("ecs-deployment")[0])
    assert (found.status, found.severity, found.title) == ("happened", "critical", "Deployment failed")
    assert found.text == "ECS deployment circuit breaker: task failed to start."
    assert (
        found.name == "ecs:eu-west-1:111122223333:service/orders/orders-api".rpartition(":")[0] or found.name
    )
    assert dict(found.facts)["Event"] == "SERVICE_DEPLOYMENT_FAILED"
    assert dict(found.links)["Runbook"] == "https://wiki.example.com/runbooks/deployment_failed.html"


def test_a_databases_event_is_told_by_eventbridge_and_by_rds_itself() -> None:
    event = next(event for event in events("rds") if event["detail-type"] == "RDS DB Instance Event")
    found = alert(event)
    assert found.title == f"RDS DB Instance: {event['detail']['SourceIdentifier']}"
    assert found.text == event["detail"]["Message"]
    direct = alert(
        {
            "Event Source": "db-instance",
            "Event Time": "2026-11-25 08:04:18.082",
            "Identifier Link": "https://console.aws.amazon.com/rds/home?region=eu-west-1#dbinstance:id=orders-db\nSourceId: orders-db",
            "Source ID": "orders-db",
            "Source ARN": "arn:aws:rds:eu-west-1:111122223333:db:orders-db",
            "Event ID": "http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html#RDS-EVENT-0004",
            "Event Message": "DB instance shutdown",
        }
    )
    assert (direct.title, direct.text) == ("RDS db-instance: orders-db", "DB instance shutdown")
    assert direct.since == datetime(2026, 11, 25, 8, 4, 18, 82000, tzinfo=UTC)
    assert dict(direct.facts) == {"Event": "RDS-EVENT-0004"}
    assert dict(direct.links)["Console"].endswith("#dbinstance:id=orders-db")


def test_scaling_to_the_maximum_is_told_with_the_capacity() -> None:
    found = alert(events("application-auto-scaling")[0], topic=WARNINGS)
    assert found.title == "Scaled to the maximum"
    assert dict(found.facts) == {"What": "service/orders/orders-api", "Capacity": "5 to 8"}


@pytest.mark.parametrize(
    "name", ["ecs-deployment", "ecs-service-action", "rds", "application-auto-scaling", "cloudwatch-alarm"]
)
def test_every_sample_of_aws_is_told(name: str) -> None:
    for event in events(name):
        found = alert(event)
        assert found.title
        assert found.since is not None
        assert found.source.startswith("EventBridge, aws.")


def test_an_event_of_another_kind_is_told_with_all_that_it_says() -> None:
    event = events("rds")[0] | {
        "detail-type": "Backup Job State Change",
        "source": "aws.backup",
        "detail": {"state": "FAILED"},
    }
    found = alert(event)
    assert found.title == "Backup Job State Change"
    assert '"state": "FAILED"' in found.text


@pytest.mark.parametrize(
    ("message", "subject", "title"),
    [
        (
            "AWS Budget Notification November 25, 2026\nAWS Account 111122223333\n\nDear AWS Customer,",
            "AWS Budgets: Orders has exceeded",
            "AWS Budgets: Orders has exceeded",
        ),
        ("somebody's own words", None, "somebody's own words"),
        ('{"unknown": ["form"]}', None, "A message"),
        ('{"AlarmName": "a", "NewStateValue": "BROKEN"}', "Odd", "Odd"),
        ("{not json", "Odd", "Odd"),
        ("   ", None, "A message"),
    ],
)
def test_a_text_and_an_unknown_form_are_told_as_they_are(
    message: str, subject: str | None, title: str
) -> None:
    found = alert(message, subject=subject)
    assert (found.status, found.title) == ("happened", title)
    assert found.text == (message.strip() or "(an empty message)")
    assert found.since == NOW


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.sampled_from(
        [ALARM, *events("ecs-deployment")[:1], *events("cloudwatch-alarm")[:1], *events("rds")[:1]]
    ),
    st.data(),
)
def test_no_form_of_any_field_keeps_a_message_from_being_told(
    message: dict[str, Any], data: st.DataObject
) -> None:
    keys = data.draw(st.lists(st.sampled_from(sorted(message)), max_size=3))
    found = copy.deepcopy(message) | {key: data.draw(JSON) for key in keys}
    for inner in ("Trigger", "detail"):
        if isinstance(found.get(inner), dict) and found[inner]:
            found[inner][data.draw(st.sampled_from(sorted(found[inner])))] = data.draw(JSON)
    told(found)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "ftp://wiki.example.com/x", "https://", "https://a b", "https://real.example.com@evil.com/", "https://[",
        "https://wiki.example.com/\n<!channel>", "https://w\u0456ki.example.com/", "https://" + "x" * 3000, "//evil.com", "",
    ],
)  # fmt: skip
def test_only_an_address_of_the_web_becomes_a_link(address: str) -> None:
    assert links.safe(address) == ""


def test_what_ends_a_link_is_written_otherwise() -> None:
    assert (
        links.safe("https://wiki.example.com/a|b>c<d\u00a0%20#x")
        == "https://wiki.example.com/a%7Cb%3Ec%3Cd%C2%A0%20#x"
    )
