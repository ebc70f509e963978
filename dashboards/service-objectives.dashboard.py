"""Error budgets and alerts of production."""

from orders_obs.dashboards.objectives import objectives

dashboard = objectives()
