"""A cache of orders as JSON: in memory by default, Redis where a URL is given."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Protocol

import redis

from orders_obs import metrics, span

_TTL = 60
_NAME = "orders"


class Cache(Protocol):
    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def drop(self, key: str) -> None: ...
    def ping(self) -> None: ...


class MemoryCache:
    """The newest entries of this process. Its look-ups get spans by hand; Redis gets them by itself."""

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._entries: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> str | None:
        with (
            span("cache.get", kind="client", **{"db.system.name": "memory", "db.operation.name": "GET"}),
            self._lock,
        ):
            expires, value = self._entries.get(key, (0.0, ""))
        hit = expires > time.monotonic()
        metrics.cache_lookup(_NAME, hit=hit)
        return value if hit else None

    def set(self, key: str, value: str) -> None:
        with (
            span("cache.set", kind="client", **{"db.system.name": "memory", "db.operation.name": "SET"}),
            self._lock,
        ):
            self._entries[key] = (time.monotonic() + _TTL, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def ping(self) -> None:
        pass


class RedisCache:
    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, decode_responses=True, socket_timeout=0.5)

    def get(self, key: str) -> str | None:
        value = self._redis.get(key)
        metrics.cache_lookup(_NAME, hit=value is not None)
        return None if value is None else str(value)

    def set(self, key: str, value: str) -> None:
        self._redis.set(key, value, ex=_TTL)

    def drop(self, key: str) -> None:
        self._redis.delete(key)

    def ping(self) -> None:
        self._redis.ping()


def open_cache(url: str | None) -> Cache:
    return RedisCache(url) if url else MemoryCache()
