"""What a check found, and how every check of the package says it: text, JSON, a baseline, an exit code."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Finding",
    "Level",
    "add_arguments",
    "exit_code",
    "known",
    "list_rules",
    "read_baseline",
    "render",
    "report",
    "stricter",
    "write_baseline",
]

Level = Literal["error", "warning", "info"]
_ORDER: dict[Level, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes:
        rule: Name of the rule, such as `ratio-without-minimum`; docs/lint.md says why it is one.
        level: `error` where the thing cannot work, `warning` where it works badly, `info` where it is worth knowing.
        where: `FILE:LINE`, `FILE` or the name of the thing.
        message: What is wrong, in one sentence.
        hint: What would be right.
    """

    rule: str
    level: Level
    where: str
    message: str
    hint: str = ""


def render(findings: Sequence[Finding], *, as_json: bool) -> str:
    """The findings for a person, worst first, or as `{"findings": […]}`; empty text where there are none."""
    ordered = sorted(findings, key=lambda f: (_ORDER[f.level], _by_line(f.where), f.rule, f.message))
    if as_json:
        return json.dumps({"findings": [asdict(finding) for finding in ordered]}, indent=2) + "\n"
    lines = []
    for finding in ordered:
        lines.append(f"{finding.where}: {finding.level}: {finding.message} [{finding.rule}]")
        if finding.hint:
            lines.append(f"    {finding.hint}")
    return "".join(f"{line}\n" for line in lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every check takes: `--json`, `--strict`, `--baseline FILE`, `--write-baseline FILE`."""
    parser.add_argument("--json", action="store_true", help="as data")
    parser.add_argument("--strict", action="store_true", help="warnings are errors")
    parser.add_argument("--baseline", metavar="FILE", help="leave out the findings that this file has")
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="write the findings to a baseline, and exit 0"
    )


def report(findings: Sequence[Finding], args: argparse.Namespace) -> int:
    """Print the findings as the arguments of `add_arguments` ask; the exit code: 1 where one is an error.

    Raises:
        UserError: A baseline cannot be read or written.
    """
    if args.write_baseline:
        write_baseline(findings, args.write_baseline)
        print(f"wrote {len(findings)} findings to {args.write_baseline}", file=sys.stderr)
        return 0
    kept = 0
    if args.baseline:
        findings, kept = known(findings, read_baseline(args.baseline))
    if args.strict:
        findings = stricter(findings)
    print(render(findings, as_json=args.json), end="")
    counts = [f"{sum(f.level == level for f in findings)} {level}s" for level in ("error", "warning")]
    infos = sum(f.level == "info" for f in findings)
    said = ", ".join([*counts, f"{infos} worth knowing", *([f"{kept} in the baseline"] if kept else [])])
    print(said if findings or kept else "nothing found", file=sys.stderr)
    return exit_code(findings)


def list_rules(rules: Mapping[str, Mapping[str, str]], *, as_json: bool) -> str:
    """The rules of a check by what it reads, each with the reason why it is one."""
    if as_json:
        return json.dumps({"rules": rules}, indent=2) + "\n"
    lines = []
    for heading, reasons in rules.items():
        lines += [heading, *(f"  {name:32} {why}" for name, why in sorted(reasons.items()))]
    return "".join(f"{line}\n" for line in lines)


def stricter(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with each warning made an error, as `--strict` asks."""
    return [replace(f, level="error") if f.level == "warning" else f for f in findings]


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where one is an error, else 0."""
    return int(any(finding.level == "error" for finding in findings))


def known(findings: Iterable[Finding], baseline: set[tuple[str, str, str]]) -> tuple[list[Finding], int]:
    """The findings that a baseline does not have, and the number of those that it has."""
    every = list(findings)
    new = [finding for finding in every if _key(finding) not in baseline]
    return new, len(every) - len(new)


def read_baseline(path: Path | str) -> set[tuple[str, str, str]]:
    """The findings that a team has decided to live with: a file that `--json` or `write_baseline` made.

    Raises:
        UserError: It cannot be read, or is none.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {(str(f["rule"]), _place(str(f["where"])), str(f["message"])) for f in content["findings"]}
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except (ValueError, KeyError, TypeError):
        raise UserError("is no baseline", hint="make one with --write-baseline FILE", file=path) from None


def write_baseline(findings: Sequence[Finding], path: Path | str) -> None:
    """Write the findings as a baseline.

    Raises:
        UserError: The file cannot be written.
    """
    path = Path(path)
    try:
        path.write_text(render(findings, as_json=True), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, _place(finding.where), finding.message


def _by_line(where: str) -> tuple[str, int, str]:
    """The order of places: by file, then by line as a number."""
    head = _place(where)
    return head, int(where[len(head) + 1 :] or 0), where


def _place(where: str) -> str:
    """A place without its line, so that a line added above does not make a finding new."""
    head, _, line = where.rpartition(":")
    return head if head and line.isdigit() else where
