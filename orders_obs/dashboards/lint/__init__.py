"""Lint of Grafana dashboards, whoever wrote them."""
