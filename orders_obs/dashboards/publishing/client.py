"""Calls to a Grafana server: limits of time and size, what is tried again, and every failure in words without a secret."""

from __future__ import annotations

import http.client
import ipaddress
import json
import random
import ssl
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from orders_obs._version import __version__
from orders_obs.dashboards.printable import printable
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import REDACTED, redact_text, redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["PACE", "Client", "Conflict", "Forbidden", "Pace", "Rejected", "Unanswered", "reading"]

_MOST_BYTES = 64 * 1024 * 1024
_MESSAGE = 400
_RETRIED = {429, 502, 503, 504}
_CONFLICT = {409, 412}
_REDIRECTS = {301, 302, 303, 307, 308}
_WRONG = {400, 422}
# No dashboard comes near it, and what walks through an answer recurses.
_MOST_LEVELS = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """How long calls may take, and how often they are tried.

    Attributes:
        connect: Seconds to connect.
        read: Seconds without a byte of the answer.
        attempts: Of a call, the first one counted.
        first: Seconds before the second attempt; doubled for each further one, and cut at random by up to half.
        longest: Seconds that a server may ask to wait by Retry-After.
        sleep: Waits.
    """

    connect: float = 10
    read: float = 30
    attempts: int = 4
    first: float = 0.5
    longest: float = 30
    sleep: Callable[[float], None] = time.sleep


PACE = Pace()
"""What calls have unless they are told otherwise."""


class Conflict(UserError):  # noqa: N818  # a word of HTTP; caught where it can be told what it means
    """The thing is there already, or somebody changed it since it was read: 409 or 412.

    Attributes:
        status: Grafana's own word for it, such as `name-exists`; empty where it gives none.
    """

    def __init__(self, message: str, status: str = "") -> None:
        super().__init__(message)
        self.status = status


class Rejected(UserError):  # noqa: N818  # a word of HTTP
    """Grafana does not take what was sent: 400 or 422."""


class Forbidden(EnvironmentFault):
    """The token has no right to it: 403."""


class Unanswered(EnvironmentFault):
    """A write was sent and no answer came: it may be done or not."""


