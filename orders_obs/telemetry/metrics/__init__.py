"""Counting: the requirement's metrics, the team's own, and `/metrics`."""
