"""What a check found, and how every check of the package says it: text, JSON, a baseline, an exit code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Finding", "Level", "exit_code", "known", "read_baseline", "render", "stricter", "write_baseline"]

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
    ordered = sorted(findings, key=lambda f: (_ORDER[f.level], f.where, f.rule, f.message))
    if as_json:
        return json.dumps({"findings": [asdict(finding) for finding in ordered]}, indent=2) + "\n"
    lines = []
    for finding in ordered:
        lines.append(f"{finding.where}: {finding.level}: {finding.message} [{finding.rule}]")
        if finding.hint:
            lines.append(f"    {finding.hint}")
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
        raise UserError("is no baseline", hint="make one with --json > FILE", file=path) from None


def write_baseline(findings: Sequence[Finding], path: Path | str) -> None:
    """Write the findings as a baseline."""
    Path(path).write_text(render(findings, as_json=True), encoding="utf-8")


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.rule, _place(finding.where), finding.message


def _place(where: str) -> str:
    """A place without its line, so that a line added above does not make a finding new."""
    head, _, line = where.rpartition(":")
    return head if head and line.isdigit() else where
