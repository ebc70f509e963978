"""Deciding when an alert fires, without an engine."""

from orders_obs.alerts.evaluate.burning import burning, burns
from orders_obs.alerts.evaluate.samples import SampleRule, level_sample, ratio_sample

__all__ = ["SampleRule", "burning", "burns", "level_sample", "ratio_sample"]
