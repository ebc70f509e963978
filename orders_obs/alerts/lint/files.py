"""Lint of a file, whatever it is: a catalogue, Prometheus rules, or alarms as boto3, CloudFormation or Terraform has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.alerts.catalogue import load
from orders_obs.alerts.lint.catalogue_rules import lint_catalogue
from orders_obs.alerts.lint.cloudwatch.files import read_alarms
from orders_obs.alerts.lint.cloudwatch.rules import lint_alarms
from orders_obs.alerts.lint.rule_files import lint_rules
from orders_obs.alerts.nodes import read_text
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from orders_obs.findings import Finding

__all__ = ["lint_file", "lint_path"]

_SUFFIXES = (".yaml", ".yml", ".json", ".template")
_CATALOGUE = re.compile(r"^catalogue\s*:", re.MULTILINE)
_SERVICE = re.compile(r"^service\s*:", re.MULTILINE)
_RULES = re.compile(
    r"""^(?:groups\s*:|kind\s*:\s*["']?PrometheusRule\b|\s*\{?\s*"groups"\s*:)""", re.MULTILINE
)
_PASSED_OVER = {".git", ".venv", ".terraform", "node_modules"}


def lint_path(path: Path) -> tuple[list[Finding], list[Path], list[Path]]:
    """What is wrong with a file, or with each file of a folder that is of a kind that lint knows.

    Returns:
        The findings, the files that were read, and those of a folder that were passed over because lint does not know their kind.

    Raises:
        UserError: A file cannot be read or is broken, or a file that was named is of no kind that lint knows.
    """
    if not path.is_dir():
        found = lint_file(path)
        if found is None:
            raise UserError(
                "is nothing that lint knows",
                hint="a catalogue, Prometheus rules, or alarms as boto3, CloudFormation or Terraform JSON",
                file=path,
            )
        return found, [path], []
    findings: list[Finding] = []
    read, passed = list[Path](), list[Path]()
    for file in sorted(path.rglob("*")):
        if not file.is_file() or file.suffix not in _SUFFIXES or _PASSED_OVER & set(file.parts):
            continue
        found = lint_file(file)
        if found is None:
            passed.append(file)
        else:
            read.append(file)
            findings += found
    return findings, read, passed


def lint_file(path: Path) -> list[Finding] | None:
    """What is wrong with a file; None where it is of no kind that lint knows.

    Raises:
        UserError: It cannot be read, or is broken.
    """
    text = read_text(path)
    if _CATALOGUE.search(text):
        # A part has no meaning of its own: it is judged where it is included.
        return lint_catalogue(load(path)) if _SERVICE.search(text) else None
    alarms = read_alarms(text, path)
    if alarms is not None:
        return lint_alarms(alarms)
    return lint_rules(text, path) if _RULES.search(text) and "rules" in text else None
