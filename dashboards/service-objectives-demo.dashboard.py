"""Error budgets and alerts of the sandbox, whose windows are a sixtieth as long."""

from orders_obs.dashboards.given import catalogue_of
from orders_obs.dashboards.objectives import objectives

dashboard = objectives(catalogue_of(environment="demo"), uid="service-objectives-demo")
