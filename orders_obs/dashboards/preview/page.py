"""The page: one HTML file that loads nothing, whose script and style are named by their hashes."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib import resources
from typing import Any

from orders_obs._version import __version__

__all__ = ["assets", "embedded", "page"]

_SCRIPTS = (
    "format",
    "colors",
    "dom",
    "legend",
    "graph",
    "heat",
    "numbers",
    "bars",
    "table",
    "states",
    "panel",
    "main",
)
_FOLDER = "orders_obs.dashboards.preview"


def page(data: dict[str, Any]) -> str:
    """The HTML of one or several dashboards.

    Args:
        data: `dashboards`, and where and when they were asked; shown as text and never as HTML.
    """
    style, script = assets()
    title = " · ".join(str(dashboard["title"]) for dashboard in data["dashboards"]) or "Preview"
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f'<meta name="generator" content="orders-obs {__version__}">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            '<div id="app"><noscript><p>This page draws its graphs with a script, which is switched off.</p></noscript></div>',
            f'<script type="application/json" id="data">{embedded(data)}</script>',
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def embedded(data: Any) -> str:
    """Data as JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    # A lone surrogate is no UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def assets() -> tuple[str, str]:
    """Style and script, uPlot's first."""
    folder = resources.files(_FOLDER)

    def text(*parts: str) -> str:
        return folder.joinpath(*parts).read_text(encoding="utf-8")

    style = text("vendor", "uPlot.min.css") + "\n" + text("assets", "page.css")
    ours = "\n".join(text("assets", f"{name}.js") for name in _SCRIPTS)
    script = f'{text("vendor", "uPlot.iife.min.js")}\n(function () {{\n"use strict";\n{ours}\n}})();\n'
    return style, script


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
