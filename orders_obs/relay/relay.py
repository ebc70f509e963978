"""The way of a message from SNS to its receivers, the same in the Lambda function and in the server."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from orders_obs.relay import messages
from orders_obs.relay.addresses import Addresses
from orders_obs.relay.delivery import Deliverer
from orders_obs.relay.envelope import Refused
from orders_obs.relay.replay import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.relay.alert import Alert
    from orders_obs.relay.deadletters import DeadLetters
    from orders_obs.relay.envelope import Envelope
    from orders_obs.relay.log import Log
    from orders_obs.relay.settings import RelaySettings, Source

__all__ = ["Outcome", "Relay", "Result"]

Outcome = Literal["delivered", "dropped", "failed", "busy"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message.

    Attributes:
        outcome: `failed` where a receiver did not take it, `busy` where it is being delivered already.
        reason: Why it was dropped or failed.
    """

    outcome: Outcome
    reason: str = ""


class Relay:
    """Tells what comes by topics.

    Args:
        settings: Whom it listens to and whom it tells.
        log: Where it says what it did.
        addresses: Of receivers; those of the settings unless said.
        seen: What was delivered already.
        dead_letters: Keeps what could not be delivered; None where that is somebody else's work.
        now: Seconds since 1970.
        deliverer: Posts.
    """

    def __init__(
        self,
        settings: RelaySettings,
        log: Log,
        *,
        addresses: Addresses | None = None,
        seen: Seen | None = None,
        dead_letters: DeadLetters | None = None,
        now: Callable[[], float] = time.time,
        deliverer: Deliverer | None = None,
    ) -> None:
        self.settings = settings
        self.log = log
        self.seen = seen or Seen(settings.keep, settings.seen_file)
        self._deliverer = deliverer or Deliverer(addresses or Addresses(settings.secret_ttl))
        self._dead_letters = dead_letters
        self._now = now

    def check_topic(self, envelope: Envelope) -> None:
        """Check that a message comes by a topic that is listed.

        Raises:
            Refused: It does not.
        """
        if envelope.topic not in self.settings.topics:
            raise Refused("topic", "the topic is not one that this relay listens to")

    def notify(self, envelope: Envelope, seconds: float) -> Result:
        """Tell what a message says to all who are told of it.

        Args:
            envelope: A message that is known to be SNS's.
            seconds: After which delivery is given up.
        """
        alert = messages.read(envelope, self.settings)
        if alert is None:
            self.log.write("dropped", envelope, reason="ok after no data")
            return Result("dropped", "ok after no data")
        return self._tell(envelope, alert, seconds)

    def unsubscribed(self, envelope: Envelope, seconds: float) -> Result:
        """Tell that the relay is subscribed to a topic no more."""
        severity = messages.severity_of(envelope, {}, self.settings)
        return self._tell(envelope, messages.unsubscribed(envelope, severity), seconds)

    def _tell(self, envelope: Envelope, alert: Alert, seconds: float) -> Result:
        until = time.monotonic() + seconds
        age = self._now() - envelope.timestamp.timestamp()
        late = age if age > self.settings.late_after else 0.0
        sources = self.settings.told(envelope.topic, alert.severity)
        results = []
        for index, source in enumerate(sources):
            # Its share of what time is left: one that does not answer leaves the others theirs.
            share = (until - time.monotonic()) / (len(sources) - index)
            results.append(self._one(source, envelope, alert, late, share))
        order: tuple[Outcome, ...] = ("failed", "busy", "delivered", "dropped")
        return min(
            results,
            key=lambda result: order.index(result.outcome),
            default=Result("failed", "nobody is told"),
        )

    def _one(self, source: Source, envelope: Envelope, alert: Alert, late: float, seconds: float) -> Result:
        identity = f"{envelope.topic} {envelope.message_id} {source}"
        state = self.seen.begin(identity)
        if state == "seen":
            self.log.write("dropped", envelope, reason="replayed", receiver=str(source))
            return Result("dropped", "replayed")
        if state == "busy":
            return Result("busy", "it is being delivered just now")
        delivered = False
        try:
            delivery = self._deliverer.deliver(source, alert, envelope, late, seconds)
            delivered = delivery.delivered
        finally:
            self._ended(identity, envelope, delivered=delivered)
        word = "delivered" if delivered else "failed"
        self.log.write(
            word,
            envelope,
            receiver=str(source),
            status=alert.status,
            severity=alert.severity,
            attempts=delivery.attempts,
            late_seconds=round(late) or None,
            reason=delivery.detail or None,
        )
        self._bury(envelope, source, delivery.detail, delivered=delivered)
        return Result("delivered") if delivered else Result("failed", delivery.detail)

    def _ended(self, identity: str, envelope: Envelope, *, delivered: bool) -> None:
        try:
            self.seen.end(
                identity,
                max(envelope.timestamp, datetime.fromtimestamp(self._now(), UTC)),
                delivered=delivered,
            )
        except OSError as error:
            self.log.say("error", f"ids of messages cannot be kept: {type(error).__name__}")

    def _bury(self, envelope: Envelope, source: Source, detail: str, *, delivered: bool) -> None:
        if self._dead_letters is None:
            return
        try:
            if delivered:
                self._dead_letters.delivered(envelope, str(source))
            else:
                self._dead_letters.failed(envelope, str(source), detail)
        except Exception as error:
            self.log.say("error", f"a message that was not delivered cannot be kept: {type(error).__name__}")
