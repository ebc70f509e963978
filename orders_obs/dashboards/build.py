"""From `NAME.dashboard.py` to `NAME.json`."""

from __future__ import annotations

import json
import runpy
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grafanalib.core import Dashboard

from orders_obs.dashboards.given import watching
from orders_obs.dashboards.grafana import to_json
from orders_obs.dashboards.lint.dashboard_rules import uid_invalid
from orders_obs.dashboards.lint.views import DashboardView
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SUFFIX", "build", "sources"]

SUFFIX = ".dashboard.py"


def sources(folder: Path) -> list[Path]:
    """The dashboard files of a folder.

    Raises:
        UserError: There are none.
    """
    found = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    if not found:
        raise UserError("holds no dashboards", hint=f"a dashboard is a file NAME{SUFFIX}", file=folder)
    return found


def build(files: Iterable[Path], output: Path | None = None) -> dict[Path, str]:
    """The JSON of dashboards, by the file that it belongs in: beside the source, or in `output`.

    It is said on stderr when a dashboard draws the alerts of the shipped catalogue because there is no folder `alerts` here.

    Raises:
        UserError: A file does not run, or defines no `dashboard`, or its uid is none; nothing is written either way.
    """
    built: dict[Path, str] = {}
    with watching() as shipped:
        made = [(file, _checked(to_json(_dashboard(file)), file)) for file in files]
    if shipped:
        said = (
            f"there is no folder alerts here: the alerts are those of the shipped catalogue, of {shipped[0]}"
        )
        print(said, file=sys.stderr)
    for file, content in made:
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        built[(output or file.parent) / (file.name.removesuffix(SUFFIX) + ".json")] = text
    return built


def _checked(content: dict[str, Any], file: Path) -> dict[str, Any]:
    """The JSON, whose uid Grafana takes."""
    for said in uid_invalid(DashboardView(content)):
        raise UserError(said.message, hint=said.hint, file=file)
    return content


def _line(error: Exception, file: Path) -> int | None:
    """The line of a file in which an error came up."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if Path(frame.filename) == file), None)


def _dashboard(file: Path) -> Dashboard:
    if not file.is_file() or not file.name.endswith(SUFFIX):
        raise UserError("is no dashboard file", hint=f"a dashboard is a file NAME{SUFFIX}", file=file)
    try:
        found = runpy.run_path(str(file)).get("dashboard")
    except UserError as error:
        if error.file is not None:
            raise
        raise UserError(error.message, hint=error.hint, file=file, line=_line(error, file)) from error
    except SyntaxError as error:
        raise UserError(f"does not parse: {error.msg}", file=file, line=error.lineno) from None
    except Exception as error:
        message = f"does not run: {type(error).__name__}: {error}"
        raise UserError(message, file=file, line=_line(error, file)) from error
    if not isinstance(found, Dashboard):
        raise UserError("defines no variable `dashboard`", hint="set it to a grafanalib dashboard", file=file)
    return found
