"""Orders API - Production, on Prometheus and Jaeger."""

from orders_obs.dashboards.orders import orders_production

dashboard = orders_production()
