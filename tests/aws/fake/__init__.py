"""A fake of the AWS calls that plan, apply and audit use: one account and region in memory, behind real boto3 clients."""

from __future__ import annotations

from tests.aws.fake.account import FakeAccount
from tests.aws.fake.base import Call, Clock, Killed

__all__ = ["Call", "Clock", "FakeAccount", "Killed"]
