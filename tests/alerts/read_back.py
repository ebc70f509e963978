"""Alerts read back from what was built, by what it does on an engine and not by how the compiler writes it.

An alarm's arithmetic and a rule's expressions are worked out on samples, so that a minimum, a policy or an M of N is what the engine
would do with them. Of the package only the vocabulary is used: CloudWatch's units, and PromQL's parser.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import promql_parser
import yaml

from orders_obs.signals.aws_metrics import aws_metric

Point = float | None
_BASE = {"Percent": 100.0, "Milliseconds": 1000.0}
_SIDES = {">": "above", "<": "below", ">=": "at_least", "<=": "at_most"}
_OPERATORS = {
    "GreaterThanThreshold": "above",
    "LessThanThreshold": "below",
    "GreaterThanOrEqualToThreshold": "at_least",
    "LessThanOrEqualToThreshold": "at_most",
}
_POLICIES = {"notBreaching": "ok", "breaching": "breach", "ignore": "keep", "missing": "unknown"}


@dataclass(frozen=True)
class Read:
    """An alert as an engine has it.

    Attributes:
        metrics: What it reads: `NAMESPACE/NAME` on CloudWatch, names of series on Prometheus.
        policy: On Prometheus, where `unknown` is as `ok`, that.
        told: Topics; on Prometheus nothing, as Alertmanager routes by the labels.
    """

    metrics: frozenset[str]
    side: str
    threshold: float
    bound: float | None
    over: float
    m: int
    n: int
    minimum: int
    policy: str
    statistic: str
    live: bool
    severity: str
    told: tuple[str, ...] = ()
    muted_by: frozenset[str] = frozenset()


# --- CloudWatch


def read_alarm(name: str, alarms: Sequence[Mapping[str, Any]]) -> Read:
    """The alert that the alarm of a name is, with those that it is joined from.

    Args:
        name: Of the alarm that tells.
        alarms: Arguments of `put_metric_alarm` and `put_composite_alarm`.
    """
    by_name = {alarm["AlarmName"]: alarm for alarm in alarms}
    assert len(by_name) == len(alarms), "two alarms of one name"
    teller = by_name[name]
    muted_by = (
        _members(teller["ActionsSuppressor"], by_name) if "ActionsSuppressor" in teller else frozenset()
    )
    measure = teller
    if "AlarmRule" in teller:
        (child,) = re.findall(r'ALARM\("([^"]+)"\)', teller["AlarmRule"])
        assert teller["AlarmRule"] == f'ALARM("{child}")'
        measure = by_name[child]
        assert not measure["ActionsEnabled"]
        assert "AlarmActions" not in measure
    tags = {tag["Key"]: tag["Value"] for tag in teller["Tags"]}
    told = tuple(teller.get("AlarmActions", ()))
    assert told == tuple(teller.get("OKActions", ()))
    metrics, statistic, period, bound, minimum, scale = _watched(measure)
    return Read(
        metrics,
        _OPERATORS[measure["ComparisonOperator"]],
        measure["Threshold"] / scale,
        bound,
        float(period),
        measure["DatapointsToAlarm"],
        measure["EvaluationPeriods"],
        minimum,
        _POLICIES[measure["TreatMissingData"]],
        statistic,
        teller["ActionsEnabled"],
        tags["severity"],
        told,
        muted_by,
    )


def _members(name: str, by_name: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The alarms that a suppressor stands for: itself, or those of a composite that only joins."""
    alarm = by_name[name]
    if "AlarmActions" in alarm or not name.endswith("-worse"):
        return frozenset({name})
    return frozenset(re.findall(r'ALARM\("([^"]+)"\)', alarm["AlarmRule"]))