class Client:
    """Calls to one Grafana server.

    Args:
        url: Its address without a slash at its end.
        token: Of the service account.
        ca: Certificates to trust in place of the system's.
        pace: How long, how often.
        secrets: Further texts that must not stand in any message.

    Raises:
        UserError: The certificates cannot be read.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca: Path | None = None,
        pace: Pace | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        self.url = url
        self.pace = pace or PACE
        self._token = token
        self._secrets = [token, *secrets]
        handlers: list[Any] = [_Http(self.pace), _AsItIs()]
        if not url.startswith("https:") or _is_loopback(url):
            # A proxy would read the token of http, and has no business with what stays on this machine.
            handlers.append(urllib.request.ProxyHandler({}))
        if url.startswith("https:"):
            try:
                context = ssl.create_default_context(cafile=str(ca) if ca else None)
            except (OSError, ssl.SSLError):
                raise UserError("is no file of certificates", hint="PEM", file=ca) from None
            handlers.append(_Https(self.pace, context))
        self._opener = urllib.request.build_opener(*handlers)

    def __repr__(self) -> str:
        return f"Client({redact_url(self.url)!r})"

    def hide(self, secrets: Iterable[str]) -> None:
        """Keep further texts out of every message."""
        self._secrets += secrets

    def get(self, path: str, *, absent: Iterable[int] = (404,), **query: Any) -> Any:
        """What stands at a path; None where the server answers with a status of `absent`.

        Raises:
            EnvironmentFault: It cannot be had.
        """
        return self._call("GET", _with_query(path, query), None, absent=frozenset(absent), again=True)

    def post(self, path: str, body: Any, *, again: bool = False) -> Any:
        """Send something new.

        Args:
            path: Where to.
            body: As data.
            again: Whether it may be sent twice, since a second one would be a conflict.

        Raises:
            Conflict: It is there already, or was changed.
            Rejected: The server does not take it.
            Unanswered: It may be done or not.
            EnvironmentFault: It failed.
        """
        return self._call("POST", path, body, again=again)

    def put(self, path: str, body: Any) -> Any:
        """Replace something; raises as `post`."""
        return self._call("PUT", path, body, again=True)

    def delete(self, path: str, body: Any = None) -> Any:
        """Delete something, under the conditions of the body; None where it is not there. Raises as `post`."""
        return self._call("DELETE", path, body, absent=frozenset({404}), again=True)

    def _call(
        self, method: str, path: str, body: Any, *, absent: frozenset[int] = frozenset(), again: bool
    ) -> Any:
        """One call, tried again where that is safe.

        What was never sent, and what the server says it did not take (429), may always be sent again; the rest only where
        `again` says so.
        """
        about = f"{method} {path.partition('?')[0]}"
        for attempt in range(1, self.pace.attempts + 1):
            last = attempt == self.pace.attempts
            try:
                status, headers, content = self._send(method, path, body)
            except _NeverSent as error:
                if last:
                    raise EnvironmentFault(
                        f"{redact_url(self.url)} cannot be reached: {error}",
                        hint="look at the address, the network and the proxy",
                    ) from None
            except _Lost as error:
                if method != "GET" and (not again or last):
                    raise Unanswered(f"{about}: sent, and no answer came: {error}") from None
                if last:
                    raise EnvironmentFault(f"{about}: no answer came: {error}") from None
            else:
                if status in absent:
                    return None
                if status not in _RETRIED or last or (status != 429 and not again):
                    return self._read(about, method, status, headers, content)
                asked = _retry_after(headers)
                if asked > self.pace.longest:
                    return self._read(about, method, status, headers, content)
                self.pace.sleep(max(asked, self._wait(attempt)))
                continue
            self.pace.sleep(self._wait(attempt))
        raise AssertionError  # pragma: no cover  # the last attempt answers or raises

    def _wait(self, attempt: int) -> float:
        seconds: float = self.pace.first * 2 ** (attempt - 1)
        return seconds * random.uniform(0.5, 1)

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any, bytes]:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": f"orders-obs/{__version__}",
        }
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310  # http and https only, as the settings file is read
        try:
            with self._opener.open(request) as answer:
                return answer.status, answer.headers, _content(answer)
        except urllib.error.URLError as error:
            reason = error.reason
            said = self._plain(_reason(reason))
            if isinstance(reason, _Connected):
                raise _Lost(said) from None
            raise _NeverSent(said) from None
        except (OSError, http.client.HTTPException) as error:
            raise _Lost(self._plain(_reason(error))) from None

    def _read(self, about: str, method: str, status: int, headers: Any, content: bytes) -> Any:
        if status in _REDIRECTS:
            where = redact_url(str(headers.get("Location", "")))[:_MESSAGE]
            raise EnvironmentFault(
                f"{redact_url(self.url)} sends elsewhere ({status} to {self._plain(where)})",
                hint="a login page stands before it, or the address has another scheme or path",
            )
        try:
            data = _parsed(content)
        except (ValueError, RecursionError):
            if status in (502, 503, 504):
                raise self._failed(about, method, status, "") from None
            kind = str(headers.get("Content-Type", "nothing")).partition(";")[0]
            raise EnvironmentFault(
                f"{redact_url(self.url)} is no Grafana API: {about} answers {self._plain(kind)} ({status})",
                hint="a login page or a proxy answers, or the address lacks Grafana's path",
            ) from None
        if 200 <= status < 300:
            return data
        said, word = self._said(data)
        if status in _CONFLICT and method != "GET":
            raise Conflict(said, word)
        if status in _WRONG and method != "GET":
            raise Rejected(f"{about}: Grafana does not take it ({status}): {said}")
        raise self._failed(about, method, status, said)

    def _failed(self, about: str, method: str, status: int, said: str) -> EnvironmentFault:
        text = f"{about}: {status}{f' {said}' if said else ''}"
        if status == 401:
            return EnvironmentFault(
                f"Grafana does not take the token ({text})",
                hint="it is wrong, deleted or over; make a new one for the service account",
            )
        if status == 403 and "quota" in said.lower():
            return EnvironmentFault(
                f"Grafana's quota is reached: {text}", hint="raise it, or delete dashboards"
            )
        if status == 403:
            return Forbidden(
                f"the service account has no right to it: {text}",
                hint="docs/publish.md lists the rights that are needed",
            )
        if method != "GET" and status >= 500 and status != 503:
            return Unanswered(f"{text}; it may be done or not")
        return EnvironmentFault(text)

    def _said(self, data: Any) -> tuple[str, str]:
        """The message and the word of an error, of the old API and of the new one."""
        if not isinstance(data, dict):
            return "", ""
        parts = [str(data.get("message", ""))]
        details = data.get("details")
        causes = details.get("causes") if isinstance(details, dict) else None
        parts += [
            f"{cause.get('field', '')}: {cause.get('message', '')}"
            for cause in (causes if isinstance(causes, list) else ())
            if isinstance(cause, dict)
        ]
        word = data.get("reason") or data.get("status") or ""
        return self._plain("; ".join(part for part in parts if part))[:_MESSAGE], str(word)

    def _plain(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return printable(" ".join(redact_text(text).split()))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Read an answer whose shape is not as documented as a fault of the surroundings.

    Args:
        what: What it should have been, such as `a dashboard`.

    Raises:
        EnvironmentFault: It is not.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError):
        raise EnvironmentFault(
            f"it is no Grafana API: what it gives as {what} is none",
            hint="something else answers at the address, or an API that this package does not know",
        ) from None


def _parsed(content: bytes) -> Any:
    """An answer as data; an empty one as an empty object.

    Raises:
        ValueError: It is no JSON, or nested too deep.
        RecursionError: It is nested far too deep.
    """
    data = json.loads(content) if content.strip() else {}
    level = [data]
    for _ in range(_MOST_LEVELS):
        level = [
            entry
            for value in level
            if isinstance(value, dict | list)
            for entry in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return data
    raise ValueError


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NeverSent(Exception):  # noqa: N818
    pass


class _Lost(Exception):  # noqa: N818
    pass


class _Connected(OSError):  # noqa: N818  # never leaves this module
    """A failure after the connection was made: the request may have arrived."""


class _AsItIs(urllib.request.HTTPErrorProcessor):
    """Gives every answer, whatever its status: a redirect is not followed, since the token would go along."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002  # urllib's
        return response

    https_response = http_response


