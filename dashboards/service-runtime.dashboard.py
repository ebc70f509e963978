"""Processes, and whether their telemetry arrives."""

from orders_obs.dashboards.runtime import runtime

dashboard = runtime()
