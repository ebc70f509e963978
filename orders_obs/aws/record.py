"""The record of changes, and the lock: streams of one log group, which a catalogue's environment has for them alone.

The lock is a stream: making one that is there already fails, so of two that try at once one gets it. Each has a number; the newest counts,
until it says that it is given back or its time is over. Whoever died holding it holds nobody up for longer than that.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.aws.session import SessionLost
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orders_obs.aws.session import Aws

__all__ = ["RECORD_DAYS", "Lock", "Record"]

RECORD_DAYS = 400
"""For which the record is kept: a year and a month, so that a yearly look at it finds all of the year before."""

_CHANGES = "changes"
_STATE_NAMES = 1_000
_WITHIN = ("change", "planned", "started", "state")
_LOCK = "lock-"
_LOCK_SECONDS = 900
_KEPT_LOCKS = 5
# PutLogEvents: bytes of a batch with 26 for each event, and events of it (API reference); an event as short as every reader takes.
_BATCH_BYTES, _BATCH_EVENTS, _EVENT_BYTES, _OVERHEAD = 1_000_000, 1_000, 200_000, 26


@dataclass(slots=True)
class Lock:
    """The right to change what a catalogue owns in an environment.

    Attributes:
        stream: The stream that is it.
        holder: Who has it.
        until: Seconds of the epoch at which it lapses.
    """

    stream: str
    holder: str
    until: float


@dataclass(slots=True)
class Record:
    """The record of an environment.

    Attributes:
        aws: The session.
        group: The log group.
        tags: Of the group.
        clock: Seconds of the epoch.
    """

    aws: Aws
    group: str
    tags: dict[str, str]
    clock: Callable[[], float] = time.time
    _made: set[str] = field(default_factory=set)

    def open(self) -> None:
        """See to it that the group is there.

        Raises:
            EnvironmentFault: It cannot be made.
        """
        self._call(
            "create_log_group", absent="ResourceAlreadyExists", logGroupName=self.group, tags=self.tags
        )
        self._call("put_retention_policy", logGroupName=self.group, retentionInDays=RECORD_DAYS)

    def acquire(self, *, force: bool = False) -> Lock:
        """Take the lock.

        Args:
            force: Whether to take it from whoever has it.

        Raises:
            UserError: Somebody else has it.
        """
        number, lock = self._newest()
        if lock is not None and lock.until > self.clock() and not force:
            raise self._held(lock)
        stream = f"{_LOCK}{number + 1:06d}"
        if (
            self._call(
                "create_log_stream",
                absent="ResourceAlreadyExists",
                logGroupName=self.group,
                logStreamName=stream,
            )
            is None
        ):
            raise self._held(Lock(stream, "somebody who came at the same time", self.clock() + _LOCK_SECONDS))
        self._made.add(stream)
        mine = Lock(stream, f"{self.aws.caller} {uuid.uuid4().hex[:8]}", 0)
        self.renew(mine)
        if number > _KEPT_LOCKS:
            old = f"{_LOCK}{number - _KEPT_LOCKS:06d}"
            self._call(
                "delete_log_stream", absent="ResourceNotFound", logGroupName=self.group, logStreamName=old
            )
        return mine

    def renew(self, lock: Lock) -> None:
        """Hold the lock for longer.

        Raises:
            SessionLost: Somebody has taken it: whoever had it must not go on.
        """
        number, newest = self._newest()
        if number and f"{_LOCK}{number:06d}" != lock.stream:
            holder = newest.holder if newest else "somebody"
            raise SessionLost(f"the lock is lost: {holder} has it now", hint="plan again once that is done")
        lock.until = self.clock() + _LOCK_SECONDS
        self._put(lock.stream, [{"holder": lock.holder, "until": lock.until}])

    def nearly_over(self, lock: Lock) -> bool:
        """Whether less than half of its time is left."""
        return lock.until - self.clock() < _LOCK_SECONDS / 2

    def release(self, lock: Lock) -> None:
        """Give the lock back."""
        self._put(lock.stream, [{"holder": lock.holder, "until": 0}])

    def write(self, events: Iterable[dict[str, Any]]) -> None:
        """Add to the record of changes; what looks like a secret is not written."""
        self._put(_CHANGES, events)

    def last(self, event: str) -> dict[str, Any] | None:
        """The newest entry of a kind; None where there is none, or no record yet."""
        for entry in self._entries(_CHANGES):
            if entry.get("event") == event:
                return entry
        return None

    def write_state(self, run: dict[str, Any], identities: Iterable[str]) -> None:
        """Note what is there of what the catalogue wants, at the end of a run."""
        names = sorted(identities)
        self.write(
            {**run, "event": "state", "things": names[start : start + _STATE_NAMES]}
            for start in range(0, max(len(names), 1), _STATE_NAMES)
        )

    def state(self) -> set[str]:
        """What was there at the end of the last run; empty where nothing was applied yet."""
        found: set[str] = set()
        run = None
        for entry in self._entries(_CHANGES):
            if entry.get("event") == "state" and run in (None, entry.get("run")):
                run = entry.get("run")
                found |= set(entry.get("things", ()))
            elif run is not None:
                break
        return found

    def begun(self) -> set[str]:
        """What the last run meant to make, where its end is not known; empty where it came to its end."""
        found: set[str] = set()
        for entry in self._entries(_CHANGES):
            if entry.get("event") not in _WITHIN or entry.get("event") == "state":
                return set()
            if entry.get("event") == "started":
                return found
            if entry.get("event") == "planned" and entry.get("action") == "create":
                found.add(f"{entry.get('kind')}/{entry.get('name')}")
        return set()

    def entries(self, last: int = 0) -> Iterator[dict[str, Any]]:
        """What the record has, the newest first.

        Args:
            last: Only so many ends of runs and holds; 0 for every entry, each change among them.
        """
        found = 0
        ended: set[str] = set()
        for entry in self._entries(_CHANGES):
            run, event = str(entry.get("run")), entry.get("event")
            if not last:
                yield entry
                continue
            if event == "started" and run not in ended:
                # Killed, or stopped by hand: what it did stands in its single entries.
                yield {**entry, "event": "interrupted"}
            elif event not in _WITHIN:
                ended.add(run)
                yield entry
            else:
                continue
            found += 1
            if found >= last:
                return

    def _newest(self) -> tuple[int, Lock | None]:
        answer = self._call(
            "describe_log_streams", absent="ResourceNotFound", logGroupName=self.group,
            logStreamNamePrefix=_LOCK, descending=True, limit=1,
        )  # fmt: skip
        streams = (answer or {}).get("logStreams", [])
        if not streams:
            return 0, None
        stream = streams[0]["logStreamName"]
        # What was written to it may not be readable yet: then it is held from when it was made.
        lock = Lock(stream, "somebody", streams[0].get("creationTime", 0) / 1000 + _LOCK_SECONDS)
        for entry in self._entries(stream):
            lock.holder, lock.until = str(entry.get("holder")), float(entry.get("until", 0))
            break
        return int(stream.removeprefix(_LOCK)), lock

    def _held(self, lock: Lock) -> UserError:
        left = max(1, round((lock.until - self.clock()) / 60))
        return UserError(
            f"{lock.holder} is changing this environment now",
            hint=f"wait; it lapses by itself in {left} min; --break-lock where nobody is at work any more",
        )

    def _entries(self, stream: str) -> Iterator[dict[str, Any]]:
        """The entries of a stream, the newest first."""
        token: dict[str, str] = {}
        while True:
            answer = self._call(
                "get_log_events", absent="ResourceNotFound", logGroupName=self.group, logStreamName=stream,
                startFromHead=False, **token,
            )  # fmt: skip
            if answer is None:
                return
            for event in reversed(answer["events"]):
                try:
                    entry = json.loads(event["message"])
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry
            # The end is where the token stays the same (API reference of GetLogEvents).
            if answer.get("nextBackwardToken") in (None, token.get("nextToken")):
                return
            token = {"nextToken": answer["nextBackwardToken"]}

    def _put(self, stream: str, entries: Iterable[dict[str, Any]]) -> None:
        if stream not in self._made:
            self._call(
                "create_log_stream",
                absent="ResourceAlreadyExists",
                logGroupName=self.group,
                logStreamName=stream,
            )
            self._made.add(stream)
        now = round(self.clock() * 1000)
        batch: list[dict[str, Any]] = []
        size = 0
        for entry in entries:
            text = _text(entry)
            if len(text.encode()) > _EVENT_BYTES:
                text = _text({key: value for key, value in entry.items() if key != "fields"} | {"cut": True})
            size += len(text.encode()) + _OVERHEAD
            if batch and (size > _BATCH_BYTES or len(batch) >= _BATCH_EVENTS):
                self._send(stream, batch)
                batch, size = [], len(text.encode()) + _OVERHEAD
            batch.append({"timestamp": now, "message": text})
        if batch:
            self._send(stream, batch)

    def _send(self, stream: str, batch: list[dict[str, Any]]) -> None:
        answer = (
            self._call("put_log_events", logGroupName=self.group, logStreamName=stream, logEvents=batch) or {}
        )
        if answer.get("rejectedLogEventsInfo"):
            raise EnvironmentFault(
                f"log group {self.group}: CloudWatch Logs did not take the record: {answer['rejectedLogEventsInfo']}",
                hint="look at the clock of this machine",
            )

    def _call(self, operation: str, *, absent: str = "", **arguments: Any) -> dict[str, Any] | None:
        return self.aws.call("logs", operation, about=f"record {self.group}", absent=absent, **arguments)


def _text(entry: dict[str, Any]) -> str:
    """An entry as JSON. What is a secret goes before: JSON that is cut into is none any more."""
    plain = json.loads(json.dumps(entry, default=str))
    return json.dumps(redact_texts(plain), sort_keys=True)