def _watched(alarm: Mapping[str, Any]) -> tuple[frozenset[str], str, int, float | None, int, float]:
    if "Metrics" not in alarm:
        known = aws_metric(alarm["Namespace"], alarm["MetricName"])
        scale = (
            _BASE.get(known.unit, 1.0) if known and alarm["Statistic"] not in ("Sum", "SampleCount") else 1.0
        )
        metrics = frozenset({f"{alarm['Namespace']}/{alarm['MetricName']}"})
        return metrics, alarm["Statistic"], alarm["Period"], None, 0, scale
    stats = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if "MetricStat" in query}
    (result,) = [query for query in alarm["Metrics"] if query["ReturnData"]]
    (period,) = {stat["Period"] for stat in stats.values()}
    metrics = frozenset(
        f"{stat['Metric']['Namespace']}/{stat['Metric']['MetricName']}" for stat in stats.values()
    )
    ranks = {key: stat["Stat"] for key, stat in stats.items() if stat["Stat"].startswith("PR(:")}
    if ranks:
        ((rank, stat),) = ranks.items()
        (count,) = [key for key, each in stats.items() if each["Stat"] == "SampleCount"]

        def share(bad: int, total: int) -> Point:
            return worked_out(result["Expression"], {rank: 100 * (total - bad) / total, count: float(total)})

        bound: float | None = float(stat[len("PR(:") : -1])
    else:
        assert {stat["Stat"] for stat in stats.values()} == {"Sum"}
        parts, rest = _parts(stats)

        def share(bad: int, total: int) -> Point:
            # The events that are no part are in the series of all requests, or in one of their own.
            left = total if rest[1] else total - bad
            values: dict[str, Point] = {rest[0]: float(left), parts[0]: float(bad)}
            values |= dict.fromkeys(parts[1:], None)
            return worked_out(result["Expression"], values)

        bound = None
    return metrics, "share", period, bound, _least(share), 1.0


def _parts(stats: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], tuple[str, bool]]:
    """The queries that count bad events, and the one of the others with whether it counts all."""
    names = {key: stat["Metric"]["MetricName"] for key, stat in stats.items()}
    if "CacheHits" in names.values():
        by_name = {name: key for key, name in names.items()}
        return [by_name["CacheHits"]], (by_name["CacheMisses"], False)
    bad = [key for key, name in names.items() if "5XX" in name]
    bad.sort(key=lambda key: "Target" not in names[key])
    (other,) = set(names) - set(bad)
    return bad, (other, True)


