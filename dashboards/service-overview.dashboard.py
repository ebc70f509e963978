"""Service overview: rate, errors and duration by route, and dependencies."""

from orders_obs.dashboards.service import service_overview

dashboard = service_overview()
