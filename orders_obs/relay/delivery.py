"""Posting to a receiver: again where it did not take it for now, with a new address where it refused, and giving up in time.

Slack's answers: 429 with Retry-After, 5xx, and 4xx such as `no_service`, `invalid_token`, `channel_is_archived` (Slack's reference of incoming
webhooks). What went wrong is told by status or kind, never with the address or the answer's own text.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.errors import EnvironmentFault
from orders_obs.redact import redact_text
from orders_obs.relay import slack
from orders_obs.relay.http import Answer, Unreached, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.relay.addresses import Addresses
    from orders_obs.relay.alert import Alert
    from orders_obs.relay.envelope import Envelope
    from orders_obs.relay.settings import Source

__all__ = ["Deliverer", "Delivery"]

_TIMEOUT = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_LEAST = 0.1
"""Seconds that must be left for another try."""
_CODES = frozenset(
    {
        b"action_prohibited", b"channel_is_archived", b"channel_not_found", b"invalid_attachments", b"invalid_blocks",
        b"invalid_blocks_format", b"invalid_payload", b"invalid_token", b"missing_text_or_fallback_or_attachments", b"no_service",
        b"no_service_id", b"no_team", b"no_text", b"posting_to_general_channel_denied", b"rollup_error", b"team_disabled",
        b"too_many_attachments", b"user_not_found",
    }
)  # fmt: skip
"""Slack's own words, which are told as they are; no other text of an answer is."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message.

    Attributes:
        delivered: Whether the receiver took it.
        detail: What went wrong; empty where nothing did.
        attempts: How often it was posted.
    """

    delivered: bool
    detail: str = ""
    attempts: int = 1


class Deliverer:
    """Posts to receivers.

    Args:
        addresses: Their addresses.
        clock: Seconds that only go forward.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        addresses: Addresses,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._addresses = addresses
        self._clock = clock
        self._sleep = sleep

    def deliver(
        self, source: Source, alert: Alert, envelope: Envelope, late: float, seconds: float
    ) -> Delivery:
        """Post what there is to tell.

        Args:
            source: To whom.
            alert: What to tell.
            envelope: The message that it came by.
            late: Seconds that it was under way, where that is too long; else 0.
            seconds: After which it is given up.
        """
        until = self._clock() + seconds
        body = _body(source, alert, envelope, late)
        attempts, pause, renewed, plain = 0, _FIRST_PAUSE, False, source.kind != "slack"
        while True:
            try:
                address = self._addresses.get(source)
            except EnvironmentFault as fault:
                return Delivery(delivered=False, detail=fault.message, attempts=attempts)
            attempts += 1
            answer, detail = self._post(address, body, until)
            if answer is not None:
                if _took(source, answer):
                    return Delivery(delivered=True, attempts=attempts)
                if answer.status in (400, 413) and not plain:
                    # A form that Slack does not take must not keep a page from a person.
                    body, plain = _encoded(slack.plain_payload(alert, late)), True
                    continue
                if not _later(answer):
                    if not renewed and self._addresses.renew(source, address):
                        renewed = True
                        continue
                    return Delivery(delivered=False, detail=detail, attempts=attempts)
            wait = max(pause, _retry_after(answer))
            if self._clock() + wait + _LEAST > until:
                return Delivery(delivered=False, detail=detail, attempts=attempts)
            self._sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _post(self, address: str, body: bytes, until: float) -> tuple[Answer | None, str]:
        timeout = min(_TIMEOUT, max(_LEAST, until - self._clock()))
        try:
            answer = request(
                address,
                body=body,
                headers={"Content-Type": "application/json", "User-Agent": "orders-obs-relay"},
                timeout=timeout,
            )
        except Unreached as unreached:
            return None, f"no answer: {unreached}"
        code = answer.body.strip()
        said = f" {code.decode()}" if code in _CODES else ""
        return answer, f"HTTP {answer.status}{said}"


def _body(source: Source, alert: Alert, envelope: Envelope, late: float) -> bytes:
    if source.kind == "slack":
        return _encoded(slack.payload(alert, late))
    return _encoded(
        {
            "version": 1,
            "status": alert.status,
            "severity": alert.severity,
            "title": redact_text(alert.title),
            "name": redact_text(alert.name),
            "text": redact_text(alert.text),
            "since": alert.since.isoformat() if alert.since else None,
            "facts": [{"name": name, "value": redact_text(value)} for name, value in alert.facts if value],
            "links": [
                {"name": name, "url": redact_text(address)} for name, address in alert.links if address
            ],
            "source": alert.source,
            "account": alert.account,
            "region": alert.region,
            "topic": str(envelope.topic),
            "message_id": envelope.message_id,
            "published": envelope.written,
            "late_seconds": round(late) or None,
        }
    )


def _encoded(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _took(source: Source, answer: Answer) -> bool:
    return slack.took(answer.status, answer.body) if source.kind == "slack" else 200 <= answer.status < 300


def _later(answer: Answer) -> bool:
    """Whether another try may succeed. A good status that is not the receiver's own answer comes from something in between."""
    return answer.status == 429 or answer.status >= 500 or answer.status in (408, 425) or answer.status < 300


def _retry_after(answer: Answer | None) -> float:
    text = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0.0
