"""The HTTP API of a Prometheus, or of what answers like one: queries with a limit of time and size; credentials from the environment."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from orders_obs._version import __version__
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_text, redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PASSWORD", "TOKEN", "USER", "Answer", "Api", "QueryFailed", "checked_address"]

TOKEN = "ORDERS_OBS_PROMETHEUS_TOKEN"  # noqa: S105  # the variable's name
USER = "ORDERS_OBS_PROMETHEUS_USER"
PASSWORD = "ORDERS_OBS_PROMETHEUS_PASSWORD"  # noqa: S105  # the variable's name

_LARGEST = 64 * 1024 * 1024
_SAID = 500
_NOT_POST = (403, 405)
_REFUSED = (401, 403)


class QueryFailed(Exception):  # noqa: N818  # shown in the panel, where it is one of many
    """A query has no answer; the text says why, without a secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query brought.

    Attributes:
        kind: `matrix`, `vector`, `scalar` or `string`.
        result: As the API has it.
        warnings: What the server said beside it.
    """

    kind: str
    result: list[Any]
    warnings: tuple[str, ...] = ()


class Api:
    """Calls to one server; safe to use from several threads.

    Args:
        url: Its address, with the prefix that it is served under.
        timeout: Seconds that a call may take.
        env: Where the credentials are: a token, or user and password. None sends none.

    Raises:
        UserError: The address is none, or holds credentials.
    """

    def __init__(self, url: str, *, timeout: float = 30, env: Mapping[str, str] | None = os.environ) -> None:
        self.url = checked_address(url, "--prometheus")
        self._timeout = timeout
        self._secrets: list[str] = []
        self._headers = {"Accept": "application/json", "User-Agent": f"orders-obs/{__version__}"}
        if env is not None:
            self._authorize(env)
        self._opener = urllib.request.build_opener(_NoRedirect())
        self._post = True

    def __repr__(self) -> str:
        return f"Api({redact_url(self.url)!r})"

    def probe(self) -> None:
        """See to it that a server is there and takes the credentials.

        Raises:
            EnvironmentFault: It is not, or does not.
        """
        try:
            self.query("vector(1)", 0)
        except QueryFailed as error:
            hint = f"credentials come from {TOKEN}, or {USER} and {PASSWORD}"
            raise EnvironmentFault(f"{redact_url(self.url)}: {error}", hint=hint) from None

    def query(self, expr: str, at: float) -> Answer:
        """What an expression is at a time (0: now).

        Raises:
            QueryFailed: There is no answer.
        """
        return self._answer("/api/v1/query", {"query": expr} | ({"time": _number(at)} if at else {}))

    def query_range(self, expr: str, start: float, end: float, step: float) -> Answer:
        """What an expression is over a time, each `step` seconds.

        Raises:
            QueryFailed: There is no answer.
        """
        values = {"query": expr, "start": _number(start), "end": _number(end), "step": _number(step)}
        return self._answer("/api/v1/query_range", values)

    def exemplars(self, expr: str, start: float, end: float) -> list[dict[str, Any]]:
        """Series and exemplars of the metrics that an expression reads; empty where the server keeps none."""
        try:
            data = self.get("/api/v1/query_exemplars", query=expr, start=_number(start), end=_number(end))
        except QueryFailed:
            return []
        return [series for series in data if isinstance(series, dict)] if isinstance(data, list) else []

    def label_values(self, label: str, match: str, start: float, end: float) -> list[str]:
        """The values of a label, of the series that match a selector (all where it is empty).

        Raises:
            QueryFailed: There is no answer.
        """
        match_parameter = {"match[]": match} if match else {}
        path = f"/api/v1/label/{quote(label, safe='')}/values"
        return _texts(self.get(path, start=_number(start), end=_number(end), **match_parameter))

    def label_names(self, start: float, end: float) -> list[str]:
        """The names of the labels.

        Raises:
            QueryFailed: There is no answer.
        """
        return _texts(self.get("/api/v1/labels", start=_number(start), end=_number(end)))

    def get(self, path: str, **parameters: str) -> Any:
        """The data of a GET.

        Raises:
            QueryFailed: There is none.
        """
        return self._data(f"{path}?{urlencode(parameters)}", None)["data"]

    def get_any(self, path: str, **parameters: str) -> Any:
        """The JSON of a GET, of a server that has another envelope.

        Raises:
            QueryFailed: There is none.
        """
        status, content = self._send(f"{path}?{urlencode(parameters)}", None)
        if status >= 300:
            raise QueryFailed(f"HTTP {status}")
        return content

    def _answer(self, path: str, parameters: dict[str, str]) -> Answer:
        content = self._data(path, parameters)
        data = content["data"]
        warnings = [*(content.get("warnings") or ()), *(content.get("infos") or ())]
        try:
            result = data["result"]
            kind = str(data["resultType"])
        except (TypeError, KeyError):
            raise QueryFailed("the answer is not Prometheus's") from None
        return Answer(kind, result, tuple(self._plain(str(text)) for text in warnings))

    def _data(self, path: str, form: dict[str, str] | None) -> dict[str, Any]:
        content: Any
        if form is not None and self._post:
            status, content = self._send(path, urlencode(form).encode())
            if status in _NOT_POST:
                # Read-only proxies let GET through alone; Grafana falls back in the same way.
                again, other = self._send(f"{path}?{urlencode(form)}", None)
                if again not in _NOT_POST:
                    self._post, status, content = False, again, other
        else:
            status, content = self._send(f"{path}?{urlencode(form)}" if form is not None else path, None)
        if isinstance(content, dict) and content.get("status") == "success" and "data" in content:
            return content
        if isinstance(content, dict) and content.get("error"):
            kind = f"{content['errorType']}: " if content.get("errorType") else ""
            raise QueryFailed(self._plain(f"{kind}{content['error']}"))
        if status in _REFUSED:
            raise QueryFailed(f"HTTP {status}: the credentials are missing or refused")
        raise QueryFailed(f"HTTP {status}, and no answer of a Prometheus")

    def _send(self, path: str, body: bytes | None) -> tuple[int, Any]:
        request = urllib.request.Request(self.url + path, body, self._headers)  # noqa: S310  # http or https, as checked
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return answer.status, _json(answer.read(_LARGEST + 1))
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _json(error.read(_LARGEST), strict=False)
        except TimeoutError:
            raise QueryFailed(f"no answer within {self._timeout:g} s") from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise QueryFailed(f"no answer within {self._timeout:g} s") from None
            raise QueryFailed(self._plain(f"cannot be reached: {reason}")) from None
        except (ValueError, HTTPException) as error:
            raise QueryFailed(self._plain(f"the answer cannot be read: {error}")) from None

    def _authorize(self, env: Mapping[str, str]) -> None:
        token, user, password = (env.get(name, "").strip() for name in (TOKEN, USER, PASSWORD))
        if token and user:
            raise UserError(f"{TOKEN} and {USER} are both set", hint="unset one")
        self._secrets = [secret for secret in (token, password) if secret]
        if not all(text.isprintable() and text.isascii() for text in (token, user, password)):
            raise UserError(f"{TOKEN}, {USER} or {PASSWORD} holds characters that a header cannot")
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif user:
            pair = b64encode(f"{user}:{password}".encode()).decode()
            self._secrets.append(pair)
            self._headers["Authorization"] = f"Basic {pair}"

    def _plain(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[REDACTED]")
        return " ".join(redact_text(text).split())[:_SAID]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would take the credentials along to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def checked_address(url: str, option: str) -> str:
    """The address of a server without a slash at its end.

    Raises:
        UserError: It is none, or holds credentials.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isprintable() or " " in url:
        raise UserError(f"{option} wants an address", hint="such as http://127.0.0.1:9090")
    if "@" in parts.netloc:
        hint = f"set {USER} and {PASSWORD}, or {TOKEN}"
        raise UserError(
            f"{option} holds credentials, which would be seen in the list of processes", hint=hint
        )
    if parts.query or parts.fragment:
        raise UserError(
            f"{option} is the base of the API, without ? and #", hint="such as http://127.0.0.1:9090"
        )
    return url.rstrip("/")


def _json(content: bytes, *, strict: bool = True) -> Any:
    if len(content) > _LARGEST:
        raise ValueError(f"more than {_LARGEST // 1024 // 1024} MiB")
    try:
        return json.loads(content)
    except ValueError:
        if strict:
            raise ValueError("no JSON") from None
        return None


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _texts(data: Any) -> list[str]:
    return [str(item) for item in data] if isinstance(data, list) else []
