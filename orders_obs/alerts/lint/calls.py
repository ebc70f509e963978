"""The calls that a catalogue's builds would make, judged before anybody makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls import validate
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.alerts.aws_calls import Problem
    from orders_obs.alerts.compile.aws import DesiredState
    from orders_obs.alerts.model import AnyAlert, ResolvedCatalogue

__all__ = ["refused_calls"]


def refused_calls(catalogue: ResolvedCatalogue) -> Iterator[tuple[AnyAlert | None, str, Problem]]:
    """What AWS refuses of what an environment is built to: the alert, the name of the thing, the problem.

    Raw alarms are left out, since the lint of alarms judges them; so is what cannot be built, which is an error of its own.
    """
    try:
        state = compile_state(catalogue)
    except UserError:
        return
    raw = {alert.full_name for alert in catalogue.raws}
    named = sorted(catalogue, key=lambda alert: -len(alert.full_name))
    for operation, name, arguments in _calls(state):
        if name in raw:
            continue
        alert = next((alert for alert in named if name.startswith(alert.full_name)), None)
        for problem in validate(operation, arguments):
            yield alert, name, problem


def _calls(state: DesiredState) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for alarm in state.metric_alarms:
        yield "put_metric_alarm", alarm["AlarmName"], alarm
    for alarm in state.composite_alarms:
        yield "put_composite_alarm", alarm["AlarmName"], alarm
    for mute in state.mute_rules:
        yield "put_alarm_mute_rule", mute["Name"], mute
    for rule in state.rules:
        arguments = {key: value for key, value in rule.items() if key != "Targets"}
        yield "put_rule", rule["Name"], arguments
        yield "put_targets", rule["Name"], {"Rule": rule["Name"], "Targets": rule["Targets"]}
