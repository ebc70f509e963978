"""Dashboards to Grafana and back: targets, plan, publish, pull, annotations, files for provisioning."""
