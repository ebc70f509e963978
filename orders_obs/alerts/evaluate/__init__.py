"""Deciding when an alert fires, without an engine."""

from orders_obs.alerts.evaluate.burning import burns
from orders_obs.alerts.evaluate.samples import SampleRule, level_sample, ratio_sample

__all__ = ["SampleRule", "burns", "level_sample", "ratio_sample"]
