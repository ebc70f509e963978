"""What an application logs with: `log = get_logger(__name__)`."""

from __future__ import annotations

from typing import Any

import structlog

__all__ = ["get_logger"]


def get_logger(name: str = "", **fields: Any) -> Any:
    """A structlog logger: `log.info("order created", order_id=…)`.

    Args:
        name: Stands as `logger` on each line; usually `__name__`.
        fields: On every line of this logger.

    It may be made before `instrument` is called: structlog applies the configuration at the first line.
    """
    return structlog.get_logger(name, **fields) if name else structlog.get_logger(**fields)
