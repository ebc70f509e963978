"""DescribeAlarms for every type of alarm, on endpoints that do not know the newest one too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.aws.session import Refused, UnknownCall

if TYPE_CHECKING:
    from orders_obs.aws.session import Aws

__all__ = ["alarm_pages"]

_PAGE = 100
"""Entries of a page, and names that one call takes, at the most (API reference of DescribeAlarms)."""
_TYPES = ("MetricAlarm", "CompositeAlarm")
_LOG = "LogAlarm"
_NO_TYPE = ("InvalidParameterValue", "ValidationError", "Validation")


def alarm_pages(aws: Aws, about: str = "alarms", **arguments: Any) -> list[dict[str, Any]]:
    """Every page of DescribeAlarms.

    Log alarms are asked for too: nobody makes them here, and they have names as the others do.

    Args:
        aws: The session.
        about: For what it is.
        arguments: Which alarms; without them all.

    Raises:
        EnvironmentFault: It failed.
    """
    if _LOG not in aws.lacking:
        try:
            return _pages(aws, about, (*_TYPES, _LOG), arguments)
        except (Refused, UnknownCall) as fault:
            if isinstance(fault, Refused) and fault.code not in _NO_TYPE:
                raise
            # An older region or an emulator; what else is wrong the second call says.
            aws.lacking.add(_LOG)
    return _pages(aws, about, _TYPES, arguments)


def _pages(aws: Aws, about: str, types: tuple[str, ...], arguments: dict[str, Any]) -> list[dict[str, Any]]:
    return aws.pages(
        "cloudwatch", "describe_alarms", about=about, AlarmTypes=list(types), MaxRecords=_PAGE, **arguments
    )
