from __future__ import annotations

from typing import Any

import pytest

from orders_obs.errors import UserError
from orders_obs.settings import Settings


def test_without_a_word_nothing_leaves_the_process_and_lines_are_json_of_production() -> None:
    settings = Settings.load({})
    assert settings.traces_endpoint is None
    assert (settings.environment, settings.log_format, settings.problems) == ("production", "json", ())


def test_a_keyword_wins_over_our_variable_and_ours_over_opentelemetrys() -> None:
    env = {
        "OTEL_SERVICE_NAME": "otel",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=resource,deployment.environment.name=staging",
    }
    assert Settings.load({"OTEL_RESOURCE_ATTRIBUTES": env["OTEL_RESOURCE_ATTRIBUTES"]}).service == "resource"
    assert Settings.load(env).service == "otel"
    assert Settings.load(env).environment == "staging"
    assert Settings.load({**env, "ORDERS_OBS_SERVICE": "ours"}).service == "ours"
    assert Settings.load({**env, "ORDERS_OBS_SERVICE": "ours"}, service="keyword").service == "keyword"


def test_the_traces_address_is_derived_or_given() -> None:
    assert (
        Settings.load({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}).traces_endpoint
        == "http://c:4318/v1/traces"
    )
    given = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x",
    }
    assert Settings.load(given).traces_endpoint == "http://t:1/x"
    assert Settings.load({**given, "OTEL_TRACES_EXPORTER": "none"}).traces_endpoint is None


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ORDERS_OBS_LOG_LEVEL", "loud", "must be one of"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1", "whole number above 0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", "number above 0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://bob:hunter2@x", "must be an address"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2", "list of key=value"),
        ("ORDERS_OBS_DISABLED", "perhaps", "true or false"),
        ("OTEL_RESOURCE_ATTRIBUTES", "nonsense", "key=value"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
        ("ORDERS_OBS_METRICS_PATH", "metrics", "must begin with /"),
    ],
)
def test_a_wrong_variable_is_named_and_its_default_taken(variable: str, value: str, said: str) -> None:
    settings = Settings.load({variable: value})
    (problem,) = settings.problems
    assert problem.startswith(variable)
    assert said in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"log_level": "loud"}, "instrument(log_level=…): must be one of"),
        ({"endpoint": "nowhere"}, "instrument(endpoint=…): must be an address"),
        ({"colour": True}, "instrument() has no setting 'colour'"),
    ],
)
def test_a_wrong_keyword_is_an_error(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        Settings.load({}, **keywords)
    assert said in str(caught.value)


def test_secrets_of_the_settings_are_not_in_their_repr() -> None:
    assert "hunter2" not in repr(Settings.load({"OTEL_EXPORTER_OTLP_HEADERS": "x-key=hunter2"}))


def test_otel_sdk_disabled_is_honoured() -> None:
    assert Settings.load({"OTEL_SDK_DISABLED": "true"}).disabled
