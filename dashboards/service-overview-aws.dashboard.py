"""Service overview with the time to the first byte, from CloudWatch."""

from orders_obs.dashboards.service import service_overview

dashboard = service_overview(aws=True)
