"""The request record: the one account of a request, from which its sample, its span and its line are made."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Any

from orders_obs.signals.instruments import NO_ROUTE, OTHER_METHOD

if TYPE_CHECKING:
    from opentelemetry.trace import Span

__all__ = ["CLIENT_GONE", "CURRENT", "RequestRecord", "State", "qualified_name"]

CLIENT_GONE = 499
"""The status of a request whose client left before the response started (nginx's number)."""

# The methods that semantic conventions 1.44 know: RFC 9110, PATCH and QUERY.
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"}
)

# Calls of one request may end in several threads at once; the lock is held for two additions.
_lock = threading.Lock()


class State(Enum):
    """How far a request has come. The last three are ends, and a record never leaves them."""

    ACCEPTED = "accepted"
    STARTED = "started"
    ENDED = "ended"
    FAILED = "failed"
    DISCONNECTED = "disconnected"


class RequestRecord:
    """One request, as a small state machine: accepted, started, then ended, failed or disconnected.

    An adapter drives it (`start_response`, `body`, `disconnect`, `fail`, `end`); nothing else changes its state. Times are
    seconds of a monotonic clock; `start_time_ns` alone is wall time, in nanoseconds since the epoch.
    """

    __slots__ = (
        "bytes_sent",
        "cache_hits",
        "cache_misses",
        "client",
        "database_calls",
        "database_seconds",
        "end_time",
        "error_type",
        "exception",
        "fields",
        "first_byte_time",
        "host",
        "http_version",
        "method",
        "original_method",
        "path",
        "query",
        "request_id",
        "route",
        "scheme",
        "span",
        "start_time",
        "start_time_ns",
        "state",
        "status",
        "user_agent",
    )

    def __init__(self, method: str, path: str) -> None:
        self.original_method = method
        self.method = method if method in _METHODS else OTHER_METHOD
        self.path = path
        self.query = ""
        self.scheme = "http"
        self.http_version = ""
        self.host = ""
        self.client = ""
        self.user_agent = ""
        self.request_id = ""
        self.route = NO_ROUTE
        self.span: Span | None = None
        self.state = State.ACCEPTED
        self.status = 0
        self.error_type = ""
        self.exception: BaseException | None = None
        self.bytes_sent = 0
        self.database_seconds = 0.0
        self.database_calls = 0
        self.cache_hits = 0
        self.cache_misses = 0
        self.fields: dict[str, Any] = {}
        self.first_byte_time = 0.0
        self.end_time = 0.0
        self.start_time_ns = time.time_ns()
        self.start_time = time.perf_counter()

    @property
    def over(self) -> bool:
        """Whether the request has ended, in whichever way."""
        return self.state not in (State.ACCEPTED, State.STARTED)

    @property
    def duration(self) -> float:
        """Seconds from accepting the request to its end."""
        return max(0.0, self.end_time - self.start_time)

    @property
    def end_time_ns(self) -> int:
        """Wall time of the end, from the monotonic duration: a change of the clock never makes it lie before the start."""
        return self.start_time_ns + round(self.duration * 1e9)

    @property
    def server_fault(self) -> bool:
        """Whether it counts as an error of the service: a status of 5xx or an exception."""
        return self.status >= 500 or self.state is State.FAILED

    @property
    def cache_hit(self) -> bool | None:
        """True if every look-up hit, False if any missed, None if there was none."""
        if self.cache_misses:
            return False
        return True if self.cache_hits else None

    def start_response(self, status: int) -> None:
        """The application chose a status."""
        if self.state is State.ACCEPTED:
            self.state = State.STARTED
            self.status = status

    def body(self, size: int) -> None:
        """Bytes of the response went out."""
        if size and not self.first_byte_time:
            self.first_byte_time = time.perf_counter()
        self.bytes_sent += size

    def last_byte(self) -> None:
        """Nothing more will go out: the duration ends here, however long the application goes on."""
        self.end_time = self.end_time or time.perf_counter()

    def end(self) -> None:
        """The application answered in full, or returned."""
        if self.over:
            return
        self.last_byte()
        if self.state is State.ACCEPTED:
            # It returned without a response; every server answers that with 500.
            self.status = 500
            self.state = State.FAILED
            self.error_type = self.error_type or "no_response"
        else:
            self.state = State.ENDED
            if self.status >= 500:
                self.error_type = self.error_type or str(self.status)

    def fail(self, exception: BaseException) -> None:
        """The application raised. A status that was sent is kept; before one, the server answers with 500."""
        if self.over:
            return
        self.last_byte()
        if self.state is State.ACCEPTED:
            self.status = 500
        self.state = State.FAILED
        self.exception = exception
        self.error_type = qualified_name(exception)

    def disconnect(self, reason: str = "client_disconnect") -> None:
        """The client left before the last byte."""
        if self.over:
            return
        self.last_byte()
        if self.state is State.ACCEPTED:
            self.status = CLIENT_GONE
        self.state = State.DISCONNECTED
        self.error_type = reason

    def add_database_call(self, seconds: float) -> None:
        """A database call of this request took so long."""
        with _lock:
            self.database_seconds += seconds
            self.database_calls += 1

    def add_cache_lookup(self, *, hit: bool) -> None:
        """This request asked a cache."""
        with _lock:
            if hit:
                self.cache_hits += 1
            else:
                self.cache_misses += 1


CURRENT: ContextVar[RequestRecord | None] = ContextVar("orders_obs_request", default=None)
"""The record of the request that the running code serves."""


def qualified_name(exception: BaseException) -> str:
    """The exception's class as semantic conventions want it in `error.type`: with its module, unless that is builtins."""
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
