"""Every rule of lint by its name: of catalogues, of Prometheus rule files, of CloudWatch alarms."""

from __future__ import annotations

from orders_obs.alerts.lint import catalogue_rules, rule_files
from orders_obs.alerts.lint.cloudwatch import rules as cloudwatch

__all__ = ["BY_INPUT", "RULES"]

BY_INPUT: dict[str, dict[str, str]] = {
    "catalogue": catalogue_rules.RULES,
    "Prometheus rule file": rule_files.RULES,
    "CloudWatch alarms": cloudwatch.RULES,
}
"""What is read, to its rules and why each is one."""
RULES: frozenset[str] = frozenset(name for rules in BY_INPUT.values() for name in rules)
"""The names, for waivers."""
