"""The one place that reads the environment.

A value comes from the keyword of `instrument`, else from `ORDERS_OBS_NAME`, else from OpenTelemetry's own variable, else it is a
safe default: no endpoint means no network. A keyword that cannot be used raises `UserError`, since a programmer sees it at the
first start. A variable that cannot be used must not keep a service from starting: its default is taken and the mistake is kept
in `Settings.problems`, which the library logs once and the commands refuse to go on with.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Settings"]

_T = TypeVar("_T")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What telemetry was told, validated.

    Attributes:
        service: Name of the service: `service` on lines, `service.name` of spans, `job` of alerts.
        version: Version of the service, empty when unknown.
        environment: Such as `production`; decides the console (`development`) and stands on every line.
        instance: What tells this process's host from others of the service.
        disabled: True where the application is to be left as if the library were not there.
        endpoint: Base address of an OTLP/HTTP receiver, such as `http://127.0.0.1:4318`; None means no network.
        traces_endpoint: The address that spans are posted to.
        headers: HTTP headers of each export.
        certificate: Path of a CA bundle for an `https` endpoint.
        compression: `gzip` or `none`.
        export_timeout: Seconds one export may take.
        export_interval: Seconds between exports.
        queue_size: Spans that may wait; beyond it the newest are dropped and counted.
        batch_size: Spans in one export.
        shutdown_timeout: Seconds that our part of a shutdown may take.
        attribute_length: Characters that a span's attribute may have.
        series_budget: Series of one metric; beyond it samples go to an overflow series.
        log_level: Lines below this level are not written.
        log_format: `json` or `console`.
        color: Whether the console may use colour.
        field_names: Own names for fields of the log line: standard name to wanted name.
        request_id_header: Response and request header of the request id; empty switches it off.
        traceresponse: Whether responses carry the `traceresponse` header.
        xray: Whether outgoing requests carry `X-Amzn-Trace-Id` beside `traceparent`.
        metrics_path: Where `/metrics` is answered; empty switches it off.
        health_path: Prefix of `/live` and `/ready`; empty switches them off.
        problems: What was wrong with variables, one sentence each.
    """

    service: str = "unknown_service"
    version: str = ""
    environment: str = "production"
    instance: str = ""
    disabled: bool = False
    endpoint: str | None = None
    traces_endpoint: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    certificate: str | None = None
    compression: str = "none"
    export_timeout: float = 10.0
    export_interval: float = 5.0
    queue_size: int = 2048
    batch_size: int = 512
    shutdown_timeout: float = 2.0
    attribute_length: int = 4096
    series_budget: int = 2000
    log_level: str = "info"
    log_format: str = "json"
    color: bool = False
    field_names: tuple[tuple[str, str], ...] = ()
    request_id_header: str = "x-request-id"
    traceresponse: bool = False
    xray: bool = False
    metrics_path: str = "/metrics"
    health_path: str = "/health"
    problems: tuple[str, ...] = ()

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None, **keywords: Any) -> Settings:
        """Settings from keywords and the environment.

        Args:
            env: The environment; the process's own when None.
            keywords: Any attribute of this class but `problems`; None means not given.

        Raises:
            UserError: A keyword is unknown or cannot be used.
        """
        return _Loader(os.environ if env is None else env, keywords).load()


