"""Error budgets and alerts of the sandbox, whose windows are a sixtieth as long."""

from orders_obs._resources import resource_path
from orders_obs.alerts import load
from orders_obs.dashboards.objectives import objectives

dashboard = objectives(load(resource_path("alerts")).resolve("demo"), uid="service-objectives-demo")
