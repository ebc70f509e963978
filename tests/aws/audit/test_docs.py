"""The page on the audit is true."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from orders_obs.aws.audit import cli
from orders_obs.aws.audit.rules import BY_INPUT, LINT_SUBJECTS, PROMETHEUS_RULES, REFUSED, REPLACED, RULES

TEXT = (Path(__file__).resolve().parents[3] / "docs/audit.md").read_text()


def test_it_has_every_rule_with_its_level_its_reason_and_its_remedy() -> None:
    rows = {
        row[0]: row[1:]
        for row in re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
    }
    assert rows == {
        name: (rule.level, rule.why, rule.remedy) for name, rule in (RULES | PROMETHEUS_RULES).items()
    }


def test_it_has_every_option() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    cli.register(commands)
    options = set(re.findall(r"--[a-z-]+", commands.choices["audit"].format_help())) - {"--help"}
    assert options == set(
        re.findall(r"--[a-z-]+", "\n".join(line for line in TEXT.splitlines() if line.startswith("| `--")))
    )


def test_the_names_of_lints_rules_are_those_of_lint() -> None:
    named = {name for names in LINT_SUBJECTS.values() for name in names} | REPLACED | REFUSED
    known = {name for rules in BY_INPUT.values() for name in rules} | REPLACED
    from orders_obs.alerts.lint.rules import RULES as LINT

    assert named <= known
    assert named <= LINT
