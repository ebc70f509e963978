"""Which alerts an engine evaluates, and what is said of those that it cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orders_obs.alerts.model import ENGINES, Alert, BurnAlert, EventAlert, RawAlert
from orders_obs.errors import UserError
from orders_obs.signals.model import Count, External, Level, Presence, Ratio, Selector, Share

if TYPE_CHECKING:
    from orders_obs.alerts.model import AnyAlert, Engine, Environment, ResolvedCatalogue
    from orders_obs.signals.model import PromQL

__all__ = ["Difference", "chosen", "evaluated_by", "missing_on", "sources"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something of the catalogue that an output does not have.

    Attributes:
        name: The alert.
        place: Where it is written, without folder.
        reason: Why, and what would bring it there.
    """

    name: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name}: {self.reason}"


def chosen(catalogue: ResolvedCatalogue, engine: Engine) -> tuple[list[AnyAlert], list[Difference]]:
    """The alerts that an engine evaluates, and the differences that this makes.

    Raises:
        UserError: An alert asks for the engine and cannot be there.
    """
    found: list[AnyAlert] = []
    differences: list[Difference] = []
    for alert in catalogue:
        if alert.engines and engine not in alert.engines:
            continue
        reason = missing_on(alert, engine)
        if not reason:
            found.append(alert)
        elif engine in alert.engines:
            raise UserError(
                f"{alert.name}: asks for {engine}: {reason}",
                hint="take the engine from its engines",
                file=alert.source.file,
                line=alert.source.line,
            )
        else:
            differences.append(Difference(alert.name, alert.source.short, f"not on {engine}: {reason}"))
    return found, list(dict.fromkeys(differences))


def evaluated_by(alert: AnyAlert) -> list[Engine]:
    """The engines that evaluate an alert in its environment."""
    return [
        engine
        for engine in ENGINES
        if engine in (alert.engines or alert.environment.engines) and not missing_on(alert, engine)
    ]


def missing_on(alert: AnyAlert, engine: Engine) -> str:
    """Why an engine has no data for an alert, and what would bring it there; empty where it has."""
    if isinstance(alert, RawAlert):
        has = (
            alert.prometheus
            if engine == "prometheus"
            else alert.cloudwatch
            if engine == "cloudwatch"
            else None
        )
        return "" if has is not None else f"its raw form has nothing for {engine}"
    if isinstance(alert, EventAlert):
        return "" if engine == "cloudwatch" else alert.signal.elsewhere
    assert isinstance(alert, Alert | BurnAlert)  # noqa: S101  # the other two kinds
    signal = alert.signal
    there = {
        "prometheus": _on_prometheus(signal, alert.environment),
        "cloudwatch": _on_cloudwatch(signal),
        "cloudwatch-promql": _on_promql(signal),
    }[engine]
    if there:
        return ""
    return f"it has no data for {signal.name}" + (f"; {signal.elsewhere}" if signal.elsewhere else "")


def sources(signal: Level | Presence, environment: Environment) -> list[Selector | External | PromQL]:
    """The Prometheus sources of a level that the environment has: an exporter counts once its job is named."""
    return [
        source
        for source in signal.prometheus
        if not isinstance(source, External) or source.of_service or source.job in environment.resources
    ]


def _on_prometheus(signal: Ratio | Share | Count | Level | Presence, environment: Environment) -> bool:
    if isinstance(signal, Level | Presence):
        return bool(sources(signal, environment))
    return not isinstance(signal, Count) or signal.events is not None


def _on_cloudwatch(signal: Ratio | Share | Count | Level | Presence) -> bool:
    if isinstance(signal, Ratio):
        return bool(signal.cloudwatch_part and signal.cloudwatch_total)
    return signal.cloudwatch is not None


def _on_promql(signal: Ratio | Share | Count | Level | Presence) -> bool:
    if isinstance(signal, Level):
        return signal.cloudwatch is not None or any(
            isinstance(source, Selector) for source in signal.prometheus
        )
    if isinstance(signal, Presence):
        return signal.cloudwatch is not None
    return not isinstance(signal, Count) or signal.events is not None or signal.cloudwatch is not None