def _least(share: Callable[[int, int], Point]) -> int:
    """The fewest events of which there is a sample, after a look at whether the samples are right."""
    low, high = 0, 1
    while share(0, high) is None:
        low, high = high, high * 2
        assert high < 1e12, "never a sample"
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if share(0, middle) is not None else (middle, high)
    for total in (high, high + 1, high * 3):
        for bad in {0, 1, total // 3, total}:
            found = share(bad, total)
            assert found is not None
            assert abs(found - bad / total) < 1e-9
    return high


def worked_out(expression: str, values: Mapping[str, Point]) -> Point:
    """CloudWatch's metric math at one time: a missing value is 0 beside another one, a division by zero drops the point."""
    if all(value is None for value in values.values()):
        return None
    try:
        return _math(ast.parse(expression, mode="eval").body, values)
    except ZeroDivisionError:
        return None


def _math(node: ast.expr, values: Mapping[str, Point]) -> float:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return values[node.id] or 0.0
    if isinstance(node, ast.BinOp):
        ways: dict[type, Callable[[float, float], float]] = {
            ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
        }  # fmt: skip
        return ways[type(node.op)](_math(node.left, values), _math(node.right, values))
    if isinstance(node, ast.Compare):
        compare: dict[type, Callable[[float, float], bool]] = {
            ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le,
        }  # fmt: skip
        (comparison,), (right,) = node.ops, node.comparators
        return float(compare[type(comparison)](_math(node.left, values), _math(right, values)))
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    if node.func.id == "IF":
        condition, yes, no = node.args
        return _math(yes if _math(condition, values) else no, values)
    assert node.func.id == "FILL"
    series, filler = node.args
    assert isinstance(series, ast.Name)
    value = values[series.id]
    return _math(filler, values) if value is None else value


# --- Prometheus


@dataclass(frozen=True)
class Rules:
    """A rule file: what is recorded, and the alerts by name and severity."""

    records: Mapping[str, Any]
    alerts: Mapping[tuple[str, str], Mapping[str, Any]]


def read_rules(text: str) -> Rules:
    """A rule file's text."""
    (group,) = yaml.safe_load(text)["groups"]
    records: dict[str, Any] = {}
    alerts: dict[tuple[str, str], Mapping[str, Any]] = {}
    for rule in group["rules"] or ():
        tree = promql_parser.parse(rule["expr"])
        key = (rule["alert"], rule["labels"]["severity"]) if "alert" in rule else None
        if key is None:
            assert rule["record"] not in records, "recorded twice"
            records[rule["record"]] = tree
        else:
            assert key not in alerts, "two alerts of one name and severity"
            alerts[key] = {**rule, "tree": tree}
    return Rules(records, alerts)


Lookup = Callable[[str, float, float | None], Point]
"""A series' value by its name, its offset and its range in seconds (None for an instant), None where there is none."""


def value_of(node: Any, lookup: Lookup) -> Point:
    """An expression's value where every series is of one service, None for no series."""
    if isinstance(node, promql_parser.NumberLiteral):
        return float(node.val)
    if isinstance(node, promql_parser.ParenExpr):
        return value_of(node.expr, lookup)
    if isinstance(node, promql_parser.VectorSelector):
        return lookup(str(node.name), _offset(node), None)
    if isinstance(node, promql_parser.AggregateExpr):
        return value_of(node.expr, lookup)
    if isinstance(node, promql_parser.Call):
        first = node.args[0]
        if isinstance(first, promql_parser.MatrixSelector):
            return lookup(
                str(first.vector_selector.name), _offset(first.vector_selector), first.range.total_seconds()
            )
        assert node.func.name in ("label_replace", "vector")
        return value_of(first, lookup)
    assert isinstance(node, promql_parser.BinaryExpr)
    left, right, sign = value_of(node.lhs, lookup), value_of(node.rhs, lookup), str(node.op)
    if sign == "or":
        return right if left is None else left
    if sign in ("and", "unless"):
        return left if (right is None) == (sign == "unless") else None
    if left is None or right is None:
        return None
    if sign in _COMPARE:
        true = _COMPARE[sign](left, right)
        return float(true) if "bool" in str(node.modifier) else left if true else None
    if sign == "/" and right == 0:
        return float("nan")
    return _ARITHMETIC[sign](left, right)


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


def nodes(tree: Any) -> list[Any]:
    """A tree's nodes."""
    found, work = [], [tree]
    while work:
        node = work.pop()
        found.append(node)
        for key in ("lhs", "rhs", "expr", "vector_selector"):
            child = getattr(node, key, None)
            if child is not None and not isinstance(child, str):
                work.append(child)
        work += list(getattr(node, "args", ()))
    return found


def fires(rule: Mapping[str, Any], samples: Sequence[Point], *, fired: bool, there: bool = True) -> bool:
    """Whether an alerting rule fires, given for each of the last samples whether it breaches (None for a missing one), newest last."""
    over = _spacing(rule)

    def lookup(name: str, offset: float, window: float | None) -> Point:
        if name == "ALERTS":
            return 1.0 if fired else None
        if window is not None:
            return 1.0 if there else None
        back = round(offset / over) if over else 0
        return samples[len(samples) - 1 - back]

    return value_of(rule["tree"], lookup) is not None


def _offset(selector: Any) -> float:
    return float(selector.offset.total_seconds()) if selector.offset is not None else 0.0


def _breach_offsets(rule: Mapping[str, Any]) -> dict[str, set[float]]:
    found: dict[str, set[float]] = {}
    for node in nodes(rule["tree"]):
        if isinstance(node, promql_parser.VectorSelector) and node.name and ":breach" in node.name:
            found.setdefault(node.name, set()).add(_offset(node))
    return found


def _spacing(rule: Mapping[str, Any]) -> float:
    ((_, offsets),) = _breach_offsets(rule).items()
    return min(offsets - {0.0}, default=0.0)


def read_rule(alert: str, severity: str, rules: Rules) -> Read:
    """The alert that an alerting rule is, with the series that it is recorded from."""
    rule = rules.alerts[alert, severity]
    ((sample, offsets),) = _breach_offsets(rule).items()
    n, spacing = len(offsets), _spacing(rule)
    assert offsets == {back * spacing for back in range(n)}
    m = next(m for m in range(1, n + 1) if fires(rule, [0.0] * (n - m) + [1.0] * m, fired=False))
    nothing: list[Point] = [None] * n
    policy = (
        "breach"
        if fires(rule, nothing, fired=False)
        else "keep"
        if fires(rule, nothing, fired=True)
        else "ok"
    )
    tree = rules.records[sample]
    (comparison,) = [
        node
        for node in nodes(tree)
        if isinstance(node, promql_parser.BinaryExpr) and "bool" in str(node.modifier)
    ]
    threshold = value_of(comparison.rhs, lambda *_: None)
    assert threshold is not None
    recorded = [node for node in nodes(comparison.lhs) if isinstance(node, promql_parser.VectorSelector)]
    ranges = [node for node in nodes(comparison.lhs) if isinstance(node, promql_parser.MatrixSelector)]
    statistic = "events"
    if ranges:
        (call,) = [node for node in nodes(comparison.lhs) if isinstance(node, promql_parser.Call)]
        statistic = {"avg": "Average", "max": "Maximum", "min": "Minimum"}[call.func.name.partition("_")[0]]
        over = ranges[0].range.total_seconds()
        base = _selectors(recorded, rules, through=True)
        minimum = 0
    else:
        base = _selectors(recorded, rules, through=True)
        (over,) = {_offset(node) for node in base} - {0.0}
        minimum = _least_total(tree, comparison) if len({node.name for node in recorded}) > 1 else 0
        statistic = "share" if minimum else "events"
    if n > 1:
        assert spacing == over, "samples do not adjoin"
    bounds = {float(m.value) for node in base for m in node.matchers.matchers if m.name == "le"}
    assert len(bounds) <= 1
    own = {"up", "process_start_time_seconds"}
    names = {node.name for node in base}
    return Read(
        frozenset(names - own or names - {"process_start_time_seconds"}),
        _SIDES[str(comparison.op)],
        threshold,
        min(bounds, default=None),
        over,
        m,
        n,
        minimum,
        policy,
        statistic,
        rule["labels"].get("mode") != "shadow",
        rule["labels"]["severity"],
    )


def _selectors(recorded: Sequence[Any], rules: Rules, *, through: bool) -> list[Any]:
    """The selectors of what is scraped, under what is recorded."""
    found = []
    for node in recorded:
        if through and node.name in rules.records:
            below = [
                n for n in nodes(rules.records[node.name]) if isinstance(n, promql_parser.VectorSelector)
            ]
            found += _selectors(below, rules, through=True)
        else:
            found.append(node)
    return found


def _least_total(tree: Any, comparison: Any) -> int:
    """The fewest events of which there is a sample, after a look at whether samples are part over all."""
    division = comparison.lhs
    while isinstance(division, promql_parser.ParenExpr):
        division = division.expr
    part_name, total_name = division.lhs.name, division.rhs.name

    def at(node: Any, part: float, total: float) -> Point:
        return value_of(node, lambda name, *_: {part_name: part, total_name: total}[name])

    low, high = 0, 1
    while at(tree, 0, high) is None:
        low, high = high, high * 2
        assert high < 1e12, "never a sample"
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(tree, 0, middle) is not None else (middle, high)
    for total in (high, high * 3):
        for part in {0, 1, total}:
            assert at(division, part, total) == part / total
    return high
