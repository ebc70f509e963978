"""A message for Slack: one line of text, and blocks beside a colour.

What comes from a message can neither mention anybody nor look like a link of ours: `&`, `<` and `>` are escaped, `@channel` and its like are
broken, and Slack is asked to convert nothing. Limits: Slack's reference of Block Kit (section text 3000, 10 fields of 2000 characters).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orders_obs.redact import redact_text
from orders_obs.relay import links
from orders_obs.relay.alert import Alert, cut

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["escape", "payload", "plain_payload", "took"]

_HEADLINE, _TEXT, _FIELD = 300, 2900, 1850
_FIELDS = 10
_LINKS = 8
_COLOURS = {"critical": "#c0392b", "warning": "#e67e22", "info": "#2980b9"}
_OTHER, _RECOVERED, _UNKNOWN = "#7f8c8d", "#27ae60", "#95a5a6"
_SIGNS = {
    "critical": "\N{LARGE RED CIRCLE}",
    "warning": "\N{LARGE ORANGE CIRCLE}",
    "info": "\N{LARGE BLUE CIRCLE}",
}
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_EVERYBODY = re.compile(r"(?i)@(?=channel|here|everyone|group)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def payload(alert: Alert, late: float = 0.0) -> dict[str, Any]:
    """What is posted to Slack.

    Args:
        alert: What to tell.
        late: Seconds that the message was under way, where that is too long; else 0.
    """
    blocks = [_section(text) for text in (_words(alert.text), _lateness(late)) if text]
    fields = [_mrkdwn(f"*{escape(name, 100)}*\n{escape(value, _FIELD)}") for name, value in _facts(alert)]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    addresses = _links(alert)
    if addresses:
        blocks.append(_section(addresses))
    blocks.append({"type": "context", "elements": [_mrkdwn(_origin(alert))]})
    headline = _headline(alert, late)
    return {
        "text": headline,
        "attachments": [{"color": _colour(alert), "fallback": headline, "blocks": blocks}],
        **_LITERAL,
    }


def plain_payload(alert: Alert, late: float = 0.0) -> dict[str, Any]:
    """The same in one text, for a receiver that takes no blocks."""
    facts = [f"{escape(name, 100)}: {escape(value, 300)}" for name, value in _facts(alert)]
    lines = [
        _headline(alert, late),
        _lateness(late),
        escape(alert.text, 1500),
        *facts,
        _links(alert),
        _origin(alert),
    ]
    return {"text": "\n".join(line for line in lines if line), **_LITERAL}


# Names and addresses are not turned into mentions and links.
_LITERAL: Mapping[str, Any] = {
    "link_names": False,
    "parse": "none",
    "unfurl_links": False,
    "unfurl_media": False,
}


def took(status: int, body: bytes) -> bool:
    """Whether an answer is Slack's that it took the message; a page of something in between is not."""
    text = body.strip()
    return 200 <= status < 300 and (text == b"ok" or text.replace(b" ", b"").startswith(b'{"ok":true'))


def escape(text: str, longest: int) -> str:
    """A text as it may stand in a message: secrets taken out, nothing in it that Slack acts on, and cut."""
    found = cut(_CONTROL.sub(" ", redact_text(text)), longest)
    found = _EVERYBODY.sub("@\N{WORD JOINER}", found).translate(_ESCAPED)
    # Escaping makes it longer: what is over is cut before an escape, not within.
    return found if len(found) <= longest else re.sub(r"&[a-z]*\Z", "", found[: longest - 1]) + "…"


def _headline(alert: Alert, late: float) -> str:
    word = {
        "firing": alert.severity.upper() or "ALARM",
        "recovered": "RECOVERED",
        "unknown": "NO DATA",
        "happened": alert.severity.upper() or "MESSAGE",
    }[alert.status]
    sign = {"recovered": "\N{LARGE GREEN CIRCLE}", "unknown": "\N{MEDIUM WHITE CIRCLE}"}.get(
        alert.status
    ) or _SIGNS.get(alert.severity, "\N{LARGE YELLOW CIRCLE}")
    beside = (
        f" ({escape(alert.severity, 40)})"
        if alert.status in ("recovered", "unknown") and alert.severity
        else ""
    )
    name = f" · {escape(alert.name, 255)}" if alert.name and alert.name != alert.title else ""
    return f"{sign} *{escape(word, 40)}*{beside}{' LATE' if late else ''}: {escape(alert.title, _HEADLINE)}{name}"


def _words(text: str) -> str:
    return escape(text, _TEXT)


def _lateness(late: float) -> str:
    if not late:
        return ""
    minutes = round(late / 60)
    lasted = f"{minutes} minutes" if minutes < 120 else f"{round(late / 3600)} hours"
    return f":hourglass: *Late*: sent {lasted} ago. It may be over already: look at the alarm."


def _facts(alert: Alert) -> list[tuple[str, str]]:
    return [(name, value) for name, value in alert.facts if value][:_FIELDS]


def _links(alert: Alert) -> str:
    found = []
    for name, address in alert.links[:_LINKS]:
        good = links.safe(redact_text(address)) if address else ""
        if good:
            found.append(f"<{good.translate(_ESCAPED)}|{escape(name, 80).replace('|', '/')}>")
    while len(" · ".join(found)) > _TEXT:
        found.pop()
    return " · ".join(found)


def _origin(alert: Alert) -> str:
    word = {"firing": "Since", "recovered": "Over since", "unknown": "Since", "happened": "At"}[alert.status]
    since = [f"{word} {_date(alert.since)}"] if alert.since else []
    places = [escape(text, 200) for text in (alert.source, alert.account, alert.region) if text]
    return " · ".join([*since, *places])


def _date(moment: datetime) -> str:
    plain = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time_secs}}|{plain}>"


def _colour(alert: Alert) -> str:
    if alert.status == "recovered":
        return _RECOVERED
    return _UNKNOWN if alert.status == "unknown" else _COLOURS.get(alert.severity, _OTHER)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
