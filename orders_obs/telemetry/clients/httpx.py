"""httpx: a span for each request that goes out, with the trace context in its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from opentelemetry.trace import SpanKind, Status, StatusCode

from orders_obs.redact import redact_url
from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.traces.propagation import inject
from orders_obs.telemetry.traces.spans import client_span

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from orders_obs.settings import Settings

__all__ = ["install"]

_MARK = "_orders_obs_installed"


def install(settings: Settings) -> None:
    """Instrument httpx's own transports, sync and async; redirects and retries are requests of their own.

    A transport that an application brings itself (a mock, an in-process one) is left alone.
    """
    if getattr(httpx.HTTPTransport, _MARK, False):
        return
    setattr(httpx.HTTPTransport, _MARK, True)
    handle = httpx.HTTPTransport.handle_request
    handle_async = httpx.AsyncHTTPTransport.handle_async_request

    def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        with client_span(_name(request), SpanKind.CLIENT, _attributes(request)) as span:
            _inject(request, settings)
            response = handle(self, request)
            _answered(span, response)
            return response

    async def handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        with client_span(_name(request), SpanKind.CLIENT, _attributes(request)) as span:
            _inject(request, settings)
            response = await handle_async(self, request)
            _answered(span, response)
            return response

    httpx.HTTPTransport.handle_request = handle_request  # type: ignore[method-assign]  # the seam httpx documents for transports
    httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign]  # as above


def _name(request: httpx.Request) -> str:
    return request.method[:32] or "HTTP"


def _attributes(request: httpx.Request) -> dict[str, Any]:
    with guarded("clients.httpx"):
        attributes: dict[str, Any] = {
            "http.request.method": request.method,
            "url.full": redact_url(str(request.url)),
            "server.address": request.url.host,
        }
        port = request.url.port or {"http": 80, "https": 443}.get(request.url.scheme)
        if port is not None:
            attributes["server.port"] = port
        return attributes
    return {}


def _inject(request: httpx.Request, settings: Settings) -> None:
    with guarded("clients.httpx"):
        inject(request.headers, xray=settings.xray)


def _answered(span: Span, response: httpx.Response) -> None:
    with guarded("clients.httpx"):
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= 400:
            span.set_attribute("error.type", str(response.status_code))
            span.set_status(Status(StatusCode.ERROR))
