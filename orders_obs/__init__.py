"""Logs, metrics, traces and alerts of a Python service that agree with each other."""
