"""Which metric alarms AWS refuses beyond what its model says: forms, periods, counts (text of PutMetricAlarm in botocore's model)."""

from __future__ import annotations

from typing import Any

from tests.aws.fake.base import Refused

__all__ = ["check_metric_alarm"]

_SINGLE = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")
_HOUR, _DAY, _WEEK = 3600, 86_400, 604_800
_SHORT = (10, 20, 30)


def check_metric_alarm(args: dict[str, Any]) -> None:
    """Refuse what the text of the operation refuses.

    Raises:
        Refused: It is refused.
    """
    forms = [form for form in ("MetricName", "Metrics", "EvaluationCriteria") if form in args]
    if len(forms) != 1:
        raise Refused(
            "ValidationError", "exactly one of MetricName, Metrics and EvaluationCriteria is needed"
        )
    if forms != ["MetricName"]:
        _none_of(args, _SINGLE, forms[0])
    if forms == ["EvaluationCriteria"]:
        _none_of(
            args, ("Threshold", "ComparisonOperator", "ThresholdMetricId", "EvaluationPeriods", "DatapointsToAlarm"), forms[0]
        )  # fmt: skip
        if not _of_seconds(args.get("EvaluationInterval", 0)):
            raise Refused("ValidationError", "EvaluationInterval must be 10, 20, 30 or a multiple of 60")
        return
    _none_of(args, ("EvaluationInterval",), forms[0])
    for needed in ("EvaluationPeriods", "ComparisonOperator"):
        if needed not in args:
            raise Refused("MissingParameter", f"{needed} is required")
    if args.get("DatapointsToAlarm", 1) > args["EvaluationPeriods"]:
        raise Refused("ValidationError", "DatapointsToAlarm must not be above EvaluationPeriods")
    if ("Threshold" in args) == ("ThresholdMetricId" in args):
        raise Refused("ValidationError", "one of Threshold and ThresholdMetricId is needed")
    if (args["ComparisonOperator"] in _BANDS) != ("ThresholdMetricId" in args):
        raise Refused("ValidationError", f"{args['ComparisonOperator']} does not go with this threshold")
    if args.get("TreatMissingData", "missing") not in ("breaching", "notBreaching", "ignore", "missing"):
        raise Refused("ValidationError", f"TreatMissingData cannot be {args['TreatMissingData']}")
    band = "ThresholdMetricId" in args
    period = _single(args) if forms == ["MetricName"] else _math(args["Metrics"], band=band)
    if not _of_seconds(period):
        raise Refused("ValidationError", f"period {period} is none of 10, 20, 30 and the multiples of 60")
    window = period * args["EvaluationPeriods"]
    if window > (_DAY if period < _HOUR else _WEEK):
        raise Refused("ValidationError", f"{args['EvaluationPeriods']} periods of {period} s are too long")


def _single(args: dict[str, Any]) -> int:
    for needed in ("Namespace", "Period"):
        if needed not in args:
            raise Refused("MissingParameter", f"{needed} is required")
    if ("Statistic" in args) == ("ExtendedStatistic" in args):
        raise Refused("ValidationError", "one of Statistic and ExtendedStatistic is needed")
    return int(args["Period"])


def _math(queries: list[dict[str, Any]], *, band: bool) -> int:
    periods: set[int] = set()
    for query in queries:
        if ("Expression" in query) == ("MetricStat" in query):
            raise Refused("ValidationError", f"{query['Id']}: one of Expression and MetricStat is needed")
        period = query.get("MetricStat", query).get("Period")
        periods |= {int(period)} if period else set()
    ids = [query["Id"] for query in queries]
    if len(set(ids)) != len(ids):
        raise Refused("ValidationError", "an Id is there twice")
    returned = sum(query.get("ReturnData", True) for query in queries)
    # An anomaly alarm returns its metric and its band.
    if returned != 1 and not (band and returned == 2):
        raise Refused("ValidationError", f"{returned} queries return data")
    if len(periods) > 1:
        raise Refused("ValidationError", "the queries have different periods")
    return periods.pop() if periods else 60


def _none_of(args: dict[str, Any], names: tuple[str, ...], form: str) -> None:
    both = [name for name in names if name in args]
    if both:
        raise Refused("ValidationError", f"{', '.join(both)} does not go with {form}")


def _of_seconds(period: int) -> bool:
    return period in _SHORT or (period > 0 and period % 60 == 0)
