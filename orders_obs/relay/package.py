"""The Lambda function's code as a zip: the modules that it needs, and nothing else; the same bytes for the same version."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

__all__ = ["HANDLER", "MODULES", "build"]

HANDLER = "orders_obs.relay.handler.lambda_handler"
MODULES = (
    "__init__.py",
    "_version.py",
    "errors.py",
    "redact.py",
    "relay/__init__.py",
    "relay/addresses.py",
    "relay/alarms.py",
    "relay/alert.py",
    "relay/delivery.py",
    "relay/envelope.py",
    "relay/events.py",
    "relay/handler.py",
    "relay/http.py",
    "relay/links.py",
    "relay/log.py",
    "relay/messages.py",
    "relay/relay.py",
    "relay/replay.py",
    "relay/settings.py",
    "relay/slack.py",
)
"""What is in it, from the package's folder. The runtime brings the rest: the standard library, and boto3 for secrets."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


def build() -> bytes:
    """The zip."""
    root = Path(__file__).parents[1]
    out = io.BytesIO()
    # Stored: what compresses differs from machine to machine, and it is small.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in MODULES:
            entry = zipfile.ZipInfo(f"{root.name}/{name}", _EPOCH)
            entry.external_attr = _MODE
            entry.create_system = 3
            archive.writestr(entry, (root / name).read_bytes())
    return out.getvalue()