class _Timed:
    """Marks what fails once it is connected, and sets the two limits of time.

    urllib has one limit for connecting and reading, and one kind of error for both.
    """

    pace: Pace
    sock: Any
    timeout: Any

    def connect(self) -> None:
        self.timeout = self.pace.connect
        super().connect()  # type: ignore[misc]  # http.client's
        self.sock.settimeout(self.pace.read)

    def getresponse(self) -> Any:
        try:
            return super().getresponse()  # type: ignore[misc]
        except OSError as error:
            raise _Connected(_reason(error)) from None
        except http.client.HTTPException as error:
            raise _Connected(_reason(error)) from None

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        try:
            super().send(data)  # type: ignore[misc]
        except OSError as error:
            raise _Connected(_reason(error)) from None


class _HttpConnection(_Timed, http.client.HTTPConnection):
    pass


class _HttpsConnection(_Timed, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_class(_HttpConnection, self._pace), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, pace: Pace, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._pace = pace
        self._ours = context

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_class(_HttpsConnection, self._pace), req, context=self._ours)


def _content(answer: Any) -> bytes:
    content: bytes = answer.read(_MOST_BYTES)
    length = answer.headers.get("Content-Length", "")
    # A read of at most so many bytes does not complain when the rest is missing.
    if length.isdecimal() and len(content) < min(int(length), _MOST_BYTES):
        raise http.client.IncompleteRead(content, int(length) - len(content))
    return content


def _class(base: type[Any], pace: Pace) -> Any:
    return type(base.__name__, (base,), {"pace": pace})


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return str(error) or "it took too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); `ca` names others"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer was cut off"
    return str(error) or type(error).__name__


def _retry_after(headers: Any) -> float:
    """Seconds of Retry-After; 0 where it is none, or a date (Grafana sends seconds)."""
    text = str(headers.get("Retry-After", "")).strip()
    return float(text) if text.isdecimal() else 0.0


def _with_query(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{urlencode(query, doseq=True)}" if query else path
