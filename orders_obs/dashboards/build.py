"""From `NAME.dashboard.py` to `NAME.json`."""

from __future__ import annotations

import json
import runpy
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from grafanalib.core import Dashboard

from orders_obs.dashboards.grafana import to_json
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

    Raises:
        UserError: A file does not run, or defines no `dashboard`; nothing is written either way.
    """
    built: dict[Path, str] = {}
    for file in files:
        text = json.dumps(to_json(_dashboard(file)), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        built[(output or file.parent) / (file.name.removesuffix(SUFFIX) + ".json")] = text
    return built


def _dashboard(file: Path) -> Dashboard:
    if not file.is_file() or not file.name.endswith(SUFFIX):
        raise UserError("is no dashboard file", hint=f"a dashboard is a file NAME{SUFFIX}", file=file)
    try:
        found = runpy.run_path(str(file)).get("dashboard")
    except UserError:
        raise
    except SyntaxError as error:
        raise UserError(f"does not parse: {error.msg}", file=file, line=error.lineno) from None
    except Exception as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename) == file
        ]
        message = f"does not run: {type(error).__name__}: {error}"
        raise UserError(message, file=file, line=lines[-1] if lines else None) from error
    if not isinstance(found, Dashboard):
        raise UserError("defines no variable `dashboard`", hint="set it to a grafanalib dashboard", file=file)
    return found