class _Loader:
    def __init__(self, env: Mapping[str, str], keywords: Mapping[str, Any]) -> None:
        unknown = sorted(set(keywords) - {f.name for f in fields(Settings) if f.name != "problems"})
        if unknown:
            raise UserError(
                f"instrument() has no setting {unknown[0]!r}",
                hint="see orders_obs.settings.Settings for their names",
            )
        self._env = env
        self._keywords = {name: value for name, value in keywords.items() if value is not None}
        self._problems: list[str] = []

    def load(self) -> Settings:
        resource = self._resource_attributes()
        environment = self._value(
            "environment", _name, resource.get("deployment.environment.name") or "production"
        )
        development = environment in {"development", "dev", "local"}
        endpoint = self._value("endpoint", _url, None, "OTEL_EXPORTER_OTLP_ENDPOINT")
        traces = self._value("traces_endpoint", _url, None, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        if traces is None and endpoint is not None:
            traces = endpoint.rstrip("/") + "/v1/traces"
        if self._env.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
            traces = None
        if self._env.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf").strip() not in ("", "http/protobuf"):
            self._problems.append(
                "OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is spoken; point the endpoint at the receiver's HTTP port (4318)"
            )
        return Settings(
            service=self._value(
                "service", _name, resource.get("service.name") or "unknown_service", "OTEL_SERVICE_NAME"
            ),
            version=self._value("version", str, resource.get("service.version", "")),
            environment=environment,
            instance=self._value(
                "instance", _name, resource.get("service.instance.id") or socket.gethostname()
            ),
            disabled=self._value("disabled", _flag, False)
            or self._value_of("OTEL_SDK_DISABLED", _flag, False),
            endpoint=endpoint,
            traces_endpoint=traces,
            headers=self._value("headers", _headers, (), "OTEL_EXPORTER_OTLP_HEADERS"),
            certificate=self._value("certificate", str, None, "OTEL_EXPORTER_OTLP_CERTIFICATE"),
            compression=self._value(
                "compression", _one_of("none", "gzip"), "none", "OTEL_EXPORTER_OTLP_COMPRESSION"
            ),
            export_timeout=self._value(
                "export_timeout", _positive, self._milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", 10.0)
            ),
            export_interval=self._value(
                "export_interval", _positive, self._milliseconds("OTEL_BSP_SCHEDULE_DELAY", 5.0)
            ),
            queue_size=self._value("queue_size", _count, 2048, "OTEL_BSP_MAX_QUEUE_SIZE"),
            batch_size=self._value("batch_size", _count, 512, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
            shutdown_timeout=self._value("shutdown_timeout", _positive, 2.0),
            attribute_length=self._value(
                "attribute_length", _count, 4096, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
            ),
            series_budget=self._value("series_budget", _count, 2000),
            log_level=self._value("log_level", _one_of(*_LEVELS), "info"),
            log_format=self._value(
                "log_format", _one_of("json", "console"), "console" if development else "json"
            ),
            color=self._value("color", _flag, development and not self._env.get("NO_COLOR")),
            field_names=self._value("field_names", _pairs, ()),
            request_id_header=self._value("request_id_header", _header_name, "x-request-id"),
            traceresponse=self._value("traceresponse", _flag, False),
            xray=self._value("xray", _flag, False),
            metrics_path=self._value("metrics_path", _path, "/metrics"),
            health_path=self._value("health_path", _path, "/health"),
            problems=tuple(self._problems),
        )

    def _value(self, name: str, parse: Callable[[Any], _T], default: _T, standard: str = "") -> _T:
        if name in self._keywords:
            try:
                return parse(self._keywords[name])
            except ValueError as error:
                raise UserError(f"instrument({name}=…): {error}") from None
        for variable in (f"ORDERS_OBS_{name.upper()}", standard):
            if variable and self._env.get(variable, "").strip():
                return self._value_of(variable, parse, default)
        return default

    def _value_of(self, variable: str, parse: Callable[[Any], _T], default: _T) -> _T:
        text = self._env.get(variable, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self._problems.append(f"{variable}: {error}; the default is used")
            return default

    def _milliseconds(self, variable: str, default: float) -> float:
        return self._value_of(variable, lambda text: _positive(text) / 1000, default)

    def _resource_attributes(self) -> dict[str, str]:
        attributes: dict[str, str] = {}
        for part in self._env.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
            key, equals, value = part.partition("=")
            if equals:
                attributes[key.strip()] = unquote(value.strip())
            elif part.strip():
                self._problems.append("OTEL_RESOURCE_ATTRIBUTES: each part must be key=value")
        return attributes


def _name(value: Any) -> str:
    text = str(value).strip()
    if not text or len(text) > 255 or not text.isprintable():
        raise ValueError("must be a name of 1 to 255 printable characters")
    return text


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError("must be true or false")


def _positive(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < 1e9:
        raise ValueError("must be a number above 0")
    return number


def _count(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ValueError("must be a whole number above 0")
    return number


def _url(value: Any) -> str | None:
    text = str(value).strip()
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        # The address itself is not repeated: it may carry a password.
        raise ValueError("must be an address such as http://127.0.0.1:4318")
    return text


def _path(value: Any) -> str:
    text = str(value).strip().rstrip("/")
    if text and not text.startswith("/"):
        raise ValueError("must begin with /, or be off")
    return text


def _header_name(value: Any) -> str:
    text = str(value).strip().lower()
    if text in ("off", "none"):
        return ""
    if text and not all(c.isascii() and (c.isalnum() or c in "-_") for c in text):
        raise ValueError("must be the name of an HTTP header, or off")
    return text


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        text = str(value).strip().lower()
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(sorted(allowed))}")
        return text

    return parse


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """`a=b,c=d`, or a mapping."""
    if not isinstance(value, str):
        return tuple((str(key), str(item)) for key, item in dict(value).items())
    pairs = []
    for part in value.split(","):
        key, equals, item = part.partition("=")
        if not equals or not key.strip():
            raise ValueError("must be a list of key=value")
        pairs.append((key.strip(), unquote(item.strip())))
    return tuple(pairs)


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key.lower(), item) for key, item in _pairs(value))
