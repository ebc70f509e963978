"""The real servers on this machine: collector, Prometheus, Alertmanager, Jaeger and Grafana."""
