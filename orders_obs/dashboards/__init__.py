"""Grafana dashboards from signals, as code."""
