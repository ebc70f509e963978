"""Addresses in the console of AWS, by partition."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["alarm", "log_group", "partition_of", "runbook", "safe"]

_LONGEST = 2000
_SAFE = ":/?#[]@!$&()*+,;=%"
"""What an address is made of beside letters, digits and `-._~`; all else is written as its bytes."""
_BEFORE = 300
"""Seconds before a moment from which on its logs are shown."""


def partition_of(region: str) -> str:
    """The partition of a region."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def alarm(region: str, name: str) -> str:
    """An alarm; empty without a region."""
    return f"{_console(region)}#alarmsV2:alarm/{quote(name, safe='')}" if region else ""


def log_group(region: str, group: str, since: datetime | None) -> str:
    """A log group, from some minutes before a moment on; empty without a region."""
    if not region:
        return ""
    # The console writes a percent sign as $25, so that a slash is $252F.
    name = quote(quote(group, safe=""), safe="").replace("%", "$")
    start = f"$3Fstart$3D{int((since.timestamp() - _BEFORE) * 1000)}" if since else ""
    return f"{_console(region)}#logsV2:log-groups/log-group/{name}/log-events{start}"


def runbook(base: str, name: str) -> str:
    """The address of a runbook by its name; empty without a base."""
    if not base or not name:
        return ""
    return base.replace("{}", name) if "{}" in base else f"{base}{name}"


def safe(address: str) -> str:
    """An address that may stand in a link: http or https, without a password, with no character that ends a link; else empty."""
    text = address.strip()
    if not text.startswith(("https://", "http://")) or len(text) > _LONGEST:
        return ""
    if any(ord(c) <= 32 or ord(c) == 127 for c in text):
        return ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host or "@" in parts.netloc or not parts.netloc.isascii():
        return ""
    return quote(text, safe=_SAFE)


def _console(region: str) -> str:
    host = {
        "aws": f"{region}.console.aws.amazon.com",
        "aws-cn": f"{region}.console.amazonaws.cn",
        "aws-us-gov": f"{region}.console.amazonaws-us-gov.com",
    }[partition_of(region)]
    return f"https://{host}/cloudwatch/home?region={region}"
