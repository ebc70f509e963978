"""The record of writes: one line of JSON for each, on stderr or in a file, with who, when, where and what; never a secret."""

from __future__ import annotations

import getpass
import json
import os
import stat
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orders_obs._version import __version__
from orders_obs.errors import UserError
from orders_obs.redact import redact_texts, redact_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orders_obs.dashboards.publishing.server import Server

__all__ = ["Audit", "local_user"]


def local_user() -> str:
    """Who runs the command on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@dataclass(frozen=True, slots=True)
class Audit:
    """The record of one command's writes.

    Attributes:
        server: The target.
        revision: Of the repository of the dashboards; a `+` at its end where files differ from it.
        file: Lines are added to it; stderr when None.
        clock: Now.
    """

    server: Server
    revision: str
    file: Path | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def check(self) -> None:
        """See to it that the file can be written, before anything else is.

        Raises:
            UserError: It cannot.
        """
        if self.file is not None:
            self._append(self.file, b"")

    def write(self, kind: str, uid: str, action: str, outcome: str, **more: Any) -> bool:
        """Add a line; whether it is in its place. Where the file cannot be written any more, it goes to stderr.

        Args:
            kind: `dashboard`, `folder`, `datasource` or `annotation`.
            uid: Its uid.
            action: `create`, `update` or `delete`.
            outcome: `done`, `failed`, or `unknown` where no answer came.
            more: Further fields.
        """
        entry = {
            "time": self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": "grafana_write",
            "target": self.server.target.name,
            "url": redact_url(self.server.target.url),
            "api": self.server.api.name,
            "kind": kind,
            "uid": uid,
            "action": action,
            "outcome": outcome,
            "by": {"grafana": self.server.caller, "local": local_user()},
            "revision": self.revision,
            "tool": f"orders-obs {__version__}",
            **{key: value for key, value in more.items() if value not in (None, "")},
        }
        line = json.dumps(redact_texts(entry), sort_keys=True)
        if self.file is not None:
            try:
                self._append(self.file, f"{line}\n".encode())
            except UserError as error:
                print(f"{line}\n{error}", file=sys.stderr, flush=True)
                return False
            return True
        print(line, file=sys.stderr, flush=True)
        return True

    @staticmethod
    def _append(file: Path, data: bytes) -> None:
        try:
            handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                rest = data
                while rest:
                    rest = rest[os.write(handle, rest) :]
                if data and stat.S_ISREG(os.fstat(handle).st_mode):
                    os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=file) from None
