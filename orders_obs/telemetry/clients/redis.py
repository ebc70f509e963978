"""redis-py: a span for each command and each pipeline; names of commands only, never keys or values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
from opentelemetry.trace import SpanKind
from redis.asyncio.client import Pipeline as AsyncPipeline
from redis.client import Pipeline

from orders_obs.telemetry.guard import guarded
from orders_obs.telemetry.traces.spans import client_span

if TYPE_CHECKING:
    from orders_obs.settings import Settings

__all__ = ["install"]

_MARK = "_orders_obs_installed"


def install(_settings: Settings) -> None:
    """Instrument the sync and the asyncio client."""
    if getattr(redis.Redis, _MARK, False):
        return
    setattr(redis.Redis, _MARK, True)
    _wrap(redis.Redis, "execute_command", lambda _self, args: _command(args))
    _wrap_async(redis.asyncio.Redis, "execute_command", lambda _self, args: _command(args))
    _wrap(Pipeline, "execute", lambda _self, _args: "PIPELINE")
    _wrap_async(AsyncPipeline, "execute", lambda _self, _args: "PIPELINE")


def _wrap(kind: Any, method: str, name: Any) -> None:
    original = getattr(kind, method)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        # A pipeline inherits execute_command, which only queues there.
        if method == "execute_command" and isinstance(self, Pipeline):
            return original(self, *args, **kwargs)
        with client_span(name(self, args), SpanKind.CLIENT, _attributes(self, name(self, args))):
            return original(self, *args, **kwargs)

    setattr(kind, method, call)


def _wrap_async(kind: Any, method: str, name: Any) -> None:
    original = getattr(kind, method)

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        with client_span(name(self, args), SpanKind.CLIENT, _attributes(self, name(self, args))):
            return await original(self, *args, **kwargs)

    setattr(kind, method, call)


def _command(args: tuple[Any, ...]) -> str:
    text = str(args[0]) if args else "COMMAND"
    # `CLIENT SETNAME x` comes as one text in some versions; only its first word is the command.
    return text.split(" ", 1)[0][:32].upper()


def _attributes(client: Any, name: str) -> dict[str, Any]:
    with guarded("clients.redis"):
        attributes: dict[str, Any] = {"db.system.name": "redis", "db.operation.name": name}
        options = client.connection_pool.connection_kwargs
        if options.get("host"):
            attributes["server.address"] = str(options["host"])
            attributes["server.port"] = int(options.get("port") or 6379)
        if "db" in options:
            attributes["db.namespace"] = str(options["db"] or 0)
        return attributes
    return {"db.system.name": "redis"}
