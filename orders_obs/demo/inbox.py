"""What Alertmanager posts to in the demonstration: keeps the alerts that it got, and shows them."""

from __future__ import annotations

from collections import deque
from typing import Any

from fastapi import FastAPI

__all__ = ["app"]

app = FastAPI(title="Alert inbox")
_received: deque[dict[str, Any]] = deque(maxlen=1000)


@app.post("/alerts")
async def receive(payload: dict[str, Any]) -> dict[str, int]:
    """Take a notification in Alertmanager's webhook format."""
    alerts = payload.get("alerts")
    for alert in alerts if isinstance(alerts, list) else []:
        _received.append(
            {key: alert.get(key) for key in ("status", "labels", "annotations", "startsAt", "endsAt")}
        )
    return {"received": len(_received)}


@app.get("/alerts")
async def show() -> list[dict[str, Any]]:
    """Every alert that arrived, oldest first."""
    return list(_received)


@app.get("/health/live")
async def live() -> dict[str, str]:
    """It runs."""
    return {"status": "ok"}
