"""Which messages were delivered already, to whom, so that none is told twice.

An id is kept once its message is delivered, not before: what failed is delivered when SNS tries again. Ids are kept for a time, and a
message older than that time is not taken over HTTP, because it could not be told from one that is sent again by somebody else.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from orders_obs.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["Seen"]

_MOST = 100_000
"""Ids that are kept; the oldest go first, and what is as old as they are is not taken any more."""


class Seen:
    """Message ids that were delivered.

    Args:
        keep: Seconds that an id is kept.
        path: A file that outlives the process; empty for none.
        most: Ids that are kept.
        clock: Seconds since 1970.

    Raises:
        EnvironmentFault: The file cannot be read or written.
    """

    def __init__(
        self, keep: float, path: str = "", most: int = _MOST, clock: Callable[[], float] = time.time
    ) -> None:
        self._keep = keep
        self._path = Path(path) if path else None
        self._most = most
        self._clock = clock
        self._ids: OrderedDict[str, float] = OrderedDict()
        self._busy: set[str] = set()
        self._horizon = 0.0
        self._written = 0
        self._lock = threading.Lock()
        if self._path is not None:
            try:
                self._load(self._path)
            except OSError as error:
                raise EnvironmentFault(
                    f"ids of messages cannot be kept in {path}: {error.strerror}",
                    hint="ORDERS_OBS_RELAY_SEEN_FILE names a file in a folder that this user may write to",
                ) from None

    def stale(self, moment: datetime) -> bool:
        """Whether a message of this moment is so old that its id may be forgotten already."""
        with self._lock:
            return moment.timestamp() <= max(self._clock() - self._keep, self._horizon)

    def begin(self, identity: str) -> Literal["new", "busy", "seen"]:
        """Take a message for delivery: it is new, or somebody delivers it just now, or it was delivered."""
        with self._lock:
            if identity in self._busy:
                return "busy"
            if identity in self._ids:
                return "seen"
            self._busy.add(identity)
            return "new"

    def end(self, identity: str, moment: datetime, *, delivered: bool) -> None:
        """Say what became of a message that was taken for delivery."""
        with self._lock:
            self._busy.discard(identity)
            if not delivered:
                return
            self._ids[identity] = moment.timestamp()
            self._forget()
            self._append(identity, moment.timestamp())

    def _forget(self) -> None:
        oldest = self._clock() - self._keep
        while self._ids:
            identity, moment = next(iter(self._ids.items()))
            if moment > oldest and len(self._ids) <= self._most:
                return
            del self._ids[identity]
            # Ids stand in the order of delivery, which is nearly the order of publishing.
            self._horizon = max(self._horizon, min(moment, self._clock()))

    def _load(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        for line in text.splitlines():
            try:
                identity, moment = json.loads(line)
                self._ids[str(identity)] = float(moment)
            except (ValueError, TypeError):
                continue  # a line that was cut off when the process ended
        self._forget()
        self._rewrite(path)

    def _append(self, identity: str, moment: float) -> None:
        if self._path is None:
            return
        self._written += 1
        if self._written > self._most:
            self._rewrite(self._path)
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(json.dumps([identity, moment]) + "\n")

    def _rewrite(self, path: Path) -> None:
        text = "".join(json.dumps([identity, moment]) + "\n" for identity, moment in self._ids.items())
        fresh = path.with_name(path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        fresh.replace(path)
        self._written = 0
