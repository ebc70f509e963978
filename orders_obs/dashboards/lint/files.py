"""Dashboards in files: as Grafana saves and exports them, as its API wraps them, or a folder of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.nodes import read_text
from orders_obs.dashboards.lint.rules import UID_TWICE, lint_dashboard
from orders_obs.dashboards.lint.views import mapping, printable, text
from orders_obs.errors import UserError
from orders_obs.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["DashboardFile", "lint_paths", "read_dashboard"]

_KEYS = ("panels", "rows", "elements")
_LIKELY = ("templating", "schemaVersion", "annotations")
_WRAPPERS = ("dashboard", "spec")
_PASSED_OVER = {"node_modules"}


@dataclass(frozen=True, slots=True)
class DashboardFile:
    """A dashboard and the places of its parts.

    Attributes:
        path: Its file.
        dashboard: Its JSON, without the API's wrapping.
        lines: The line on which each object begins, by the identity of the object.
    """

    path: Path
    dashboard: dict[str, Any]
    lines: dict[int, int] = field(default_factory=dict)

    def line_of(self, part: Any) -> int | None:
        """The line of a part of the JSON, counted from 1; None where it is not known."""
        return self.lines.get(id(part))


def lint_paths(
    paths: Iterable[Path], *, broken: list[UserError] | None = None
) -> tuple[list[Finding], list[Path], list[Path]]:
    """What is wrong with dashboards, each also by its links to the others.

    Args:
        paths: Files, and folders of them.
        broken: Takes what is wrong with files that cannot be judged, and the others are judged; None raises the first.

    Returns:
        The findings, the files that were read, and the JSON files of folders that hold no dashboard.

    Raises:
        UserError: A file cannot be read or is no JSON, one that was named holds no dashboard, or there is no dashboard at all.
        EnvironmentFault: The foundation SDK is not installed.
    """
    paths = list(paths)
    files: dict[Path, DashboardFile] = {}
    passed: list[Path] = []
    faults: list[UserError] = []
    for path, named in _candidates(paths):
        try:
            found = _read_named(path) if named else read_dashboard(path)
        except UserError as error:
            if broken is None:
                raise
            faults.append(error)
            continue
        if found is None:
            passed.append(path)
        else:
            files.setdefault(path.resolve(), found)
    if not files and not faults:
        hint = "a dashboard is JSON with `panels`; `orders-obs dashboards build` writes it from NAME.dashboard.py"
        raise UserError("holds no dashboard", hint=hint, file=next(iter(paths), None))
    if broken is not None:
        broken += faults
    uids = {text(file.dashboard.get("uid")) for file in files.values()} - {""}
    known = frozenset(uids) if len(files) > 1 else frozenset()
    findings = [
        finding
        for file in files.values()
        for finding in lint_dashboard(file.dashboard, str(file.path), uids=known, line_of=file.line_of)
    ]
    findings += _uid_twice(files.values())
    return findings, [file.path for file in files.values()], passed


def _candidates(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files, each with whether it was named itself."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for file in sorted(path.rglob("*.json")):
            parts = file.relative_to(path).parts
            if file.is_file() and not any(part in _PASSED_OVER or part.startswith(".") for part in parts):
                yield file, False


def _read_named(path: Path) -> DashboardFile:
    if path.suffix == ".py" and path.is_file():
        built = path.name.removesuffix(".py").removesuffix(".dashboard")
        raise UserError(
            "is the source of a dashboard",
            hint=f"give the built JSON, not the source: {path.with_name(built + '.json')}",
            file=path,
        )
    found = read_dashboard(path)
    if found is None:
        hint = "a dashboard has `panels`; Grafana exports it under Share or Export"
        raise UserError("is no dashboard of Grafana", hint=hint, file=path)
    return found


def _uid_twice(files: Iterable[DashboardFile]) -> Iterator[Finding]:
    first: dict[str, DashboardFile] = {}
    for file in files:
        uid = text(file.dashboard.get("uid"))
        if uid and first.setdefault(uid, file) is not file:
            line = file.line_of(file.dashboard)
            yield Finding(
                UID_TWICE,
                "error",
                printable(str(file.path) if line is None else f"{file.path}:{line}"),
                printable(
                    f"the uid {uid!r:.60} is that of {first[uid].path} too: Grafana keeps one of the two"
                ),
                "a uid of its own",
            )


def read_dashboard(path: Path) -> DashboardFile | None:
    """The dashboard in a file; None where the JSON is something else.

    Raises:
        UserError: It cannot be read, or is no JSON.
    """
    content = read_text(path).removeprefix("\ufeff")
    decoder = _Placing(content)
    try:
        data = decoder.decode(content)
    except json.JSONDecodeError as error:
        raise UserError(f"is not JSON: {error.msg}", file=path, line=error.lineno) from None
    except RecursionError:
        raise UserError("is nested too deeply", file=path) from None
    except ValueError as error:
        raise UserError(f"is not JSON: {error}", file=path) from None
    dashboard = _unwrapped(data)
    return None if dashboard is None else DashboardFile(path, dashboard, decoder.lines())


def _unwrapped(data: Any) -> dict[str, Any] | None:
    """The dashboard in what was read: itself, the API's `{dashboard, meta}`, or a resource's `{spec}`."""
    for _ in range(3):
        if not isinstance(data, dict):
            return None
        if any(key in data for key in _KEYS) or sum(key in data for key in _LIKELY) > 1:
            return data
        data = next((data[key] for key in _WRAPPERS if mapping(data.get(key))), None)
    return None


class _Placing(json.JSONDecoder):
    """A decoder that knows where each object began. It keeps them alive, so that an identity stays theirs."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self._content = content
        self._starts: list[tuple[dict[str, Any], int]] = []
        decoder: Any = self  # the decoder's own way to be extended, which its types do not know
        read = decoder.parse_object

        def placed(s_and_end: tuple[str, int], *args: Any) -> tuple[Any, int]:
            value, end = read(s_and_end, *args)
            if isinstance(value, dict):
                self._starts.append((value, s_and_end[1] - 1))
            return value, end

        decoder.parse_object = placed
        # Written in C the scanner would not call what was put in.
        decoder.scan_once = json.scanner.py_make_scanner(decoder)  # type: ignore[attr-defined]  # not in its types

    def lines(self) -> dict[int, int]:
        """The line of each object by its identity."""
        found, at, line = {}, 0, 1
        for value, start in sorted(self._starts, key=lambda item: item[1]):
            line += self._content.count("\n", at, start)
            at = start
            found[id(value)] = line
        return found
