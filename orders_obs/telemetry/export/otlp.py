"""OTLP over HTTP: a bounded queue, one thread, deadlines that hold, and a count of whatever is lost."""

from __future__ import annotations

import gzip
import http.client
import logging
import os
import random
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from orders_obs._version import __version__
from orders_obs.telemetry.guard import internal_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orders_obs.settings import Settings
    from orders_obs.telemetry.metrics.api import Metrics

__all__ = ["Answer", "Exporter", "HttpSender"]

_T = TypeVar("_T")

# What the OTLP specification says may be sent again; everything else is final.
_RETRYABLE = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_WARN_EVERY = 60.0

_log = logging.getLogger("orders_obs.export")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one post.

    Attributes:
        ok: The receiver took it.
        retryable: It may be sent again.
        retry_after: Seconds the receiver asked us to wait, 0 if it did not.
        detail: The status or the exception's name.
        body: The response's body of a success.
    """

    ok: bool
    retryable: bool = False
    retry_after: float = 0.0
    detail: str = ""
    body: bytes = b""


class HttpSender:
    """Posts protobuf to one address over a connection that is kept."""

    def __init__(self, url: str, settings: Settings) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._gzip = settings.compression == "gzip"
        self._headers = {
            "content-type": "application/x-protobuf",
            "user-agent": f"orders-obs/{__version__}",
            **({"content-encoding": "gzip"} if self._gzip else {}),
            **dict(settings.headers),
        }
        self._certificate = settings.certificate
        self._connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, timeout: float) -> Answer:
        """Post once; no exception, `timeout` bounds each wait for the network."""
        if self._gzip:
            body = gzip.compress(body, compresslevel=1)
        reused = self._connection is not None
        try:
            answer = self._post(body, timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            if reused:  # the receiver had closed the idle connection
                return self.post(body if not self._gzip else gzip.decompress(body), timeout)
            return Answer(ok=False, retryable=not isinstance(error, ValueError), detail=type(error).__name__)
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes, timeout: float) -> Answer:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(timeout)
        elif connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.request("POST", self._path, body, self._headers)
        response = connection.getresponse()
        content = response.read(1 << 20)
        if response.will_close or not response.isclosed():
            self.close()
        if 200 <= response.status < 300:
            return Answer(ok=True, body=content)
        return Answer(
            ok=False,
            retryable=response.status in _RETRYABLE,
            retry_after=_retry_after(response.getheader("retry-after")),
            detail=str(response.status),
        )

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context(cafile=self._certificate)
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)


class Exporter(Generic[_T]):
    """A bounded queue and the thread that empties it.

    Args:
        signal: What is exported, such as `spans`; the label of the counters.
        encode: Makes one request body of a batch.
        rejected: Reads from a success response how many items were not taken.
        sender: Posts a body.
        settings: Sizes and times.
        metrics: Counts what was exported and dropped.

    `put` never waits and never raises: it is called on the request path, and takes no lock.
    """

    def __init__(
        self,
        signal: str,
        encode: Callable[[Sequence[_T]], bytes],
        rejected: Callable[[bytes], int],
        sender: HttpSender,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._signal = signal
        self._encode = encode
        self._rejected = rejected
        self._sender = sender
        self._settings = settings
        self._metrics = metrics
        self._queue: deque[_T] = deque()
        # SimpleQueue.put is reentrant: it may be called from a signal handler that interrupted another put.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._in_flight = 0
        self._drain_until = 0.0
        self._draining = False
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self._last_warning = -_WARN_EVERY
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def put(self, item: _T) -> None:
        """Queue one item; when the queue is full it is dropped and counted."""
        if len(self._queue) >= self._settings.queue_size:
            self._metrics.dropped(self._signal, "queue_full")
            return
        self._queue.append(item)
        if self._thread is None:
            self._start()
        if self._draining or len(self._queue) == self._settings.batch_size:
            self._wake.put(None)

    def drain(self) -> None:
        """From now on send at once instead of waiting for a batch: the process is about to end. Safe in a signal handler."""
        self._draining = True
        self._wake.put(None)

    def flush(self, timeout: float) -> bool:
        """Deliver what waits. Returns after `timeout` seconds at the latest, and says whether everything was taken."""
        deadline = time.monotonic() + timeout
        self._drain_until = max(self._drain_until, deadline)
        self._wake.put(None)
        while self._queue or self._in_flight:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True

    def close(self) -> None:
        """Count what is still here as lost: nobody will send it any more."""
        left = len(self._queue) + self._in_flight
        self._queue.clear()
        if left:
            self._metrics.dropped(self._signal, "shutdown", left)

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=f"orders-obs-{self._signal}", daemon=True)
                self._thread = thread
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is ending
                    self._thread = None

    def _after_fork(self) -> None:
        # Threads do not survive a fork; what waits belongs to the parent, which will send it.
        self._queue = deque()
        self._wake = SimpleQueue()
        self._in_flight = 0
        self._thread = None
        self._start_lock = threading.Lock()
        self._sender.close()

    def _run(self) -> None:
        while True:
            try:
                due = self._wait()
                while self._queue and (due or self._hurried or len(self._queue) >= self._settings.batch_size):
                    self._send(self._take())
            except Exception:
                internal_error(f"export.{self._signal}")
                time.sleep(_FIRST_PAUSE)

    @property
    def _hurried(self) -> bool:
        return self._draining or time.monotonic() < self._drain_until

    def _wait(self) -> bool:
        """Wait to be woken; True when the interval passed instead."""
        try:
            self._wake.get(timeout=self._settings.export_interval)
        except Empty:
            return True
        return False

    def _take(self) -> list[_T]:
        batch: list[_T] = []
        # Counted before it leaves the queue, so that flush() never sees neither.
        self._in_flight = min(len(self._queue), self._settings.batch_size)
        while len(batch) < self._in_flight:
            batch.append(self._queue.popleft())
        return batch

    def _send(self, batch: list[_T]) -> None:
        try:
            body, batch = self._encoded(batch)
            if batch:
                self._deliver(body, len(batch))
        finally:
            self._in_flight = 0

    def _encoded(self, batch: list[_T]) -> tuple[bytes, list[_T]]:
        try:
            return self._encode(batch), batch
        except Exception:
            good = [item for item in batch if self._can_encode(item)]
            self._metrics.dropped(self._signal, "encoding", len(batch) - len(good))
            return (self._encode(good) if good else b""), good

    def _can_encode(self, item: _T) -> bool:
        try:
            self._encode([item])
        except Exception:
            return False
        return True

    def _deliver(self, body: bytes, count: int) -> None:
        pause = _FIRST_PAUSE
        while True:
            answer = self._sender.post(body, self._timeout())
            if answer.ok:
                refused = min(count, self._rejected(answer.body)) if answer.body else 0
                self._metrics.exported(self._signal, count - refused)
                if refused:
                    self._lost("rejected", refused, "a partial success")
                return
            if not answer.retryable:
                self._lost("rejected", count, answer.detail)
                return
            self._warn(f"the receiver of {self._signal} does not take them ({answer.detail}); trying again")
            self._pause(answer.retry_after or pause * random.uniform(0.7, 1.3))
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _timeout(self) -> float:
        """Seconds the next post may wait: less when a flush has a deadline, though never nothing."""
        left = self._drain_until - time.monotonic()
        return (
            max(0.1, min(self._settings.export_timeout, left)) if left > 0 else self._settings.export_timeout
        )

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._hurried:
                # Somebody waits for us: ask again soon, whatever was agreed, or the spans are lost with the process.
                time.sleep(min(0.1, left))
                return
            try:
                self._wake.get(timeout=left)
            except Empty:
                return

    def _lost(self, reason: str, count: int, detail: str) -> None:
        self._metrics.dropped(self._signal, reason, count)
        self._warn(f"{count} {self._signal} were refused by the receiver ({detail}) and are lost")

    def _warn(self, message: str) -> None:
        now = time.monotonic()
        if now - self._last_warning >= _WARN_EVERY:
            self._last_warning = now
            _log.warning(message)


def _retry_after(value: str | None) -> float:
    if not value:
        return 0.0
    try:
        return min(float(value), 300.0) if float(value) > 0 else 0.0
    except ValueError:
        pass
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - time.time()), 300.0)
    except (TypeError, ValueError):
        return 0.0
