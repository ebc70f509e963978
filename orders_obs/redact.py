"""What is secret, for every room: by the name of a field, and by the shape of a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "REDACTED",
    "is_secret_name",
    "redact",
    "redact_query",
    "redact_text",
    "redact_texts",
    "redact_url",
]

REDACTED = "[REDACTED]"

# Names are compared without case, hyphens and underscores, so that `apiKey`, `API-KEY` and `api_key` are one.
_SECRET_PARTS = (
    "password", "passwd", "passphrase", "secret", "apikey", "accesskey", "privatekey", "authorization", "credential",
    "cookie", "sessionid", "webhookurl", "signature", "accesstoken", "refreshtoken", "idtoken", "authtoken",
    "securitytoken", "csrftoken", "bearer", "cardnumber", "cvv", "connectionstring",
)  # fmt: skip
_SECRET_NAMES = frozenset({"pwd", "pass", "token", "auth", "jwt", "sid", "sig", "dsn", "pin", "ssn", "iban"})

_PATTERNS = (
    # user and password in an address
    (
        re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@:'\"]{0,256}:[^\s/@'\"]{1,256}@"),
        rf"\g<1>{REDACTED}@",
    ),
    # name=value and "name": "value" of what a name says is secret
    (
        re.compile(
            r"(?i)\b((?:[a-z0-9]{1,24}[_.-]){0,4}"
            r"(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|sig|signature|credential))"
            r"(['\"]?\s{0,4}[=:]\s{0,4}['\"]?)(?!\s|\[REDACTED)[^\s'\"&,;)}\]]{1,512}"
        ),
        rf"\g<1>\g<2>{REDACTED}",
    ),
    # "basic income" is no credential: one has a digit, an upper-case letter or base64's signs in it
    (
        re.compile(r"(?i)\b(bearer|basic)\s+(?=\S{0,512}(?-i:[A-Z0-9=+/]))[a-z0-9._~+/=-]{6,4096}"),
        rf"\g<1> {REDACTED}",
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), REDACTED),  # JSON Web Token
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),  # AWS access key id
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}"), REDACTED),  # Slack token
    # addresses that are secrets: Slack, PagerDuty, Discord, Teams
    (
        re.compile(r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]+"),
        f"hooks.slack.com/{REDACTED}",
    ),
    (
        re.compile(r"(events(?:\.eu)?\.pagerduty\.com/(?:integration|x-ere))/[A-Za-z0-9]+"),
        rf"\g<1>/{REDACTED}",
    ),
    (re.compile(r"(discord(?:app)?\.com/api/webhooks)/[A-Za-z0-9/_-]+"), rf"\g<1>/{REDACTED}"),
    (re.compile(r"(webhook\.office\.com/webhookb2)/[A-Za-z0-9@/_-]+"), rf"\g<1>/{REDACTED}"),
    (
        re.compile(
            r"\b(?:gh[opsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glsa_\w{20,}|sk_(?:live|test)_\w{8,})"
        ),
        REDACTED,
    ),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        REDACTED,
    ),
)
# A text with none of these cannot match any pattern; looking for them is far cheaper than nine regular expressions.
_HINT = re.compile(
    r"(?i)://|pass|pwd|secret|token|key|sig|credential|bearer|basic|eyJ|AKIA|ASIA|xox|slack|gh[opsu]_|github_pat|glsa_|sk_"
)

_MAX_DEPTH = 6


def is_secret_name(name: str) -> bool:
    """Whether a field, header or parameter of this name holds a secret."""
    plain = name.lower().replace("-", "").replace("_", "").replace(".", "")
    return plain in _SECRET_NAMES or any(part in plain for part in _SECRET_PARTS)


def redact_text(text: str) -> str:
    """The text with everything that has the shape of a secret replaced by `[REDACTED]`."""
    if _HINT.search(text) is None:
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_texts(value: Any) -> Any:
    """Plain data of any depth with `redact_text` on each text in it; names of fields say nothing here, and stay."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redact_texts(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_texts(item) for item in value]
    return value


def redact_query(query: str) -> str:
    """A URL's query with the values of secret parameters replaced; keys and order stay."""
    if not query:
        return query
    parts = []
    for part in query.split("&"):
        key, equals, _ = part.partition("=")
        parts.append(f"{key}={REDACTED}" if equals and is_secret_name(key) else redact_text(part))
    return "&".join(parts)


def redact_url(url: str) -> str:
    """An address without user, password and the values of secret parameters."""
    base, question, query = url.partition("?")
    scheme, separator, rest = base.partition("://")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        authority = f"{REDACTED}@{authority.rpartition('@')[2]}"
    return redact_text(f"{scheme}{separator}{authority}{slash}{path}") + question + redact_query(query)


def redact(value: Any, name: str = "", depth: int = 0) -> Any:
    """A value as it may be shown: secrets by name or shape replaced, in mappings and sequences too.

    Args:
        value: Anything.
        name: The field that holds it.
        depth: How deep in a structure it stands; deeper than 6 it is replaced whole.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return (
            REDACTED
            if name and value is not None and not isinstance(value, bool) and is_secret_name(name)
            else value
        )
    if name and is_secret_name(name):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if depth >= _MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, dict):
        return _redact_mapping(value, depth + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth=depth + 1) for item in value]
    return value


def _redact_mapping(mapping: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
    return {key: redact(value, key if isinstance(key, str) else "", depth) for key, value in mapping.items()}
