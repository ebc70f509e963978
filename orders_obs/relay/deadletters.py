"""What the server could not deliver, kept where a person finds it: a file of JSON lines, or an SQS queue.

The Lambda function has a queue that Lambda itself fills. Each message stands here once, however often SNS tries; where it is delivered
after all a second entry says so.
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.relay.envelope import Envelope

__all__ = ["DeadLetters"]

_REMEMBERED = 10_000


class DeadLetters:
    """Keeps what could not be delivered.

    Args:
        target: A path, or the URL of a queue; empty where nothing is kept.
        send: Sends a text to a queue; by the SDK unless said.
    """

    def __init__(self, target: str, send: Callable[[str, str], None] | None = None) -> None:
        self._target = target
        self._send = send or _send
        self._kept: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, envelope: Envelope, receiver: str, detail: str) -> None:
        """Keep a message that a receiver did not take.

        Raises:
            Exception: It could not be kept; the caller says so.
        """
        identity = f"{envelope.message_id} {receiver}"
        with self._lock:
            if not self._target or identity in self._kept:
                return
            message = redact_text(envelope.message)
            self._write(
                "failed", envelope, receiver, detail=detail, subject=envelope.subject, message=message
            )
            self._kept[identity] = None
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)

    def delivered(self, envelope: Envelope, receiver: str) -> None:
        """Say that a message that is kept was delivered after all."""
        identity = f"{envelope.message_id} {receiver}"
        with self._lock:
            if identity in self._kept:
                del self._kept[identity]
                self._write("delivered later", envelope, receiver)

    def _write(self, outcome: str, envelope: Envelope, receiver: str, **more: Any) -> None:
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "outcome": outcome,
            "message_id": envelope.message_id,
            "topic": str(envelope.topic),
            "published": envelope.written,
            "receiver": receiver,
            **more,
        }
        text = json.dumps(entry)
        if self._target.startswith(("https://", "http://")):
            self._send(self._target, text)
            return
        descriptor = os.open(self._target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text + "\n")


def _send(queue: str, text: str) -> None:
    from boto3.session import Session
    from botocore.config import Config

    # https://sqs.REGION.amazonaws.com/ACCOUNT/NAME; an emulator's address does not say the region.
    parts = (urlsplit(queue).hostname or "").split(".")
    region = parts[1] if parts[0] == "sqs" and len(parts) > 3 else None
    config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})
    Session().client("sqs", region_name=region, config=config).send_message(QueueUrl=queue, MessageBody=text)
