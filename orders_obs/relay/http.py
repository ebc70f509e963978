"""One HTTP request: certificates verified, no redirect followed, an answer of bounded size, and no address in what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Unreached", "request"]


class Unreached(Exception):  # noqa: N818  # says what became of a request
    """There was no answer. The text names the kind of failure, and never the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered.

    Attributes:
        status: The status.
        body: What was read of the body.
        headers: Names in lower case.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def request(
    address: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float,
    largest: int = 4096,
) -> Answer:
    """One request: POST where there is a body, else GET.

    Args:
        address: `https`; `http` where the caller has decided so.
        body: What is posted.
        headers: Of the request.
        timeout: Seconds for each step of the connection.
        largest: Bytes that are read of the answer.

    Raises:
        Unreached: There was no answer.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Staying(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        # Callers have decided on the scheme.
        asked = Request(address, data=body, headers=dict(headers or {}))  # noqa: S310
        with build_opener(Staying).open(asked, timeout=timeout) as answer:
            return Answer(answer.status, answer.read(largest), _lowered(answer.headers))
    except HTTPError as error:
        with error:
            return Answer(error.code, _read(error, largest), _lowered(error.headers))
    except URLError as error:
        reason = error.reason
        raise Unreached(type(reason).__name__ if isinstance(reason, Exception) else "no connection") from None
    except (OSError, HTTPException, ValueError) as error:
        raise Unreached(type(error).__name__) from None


def _read(error: Any, largest: int) -> bytes:
    try:
        found: bytes = error.read(largest)
    except Exception:
        return b""
    return found


def _lowered(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}
