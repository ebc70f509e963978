"""Logs, metrics, traces and alerts of a Python service that agree with each other.

```python
from orders_obs import get_logger, instrument, metrics, span

app = instrument(FastAPI(), service="orders-api")
```

The names below are loaded when first used: importing the package alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from orders_obs._version import __version__

if TYPE_CHECKING:
    from orders_obs.errors import EnvironmentFault, UserError
    from orders_obs.telemetry.context import bind_context, current_request_id
    from orders_obs.telemetry.instrument import instrument
    from orders_obs.telemetry.logs.api import get_logger
    from orders_obs.telemetry.metrics.api import metrics
    from orders_obs.telemetry.traces.spans import span

__all__ = [
    "EnvironmentFault",
    "UserError",
    "__version__",
    "bind_context",
    "current_request_id",
    "get_logger",
    "instrument",
    "metrics",
    "span",
]

_WHERE = {
    "EnvironmentFault": "orders_obs.errors",
    "UserError": "orders_obs.errors",
    "bind_context": "orders_obs.telemetry.context",
    "current_request_id": "orders_obs.telemetry.context",
    "get_logger": "orders_obs.telemetry.logs.api",
    "instrument": "orders_obs.telemetry.instrument",
    "metrics": "orders_obs.telemetry.metrics.api",
    "span": "orders_obs.telemetry.traces.spans",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
