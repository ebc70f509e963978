"""Deciding when an alert fires, without an engine."""

from orders_obs.alerts.evaluate.samples import SampleRule, ratio_sample

__all__ = ["SampleRule", "ratio_sample"]
