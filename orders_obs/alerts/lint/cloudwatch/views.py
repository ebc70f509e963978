"""One alarm as the rules look at it: its kind, its series, its settings, each None where it cannot be known."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.alerts.lint.cloudwatch.files import Unknown, text_of
from orders_obs.alerts.lint.cloudwatch.metric_math import Term, names, parse
from orders_obs.signals.aws_metrics import aws_metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.findings import Level
    from orders_obs.signals.aws_metrics import AwsMetric

__all__ = ["AlarmView", "Said", "Series", "known_number", "known_text"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says of an alarm; `level` where it is another than the rule's."""

    message: str
    hint: str
    level: Level | Literal[""] = ""


def known_text(value: Any) -> str | None:
    """A value that is text, else None."""
    return value if isinstance(value, str) else None


def known_number(value: Any) -> float | None:
    """A value that is a number, or text that is one, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Series:
    """A metric that an alarm reads, with a statistic over a period. `id` is empty where the alarm has only one."""

    id: str
    namespace: str | None
    name: str | None
    dimensions: Any
    stat: str | None
    period: float | None
    unit: str | None

    @cached_property
    def known(self) -> AwsMetric | None:
        """What AWS documents of it."""
        return aws_metric(self.namespace, self.name) if self.namespace and self.name else None

    @property
    def text(self) -> str:
        """For a sentence: `HTTPCode_ELB_5XX_Count`, with the id where there is one."""
        return f"{self.name} ({self.id})" if self.id else str(self.name)

    @cached_property
    def values(self) -> dict[str, Any] | None:
        """The dimensions by name; None where they are not known."""
        listed = [] if self.dimensions is None else self.dimensions
        if not isinstance(listed, list):
            return None
        found = {}
        for dimension in listed:
            name = dimension.get("Name") if isinstance(dimension, dict) else None
            if not isinstance(name, str):
                return None
            found[name] = dimension.get("Value")
        return found

    @property
    def identity(self) -> tuple[object, ...] | None:
        """What makes two series the same; None where it cannot be known."""
        if self.namespace is None or self.name is None or self.stat is None or self.values is None:
            return None
        pairs = frozenset((name, text_of(value)) for name, value in self.values.items())
        if any("each." in text or "count." in text for _, text in pairs):
            return None
        return self.namespace, self.name, pairs, self.stat, self.period


class AlarmView:
    """An alarm's arguments, read."""

    def __init__(self, arguments: Mapping[str, Any], where: str) -> None:
        self.arguments = arguments
        self.where = where

    @property
    def name(self) -> str:
        """Its name, with `${…}` for what is not known of it."""
        return text_of(self.arguments.get("AlarmName", "an alarm without a name"))

    @cached_property
    def is_promql(self) -> bool:
        """Whether it is a PromQL alarm."""
        return "EvaluationCriteria" in self.arguments

    @cached_property
    def queries(self) -> list[Mapping[str, Any]]:
        """The queries of a math alarm, those that are mappings."""
        listed = self.arguments.get("Metrics")
        return [query for query in listed if isinstance(query, dict)] if isinstance(listed, list) else []

    @cached_property
    def is_math(self) -> bool:
        """Whether it computes an expression."""
        return any(query.get("Expression") for query in self.queries)

    @cached_property
    def is_anomaly(self) -> bool:
        """Whether it compares with a band."""
        return "ThresholdMetricId" in self.arguments

    @cached_property
    def series(self) -> list[Series]:
        """The metrics that it reads, in their order."""
        found = []
        if "MetricName" in self.arguments:
            stat = self.arguments.get("Statistic", self.arguments.get("ExtendedStatistic"))
            metric = self.arguments
            found.append(
                _series("", metric, metric.get("Dimensions"), stat, metric.get("Period"), metric.get("Unit"))
            )
        for query in self.queries:
            stat = query.get("MetricStat")
            if isinstance(stat, dict) and isinstance(stat.get("Metric"), dict):
                metric = stat["Metric"]
                found.append(
                    _series(
                        text_of(query.get("Id", "")),
                        metric,
                        metric.get("Dimensions"),
                        stat.get("Stat"),
                        stat.get("Period"),
                        stat.get("Unit"),
                    )
                )
        return found

    @cached_property
    def by_id(self) -> dict[str, Series]:
        """The metrics of a math alarm by their ids."""
        return {series.id: series for series in self.series}

    @cached_property
    def expressions(self) -> dict[str, Term | None]:
        """The expressions by their ids; None for one that is not read."""
        return {
            text_of(query.get("Id", "")): parse(query["Expression"])
            if isinstance(query["Expression"], str)
            else None
            for query in self.queries
            if query.get("Expression")
        }

    @cached_property
    def result(self) -> Series | Term | None:
        """What is compared: a metric, or an expression with the other expressions put in; None where it cannot be known."""
        if not self.queries:
            return self.series[0] if self.series and "Metrics" not in self.arguments else None
        returned = [query for query in self.queries if query.get("ReturnData", True) is True]
        if len(returned) != 1:
            return None
        name = text_of(returned[0].get("Id", ""))
        if name in self.by_id:
            return self.by_id[name]
        term = self.expressions.get(name)
        return None if term is None else self._put_in(term, 0)

    def _put_in(self, term: Term, depth: int) -> Term:
        from orders_obs.alerts.lint.cloudwatch.metric_math import Call, Infix, Listed, Name

        if isinstance(term, Name):
            inner = self.expressions.get(term.value)
            return term if inner is None or depth > 10 else self._put_in(inner, depth + 1)
        if isinstance(term, Infix):
            return Infix(term.op, self._put_in(term.left, depth), self._put_in(term.right, depth))
        if isinstance(term, Call):
            return Call(term.name, tuple(self._put_in(part, depth) for part in term.arguments))
        if isinstance(term, Listed):
            return Listed(tuple(self._put_in(part, depth) for part in term.items))
        return term

    @cached_property
    def compared(self) -> list[Series]:
        """The metrics that what is compared reads."""
        result = self.result
        if result is None:
            return []
        if isinstance(result, Series):
            return [result]
        return [self.by_id[name] for name in dict.fromkeys(names(result)) if name in self.by_id]

    @cached_property
    def threshold(self) -> float | None:
        """The threshold."""
        return known_number(self.arguments.get("Threshold"))

    @cached_property
    def op(self) -> str:
        """`>`, `>=`, `<`, `<=`; empty where it is another or not known."""
        words = {
            "GreaterThanThreshold": ">",
            "GreaterThanOrEqualToThreshold": ">=",
            "LessThanThreshold": "<",
            "LessThanOrEqualToThreshold": "<=",
        }
        return words.get(text_of(self.arguments.get("ComparisonOperator", "")), "")

    @property
    def condition(self) -> str:
        """The comparison in words."""
        return f"{self.op} {self.threshold:.12g}" if self.threshold is not None else self.op

    @cached_property
    def periods(self) -> float | None:
        """EvaluationPeriods."""
        return known_number(self.arguments.get("EvaluationPeriods"))

    @cached_property
    def datapoints(self) -> float | None:
        """DatapointsToAlarm, which is EvaluationPeriods where it is left out."""
        given = self.arguments.get("DatapointsToAlarm")
        return self.periods if given is None else known_number(given)

    @cached_property
    def missing(self) -> str | None:
        """TreatMissingData; None where it cannot be known."""
        value = self.arguments.get("TreatMissingData", "missing")
        return value if value in ("missing", "ignore", "breaching", "notBreaching") else None

    @cached_property
    def severity(self) -> Literal["critical", "warning", ""]:
        """What its tags, else its name, say of its severity."""
        tags = self.arguments.get("Tags")
        words = ""
        for tag in tags if isinstance(tags, list) else ():
            if isinstance(tag, dict) and str(tag.get("Key", "")).lower() == "severity":
                words = text_of(tag.get("Value", "")).lower()
        found = set(re.split(r"[^a-z0-9]+", words or re.sub(r"([a-z])([A-Z])", r"\1 \2", self.name).lower()))
        critical, warning = (
            found & {"critical", "crit", "sev1", "p1", "page"},
            found & {"warning", "warn", "sev2", "p2", "sev3"},
        )
        if bool(critical) == bool(warning):
            return ""
        return "critical" if critical else "warning"

    @cached_property
    def signature(self) -> tuple[object, ...] | None:
        """What it watches, whatever the threshold; None where that cannot be known."""
        if not self.op or not self.series or isinstance(self.arguments.get("Metrics"), Unknown):
            return None
        identities = {series.id: series.identity for series in self.series}
        if None in identities.values():
            return None
        expressions = tuple(
            sorted(
                (text_of(q.get("Id")), text_of(q.get("Expression")))
                for q in self.queries
                if q.get("Expression")
            )
        )
        return self.op[0], tuple(sorted(identities.items(), key=repr)), expressions


def _series(
    name: str, metric: Mapping[str, Any], dimensions: Any, stat: Any, period: Any, unit: Any
) -> Series:
    return Series(
        id=name,
        namespace=known_text(metric.get("Namespace")),
        name=known_text(metric.get("MetricName")),
        dimensions=dimensions,
        stat=known_text(stat),
        period=known_number(period),
        unit=known_text(unit),
    )
