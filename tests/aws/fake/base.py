"""What the services of the fake have in common: refusals, pages, tags, time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from tests.aws.fake.account import FakeAccount

__all__ = [
    "Answer", "Args", "Call", "Clock", "Killed", "Refused", "Service", "given", "page", "reads", "tag_list", "tag_map", "writes",
]  # fmt: skip

Args = dict[str, Any]
Answer = dict[str, Any]
_T = TypeVar("_T")
_Method = TypeVar("_Method", bound=Callable[..., Answer])


class Killed(BaseException):
    """The process that made the call is no more."""


class Refused(Exception):  # noqa: N818 - what AWS did, and no fault of the fake
    """AWS answers with an error.

    Attributes:
        code: As `ClientError.response["Error"]["Code"]` has it.
        message: In words.
        status: Of HTTP.
    """

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(slots=True)
class Call:
    """One call that reached the account.

    Attributes:
        service: As boto3 names it.
        operation: As boto3 names it, such as `put_metric_alarm`.
        arguments: As they were sent.
        at: Seconds of the account's clock.
        write: Whether the operation changes anything.
        error: Code of the refusal; `Killed` where the caller was killed before; empty where it took effect.
    """

    service: str
    operation: str
    arguments: Args
    at: float
    write: bool
    error: str = ""


@dataclass(slots=True)
class Clock:
    """Virtual time: stands still unless somebody sleeps.

    Attributes:
        seconds: Monotonic.
        slept: How long each sleep was.
        born: The server's time at zero seconds; the real one, so that what callers date by it is neither old nor to come.
    """

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)
    born: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += max(0.0, seconds)

    def now(self) -> datetime:
        return self.born + timedelta(seconds=self.seconds)

    def millis(self) -> int:
        return round(self.now().timestamp() * 1000)


class Service:
    """The calls of one service; an operation is a method that `reads` or `writes` marks."""

    name: ClassVar[str]

    def __init__(self, account: FakeAccount) -> None:
        self.account = account

    def arn(self, rest: str) -> str:
        return f"arn:aws:{self.name}:{self.account.region}:{self.account.account}:{rest}"

    @property
    def now(self) -> datetime:
        return self.account.clock.now()

    def kept(self) -> dict[str, dict[str, Any]]:
        """What `snapshot` tells of this service."""
        return {}


def reads(method: _Method) -> _Method:
    """Mark an operation that changes nothing."""
    method.writes = False  # type: ignore[attr-defined]
    return method


def writes(method: _Method) -> _Method:
    """Mark an operation that changes something."""
    method.writes = True  # type: ignore[attr-defined]
    return method


def page(
    items: Mapping[str, _T] | Iterable[tuple[str, _T]], token: str | None, size: int, bad: str
) -> tuple[list[_T], str | None]:
    """A page of what has sortable keys, and the token of the next; a token names the last key, so deletions shift nothing."""
    ordered: Sequence[tuple[str, _T]] = sorted(dict(items).items())
    if token:
        try:
            last = base64.urlsafe_b64decode(token.encode()).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(bad, "Invalid nextToken") from None
        if not last.startswith("after:"):
            raise Refused(bad, "Invalid nextToken")
        ordered = [item for item in ordered if item[0] > last[6:]]
    some = ordered[:size]
    more = base64.urlsafe_b64encode(f"after:{some[-1][0]}".encode()).decode() if len(ordered) > size else None
    return [value for _, value in some], more


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_map(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def given(**members: Any) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
