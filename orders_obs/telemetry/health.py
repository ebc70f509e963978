"""Liveness and readiness: answered without being counted, traced or logged."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import orjson

from orders_obs.telemetry.record import qualified_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

__all__ = ["Health"]

_CHECK_TIMEOUT = 5.0


class Health:
    """Answers `/health/live` and `/health/ready`.

    Args:
        checks: What must work before the service takes traffic: name to a callable, sync or async. It is ready unless it returns
            False or raises; nothing of its exception but the class is shown. Each may take 5 s.
    """

    def __init__(self, checks: Mapping[str, Callable[[], Any]]) -> None:
        self._checks = dict(checks)

    async def answer(
        self, which: str, send: Callable[[dict[str, Any]], Awaitable[None]], *, head: bool
    ) -> None:
        """Answer one request: 200, or 503 where a check fails."""
        content: dict[str, Any] = {"status": "ok"}
        status = 200
        if which == "ready":
            results = await asyncio.gather(*(self._run(check) for check in self._checks.values()))
            content["checks"] = dict(zip(self._checks, results, strict=True))
            if any(result != "ok" for result in results):
                content["status"], status = "unavailable", 503
        body = orjson.dumps(content)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})

    async def _run(self, check: Callable[[], Any]) -> str:
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT):
                if inspect.iscoroutinefunction(check):
                    result = await check()
                else:
                    result = await asyncio.to_thread(check)
                    if inspect.isawaitable(result):
                        result = await result
        except Exception as error:
            return f"failed: {qualified_name(error)}"
        return "failed" if result is False else "ok"
