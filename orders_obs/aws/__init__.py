"""The catalogue on AWS: audit, plan, apply, drift; and whether AWS would take a call, before it is made."""

from __future__ import annotations

from orders_obs.alerts.aws_calls import Problem, validate

__all__ = ["Problem", "validate"]
