"""Statistics and periods of CloudWatch: which texts and which numbers it takes."""

from __future__ import annotations

import re

__all__ = [
    "ALARM_PERIODS",
    "DATA_PERIODS",
    "PERIODS_TEXT",
    "is_alarm_period",
    "is_data_period",
    "is_extended",
    "is_percentile",
    "is_statistic",
]

# AWS's own pattern of a statistic (AnomalyDetectorMetricStat in the API model), taken apart. The page "CloudWatch statistics definitions"
# has bounds from 0 to 100 with 10 decimals; the narrower "between 10 and 90" of PutMetricAlarm contradicts its own examples.
_PLAIN = r"(SampleCount|Average|Sum|Minimum|Maximum)"
_PERCENT = r"(\d{1,2}(\.\d{0,10})?|100(\.0{0,10})?)%"
_VALUE = r"\d+(\.\d{0,10})?([Ee][+-]?\d+)?"
_ONE = r"(p|tc|tm|ts|wm)(\d{1,2}(\.\d{0,10})?|100(\.0{0,10})?)"
_RARE = r"[ou]\d+(\.\d*)?"
_SUFFIX = r"(_E|_L|_H)?"
_SPAN = rf"(TM|TC|TS|WM)\((({_PERCENT})?:{_PERCENT}|{_PERCENT}:)\)"
_VALUES = rf"(TM|TC|TS|WM|PR)\((({_VALUE})?:{_VALUE}|{_VALUE}:)\)"
_EXTENDED = re.compile(rf"(IQM|{_ONE}|{_RARE}){_SUFFIX}|{_SPAN}|{_VALUES}")
_STATISTIC = re.compile(rf"({_PLAIN}){_SUFFIX}")

ALARM_PERIODS = frozenset({10, 20, 30})
"""Seconds below a minute that an alarm takes (PutMetricAlarm, Period)."""
DATA_PERIODS = frozenset({1, 5, 10, 20, 30})
"""Seconds below a minute that a query takes (MetricStat, Period)."""
PERIODS_TEXT = "10, 20, 30 or a multiple of 60 seconds"


def is_extended(stat: str) -> bool:
    """Whether a text is an extended statistic: `p99`, `tm90`, `IQM`, `PR(:1)`, `TM(10%:90%)`."""
    return _EXTENDED.fullmatch(_closed_up(stat)) is not None


def is_statistic(stat: str) -> bool:
    """Whether a text is a statistic, plain or extended."""
    return _STATISTIC.fullmatch(stat) is not None or is_extended(stat)


def is_percentile(stat: str) -> bool:
    """Whether a statistic is a percentile."""
    return re.fullmatch(r"p[\d.]+", stat) is not None


def is_alarm_period(seconds: float) -> bool:
    """Whether an alarm takes a period."""
    return seconds in ALARM_PERIODS or (seconds > 0 and seconds % 60 == 0)


def is_data_period(seconds: float) -> bool:
    """Whether a query takes a period."""
    return seconds in DATA_PERIODS or (seconds > 0 and seconds % 60 == 0)


def _closed_up(stat: str) -> str:
    """Without the blanks that AWS's own pages write inside the parentheses: `PR(1: 5)`."""
    return re.sub(r"(?<=[(:]) +| +(?=[:)])", "", stat)
