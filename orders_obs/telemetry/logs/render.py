"""From a dictionary to one line: strict JSON whatever the values are, bounded, without secrets; or text for a console."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from typing import TYPE_CHECKING, Any

import orjson

from orders_obs.redact import redact, redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["exception_text", "render_console", "render_json", "timestamp"]

MAX_LINE = 200_000
"""Bytes of a line. CloudWatch Logs takes events of 256 KB (its archived quota), 26 bytes of each for itself."""
_MAX_TEXT = 16_384
_MAX_STACK = 24_576
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z

_COLORS = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[31;1m",
}
_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
# What every line has and nobody wants to read on a console.
_QUIET = frozenset({"environment", "service", "version", "trace_flags", "span_id", "logger"})
_FIRST = ("timestamp", "level", "event")


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with microseconds."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def exception_text(exception: BaseException) -> str:
    """The traceback, causes included, without the values of locals, redacted and at most 24 KB long: its beginning and its end."""
    try:
        text = "".join(
            traceback.TracebackException.from_exception(exception, limit=-50, max_group_width=8).format()
        )
    except Exception as error:  # an exception whose own __str__ fails
        text = (
            f"{type(exception).__qualname__} (its traceback cannot be rendered: {type(error).__qualname__})"
        )
    return redact_text(_cut(text.rstrip("\n"), _MAX_STACK))


def render_json(fields: Mapping[str, Any]) -> bytes:
    """One strict JSON object and a newline, at most 200,000 bytes; a line that was cut says so in `truncated`."""
    clean = {_key(key): _bounded(redact(value, str(key))) for key, value in fields.items()}
    try:
        line = orjson.dumps(clean, default=_fallback, option=_OPTIONS)
    except (TypeError, ValueError, RecursionError):  # lone surrogates, numbers beyond 64 bits, cycles
        line = (json.dumps(_plain(clean), ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")
    if len(line) > MAX_LINE:
        line = _cut_line(clean, len(line))
    return line


def render_console(fields: Mapping[str, Any], *, color: bool) -> bytes:
    """A readable line; control characters are shown, not obeyed."""
    clean = {key: redact(value, key) for key, value in fields.items()}
    paint = (lambda code, text: f"{code}{text}{_RESET}") if color else (lambda _code, text: text)
    level = str(clean.get("level", "info"))
    head = f"{paint(_DIM, str(clean.get('timestamp', ''))[11:23])} {paint(_COLORS.get(level, ''), f'{level:<8}')} "
    head += paint(_BOLD, _visible(str(clean.get("event", ""))))
    stack = clean.pop("exception", None)
    for key, value in clean.items():
        if key not in _QUIET and key not in _FIRST and value is not None:
            head += f" {paint(_DIM, _visible(str(key)) + '=')}{_visible(value if isinstance(value, str) else repr(value))}"
    if isinstance(stack, str):
        head += "\n" + "\n".join(_visible(line) for line in stack.splitlines())
    return (head + "\n").encode("utf-8", "replace")


def _key(key: Any) -> str:
    text = key if isinstance(key, str) else str(key)
    return text.encode("utf-8", "replace").decode()[:128]


def _bounded(value: Any) -> Any:
    return _cut(value, _MAX_STACK + 64) if isinstance(value, str) and len(value) > _MAX_TEXT else value


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters cut]\n{text[-half:]}"


def _fallback(value: Any) -> Any:
    """What orjson does not know: bytes as text, exceptions by their class, anything else by its repr."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return redact_text(bytes(value)[:_MAX_TEXT].decode("utf-8", "replace"))
    if isinstance(value, (set, frozenset)):
        return list(value)
    try:
        # A type that hides its value (pydantic's SecretStr, say) does so in str().
        text = f"{type(value).__qualname__}: {value}" if isinstance(value, BaseException) else str(value)
        return redact_text(text[:_MAX_TEXT])
    except Exception:
        return f"<{type(value).__qualname__}: cannot be shown>"


def _plain(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 64 else str(value)[:100]
    if isinstance(value, float):
        return value if value - value == 0 else None  # false for infinities and NaN
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if depth > 6:
        return "[too deep]"
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    return _plain(_fallback(value), depth + 1)


def _cut_line(clean: dict[str, Any], size: int) -> bytes:
    kept: dict[str, Any] = {}
    room = MAX_LINE - 256
    for key, value in clean.items():
        item = (
            value
            if isinstance(value, (int, float, bool)) or value is None
            else _cut(str(_plain(value)), 2048)
        )
        cost = len(json.dumps({key: item}))
        if cost <= room:
            kept[key] = item
            room -= cost
    kept["truncated"] = size
    return (json.dumps(kept, ensure_ascii=True) + "\n").encode("ascii")


def _visible(text: str) -> str:
    return (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in text)
    )
