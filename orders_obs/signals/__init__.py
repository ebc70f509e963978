"""Instruments and signals as data: the vocabulary that telemetry, alerts and dashboards share."""

from orders_obs.signals.catalogue import SIGNALS
from orders_obs.signals.instruments import INSTRUMENTS, Instrument
from orders_obs.signals.model import (
    CloudWatchMetric,
    Count,
    Event,
    External,
    Level,
    Matcher,
    Presence,
    PromQL,
    Ratio,
    Selector,
    Share,
    Signal,
)

__all__ = [
    "INSTRUMENTS",
    "SIGNALS",
    "CloudWatchMetric",
    "Count",
    "Event",
    "External",
    "Instrument",
    "Level",
    "Matcher",
    "Presence",
    "PromQL",
    "Ratio",
    "Selector",
    "Share",
    "Signal",
]
