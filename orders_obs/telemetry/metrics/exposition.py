"""`/metrics` as an ASGI answer: negotiated format, gzip, name filter, rendered outside the event loop."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from orders_obs.telemetry.guard import internal_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from prometheus_client.metrics_core import Metric

__all__ = ["answer_metrics", "render"]

_GZIP_FROM = 1024


class _Tolerant(CollectorRegistry):
    """A view of a registry in which a collector that fails costs only itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(auto_describe=False)
        self._inner = registry

    def collect(self) -> Iterable[Metric]:
        for collector in list(self._inner._collector_to_names):  # noqa: SLF001  # no public list of collectors
            try:
                yield from list(collector.collect())
            except Exception:
                internal_error("metrics.collector")


def render(
    registry: CollectorRegistry, accept: str, *, names: Iterable[str] = (), compress: bool = False
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The exposition of a registry.

    Args:
        registry: What to show.
        accept: The request's `Accept`; OpenMetrics, with exemplars, where it is asked for.
        names: Only these metrics, where any is given (`?name[]=…`).
        compress: Whether the client takes gzip.

    Returns:
        The body, and the headers that describe it.
    """
    encode, content_type = choose_encoder(accept)
    wanted = list(names)
    body = encode(registry.restricted_registry(wanted) if wanted else _Tolerant(registry))
    headers = [(b"content-type", content_type.encode("latin-1"))]
    if compress and len(body) >= _GZIP_FROM:
        body = gzip.compress(body, compresslevel=1)
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode("ascii")))
    return body, headers


async def answer_metrics(
    scope: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[None]], registry: CollectorRegistry
) -> None:
    """Answer one request for the metrics; it is neither counted nor traced."""
    if scope["method"] not in ("GET", "HEAD"):
        headers = [(b"allow", b"GET, HEAD"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 405, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    request = {key.lower(): value.decode("latin-1") for key, value in scope.get("headers", ())}
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))

    def work() -> tuple[bytes, list[tuple[bytes, bytes]]]:
        return render(
            registry,
            request.get(b"accept", ""),
            names=query.get("name[]", ()),
            compress="gzip" in request.get(b"accept-encoding", ""),
        )

    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another event loop than asyncio's
        body, headers = work()
    else:
        body, headers = await asyncio.to_thread(work)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
