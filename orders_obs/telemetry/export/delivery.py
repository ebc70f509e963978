"""Delivery at the end: whatever way a process ends, what is queued goes out, within our own deadline."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from orders_obs.telemetry.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Delivery", "Flushable"]


class Flushable(Protocol):
    """Something that holds what is not delivered yet."""

    def drain(self) -> None:
        """Deliver at once from now on. Called from a signal handler: takes no lock."""

    def flush(self, timeout: float) -> bool:
        """Deliver what waits, in at most `timeout` seconds; whether all of it went."""

    def close(self) -> None:
        """Count what is left as lost."""


class Delivery:
    """Flushes everything when the process is about to end.

    The ways in: the ASGI lifespan's shutdown (`flush_async`), SIGTERM (a handler chained before whichever is there), and the
    interpreter's exit. A process often goes through two of them; the time that the first took is not given a second time.

    Args:
        timeout: Seconds that our part of a shutdown may take, in all.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._parts: list[Flushable] = []
        self._chained: Callable[[int, FrameType | None], Any] | None = None
        self._end: float | None = None
        atexit.register(self._at_exit)

    def add(self, part: Flushable) -> None:
        """Deliver this one too, after those added before it."""
        self._parts.append(part)

    def begin(self) -> None:
        """A server starts: when it ends, the whole time is there again."""
        self._end = None

    def flush(self) -> bool:
        """Deliver everything because the end has come; whether all of it went.

        The deadline runs from the first call, however many there are.
        """
        if self._end is None:
            self._end = time.monotonic() + self._timeout
        deadline = self._end
        delivered = True
        for part in self._parts:
            with guarded("export.flush"):
                delivered = part.flush(max(0.0, deadline - time.monotonic())) and delivered
        return delivered

    async def flush_async(self) -> bool:
        """`flush` in a thread of its own, so that neither the event loop nor its thread pool waits."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another event loop than asyncio's
            return self.flush()
        done: asyncio.Future[bool] = loop.create_future()

        def finish(result: bool) -> None:
            if not done.done():
                done.set_result(result)

        def work() -> None:
            result = self.flush()
            with guarded("export.flush"):
                loop.call_soon_threadsafe(finish, result)

        threading.Thread(target=work, name="orders-obs-flush", daemon=True).start()
        return await done

    def chain_sigterm(self) -> None:
        """Put our handler before the one that is there now; nothing happens outside the main thread, or where it is first already."""
        if threading.current_thread() is not threading.main_thread():
            return
        present = signal.getsignal(signal.SIGTERM)
        if present is None or (self._chained is not None and present is self._chained):
            return

        def on_sigterm(number: int, frame: FrameType | None) -> None:
            for part in self._parts:
                part.drain()
            if callable(present):
                present(number, frame)
            elif present == signal.SIG_DFL:
                # Nobody else will end the process; deliver, then let the signal do what it would have done.
                self.flush()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIGTERM)

        self._chained = on_sigterm
        signal.signal(signal.SIGTERM, on_sigterm)

    def _at_exit(self) -> None:
        self.flush()
        for part in self._parts:
            with guarded("export.close"):
                part.close()
