"""What the alerts of a catalogue and the rules of a file evaluate."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.alerts.compile.prometheus import AlertingRule, compile_rules
from orders_obs.alerts.contract.model import Query
from orders_obs.alerts.nodes import read
from orders_obs.alerts.promql import parse, uses
from orders_obs.errors import UserError
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.alerts.nodes import Node

__all__ = ["Used", "catalogue_queries", "rule_file_queries"]


@dataclass(frozen=True, slots=True)
class Used:
    """The queries that were read, and what is wrong with those that could not be."""

    queries: list[Query] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, more: Used) -> None:
        """Take in what was read elsewhere."""
        self.queries.extend(more.queries)
        self.findings.extend(more.findings)


def catalogue_queries(catalogue: Catalogue) -> Used:
    """What the alerts of a catalogue evaluate on Prometheus, in every environment; each with its alert's line.

    Raises:
        UserError: An alert cannot be expressed.
    """
    used = Used()
    for name in catalogue.environments:
        resolved = catalogue.resolve(name)
        if "prometheus" in resolved.environment.engines:
            used.add(_compiled(resolved))
    unique = {(query.where, query.name, query.text): query for query in used.queries}
    return Used(list(unique.values()), list(dict.fromkeys(used.findings)))


def _compiled(catalogue: ResolvedCatalogue) -> Used:
    places = {(alert.alert_id, alert.severity.name): str(alert.source) for alert in catalogue}
    rules = compile_rules(catalogue).rules
    used = Used()
    wheres: dict[str, str] = {}
    for rule in reversed(rules):  # an alert comes after what it is made of
        name = rule.alert if isinstance(rule, AlertingRule) else rule.record
        if isinstance(rule, AlertingRule):
            place = (rule.labels["alert_id"], rule.labels["severity"])
            where = places.get(place, catalogue.environment.name)
        else:
            where = wheres.get(name, catalogue.environment.name)
        try:
            tree = parse(rule.expr)
        except ValueError as error:
            used.findings.append(_unparsable(where, name, error))
            continue
        if where != catalogue.environment.name:
            wheres.update((use.metric, where) for use in uses(tree))
        records = "" if isinstance(rule, AlertingRule) else rule.record
        used.queries.append(Query(where, name, tree, rule.expr, "catalogue", records=records))
    used.queries.reverse()
    return used


def rule_file_queries(path: Path | str) -> Used:
    """What the rules of a Prometheus rule file, or of a `PrometheusRule`, evaluate.

    Raises:
        UserError: It is no rule file.
    """
    path = Path(path)
    document = read(path).mapping()
    if "groups" not in document and "spec" in document:
        document = document["spec"].mapping()
    if "groups" not in document:
        raise UserError("is no rule file: it has no `groups:`", file=path, line=1)
    used = Used()
    for rule, common in _rules(document["groups"]):
        fields = rule.mapping()
        kind = "alert" if "alert" in fields else "record"
        if kind not in fields or "expr" not in fields:
            rule.fail("must have `alert:` or `record:`, and `expr:`")
        name, text = fields[kind].text(), fields["expr"].text()
        where = f"{path}:{rule.source.line}"
        try:
            tree = parse(text)
        except ValueError as error:
            used.findings.append(_unparsable(where, name, error))
            continue
        labels = (*common, *(fields["labels"].mapping() if "labels" in fields else ()))
        records = name if kind == "record" else ""
        used.queries.append(Query(where, name, tree, text, "rules", records=records, record_labels=labels))
    return used


def _rules(groups: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    for group in groups.sequence():
        fields = group.mapping()
        common = tuple(fields["labels"].mapping()) if "labels" in fields else ()
        for rule in fields["rules"].sequence() if "rules" in fields else ():
            yield rule, common


def _unparsable(where: str, name: str, error: ValueError) -> Finding:
    return Finding(
        "promql-invalid",
        "error",
        where,
        f"{name}: is no PromQL: {error}",
        "Prometheus refuses a whole file for it, unless it is syntax behind one of its feature flags",
    )
