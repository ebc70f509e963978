"""A dashboard as one HTML page, drawn with data of a Prometheus: to look at a change without a Grafana."""
