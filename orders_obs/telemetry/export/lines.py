"""Standard output without waiting for it: a bounded queue of lines and the thread that writes them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING

from orders_obs.telemetry.guard import internal_error

if TYPE_CHECKING:
    from orders_obs.telemetry.metrics.api import Metrics

__all__ = ["LineWriter"]

_MAX_BYTES = 8 << 20
_CHUNK = 256
_LEAST = 0.05


class LineWriter:
    """Writes whole lines to standard output from a thread of its own.

    A reader that stopped costs lines, which are counted, and never makes the application wait. Lines are written in one piece
    as long as they fit a pipe's buffer, so that those of several processes do not mix.
    """

    def __init__(self, metrics: Metrics, *, max_bytes: int = _MAX_BYTES) -> None:
        self._metrics = metrics
        self._max_bytes = max_bytes
        self._queue: deque[bytes] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._asleep = True
        self._writing = False
        self._bytes = 0
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def write(self, line: bytes) -> None:
        """Queue one line, its newline included; when the queue is full it is dropped and counted."""
        if self._bytes + len(line) > self._max_bytes:
            self._metrics.dropped("logs", "queue_full")
            return
        self._bytes += len(line)
        self._queue.append(line)
        if self._thread is None and not self._start():
            self._write_all()  # the interpreter is ending: no thread can be had
        elif self._asleep:
            self._asleep = False
            self._wake.put(None)

    def drain(self) -> None:
        """Nothing to hurry: lines never wait for a batch."""

    def flush(self, timeout: float) -> bool:
        """Write what waits, in at most `timeout` seconds or 50 ms, if that is more; whether everything was written."""
        # What is ready to be written gets a moment even where others have used up the time.
        deadline = time.monotonic() + max(timeout, _LEAST)
        while self._queue or self._writing:
            if time.monotonic() >= deadline:
                return False
            self._wake.put(None)
            time.sleep(0.002)
        return True

    def close(self) -> None:
        """Nothing is held beyond the queue."""

    def _start(self) -> bool:
        with self._start_lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="orders-obs-lines", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            try:
                self._asleep = True
                if not self._queue:
                    self._wake.get()
                self._asleep = False
                self._write_all()
            except Exception:
                internal_error("export.lines")
                time.sleep(0.1)

    def _write_all(self) -> None:
        while self._queue:
            self._writing = True
            try:
                lines: list[bytes] = []
                while self._queue and len(lines) < _CHUNK:
                    lines.append(self._queue.popleft())
                data = b"".join(lines)
                self._bytes = max(0, self._bytes - len(data))
                try:
                    _write(data)
                except (OSError, ValueError):  # closed, or its reader left
                    self._metrics.dropped("logs", "output", len(lines))
            finally:
                self._writing = False

    def _after_fork(self) -> None:
        # What waits is written by the parent.
        self._queue = deque()
        self._wake = SimpleQueue()
        self._asleep = True
        self._writing = False
        self._bytes = 0
        self._thread = None
        self._start_lock = threading.Lock()


def _write(data: bytes) -> None:
    stream = sys.stdout
    if stream is None:
        raise ValueError("there is no standard output")
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):
        # Replaced by something that is no file, as under a test runner or in a notebook.
        stream.write(data.decode("utf-8", "replace"))
        stream.flush()
        return
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
