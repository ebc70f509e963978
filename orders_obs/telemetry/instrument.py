"""`instrument(app)`: the one line."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast

from orders_obs.errors import UserError
from orders_obs.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["instrument"]

_App = TypeVar("_App")


def instrument(
    app: _App,
    *,
    service: str | None = None,
    version: str | None = None,
    environment: str | None = None,
    endpoint: str | None = None,
    readiness: Mapping[str, Callable[[], Any]] | None = None,
    **settings: Any,
) -> _App:
    """Give an application logs, metrics and traces that agree with each other.

    Args:
        app: A FastAPI or Starlette application, or any ASGI callable.
        service: Its name; else `ORDERS_OBS_SERVICE`, else `OTEL_SERVICE_NAME`.
        version: Its version.
        environment: Such as `production` (the default) or `development`, which has a coloured console instead of JSON.
        endpoint: Base address of an OTLP/HTTP receiver; without one nothing leaves the process but lines on standard output.
        readiness: What `/health/ready` asks: a name and a callable, sync or async, that returns False or raises when not ready.
        settings: Any other attribute of `orders_obs.settings.Settings`.

    Returns:
        The same object for FastAPI and Starlette, a wrapper for a bare callable. Instrumenting twice is the same as once.
        With `ORDERS_OBS_DISABLED` or `OTEL_SDK_DISABLED` the application, untouched.

    Raises:
        UserError: A keyword cannot be used, or the application is of a kind that is not supported.
    """
    loaded = Settings.load(
        service=service, version=version, environment=environment, endpoint=endpoint, **settings
    )
    if loaded.disabled:
        return app
    starlette = sys.modules.get("starlette.applications")
    if starlette is not None and isinstance(app, starlette.Starlette):
        from orders_obs.telemetry.frameworks.starlette import install

        install(app, loaded, readiness or {})
        return app
    if not _is_asgi(app):
        raise UserError(
            f"instrument() cannot handle a {type(app).__module__}.{type(app).__qualname__}",
            hint="it takes FastAPI, Starlette and ASGI callables: async def app(scope, receive, send)",
        )
    from orders_obs.telemetry.asgi import ASGIMiddleware
    from orders_obs.telemetry.runtime import start

    if isinstance(app, ASGIMiddleware):
        return app
    return cast("_App", ASGIMiddleware(cast("Any", app), start(loaded), None, readiness))


def _is_asgi(app: Any) -> bool:
    if not callable(app):
        return False
    function = app if inspect.isroutine(app) else type(app).__call__
    return inspect.iscoroutinefunction(function)
