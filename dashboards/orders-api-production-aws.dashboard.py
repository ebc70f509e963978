"""Orders API - Production, with the number of tasks and the recent errors from CloudWatch."""

from orders_obs.dashboards.orders import orders_production

dashboard = orders_production(aws=True)
