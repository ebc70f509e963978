"""Posting to a receiver that fails in every way a receiver does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from orders_obs.relay.addresses import Addresses
from orders_obs.relay.alert import Alert
from orders_obs.relay.delivery import Deliverer, Delivery
from orders_obs.relay.envelope import parse_body
from orders_obs.relay.settings import Source
from tests.relay.receivers import CANARY, Answered, Receiver, receiving
from tests.relay.sns import notification

ALERT = Alert(
    "firing", "critical", "Error rate", links=(("Runbook", "https://wiki.example.com/x"), ("Logs", ""))
)
ENVELOPE = parse_body(
    json.dumps(notification(message_id="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324")).encode(), 262_144
)
SLACK, WEBHOOK = Source("slack", "env", "HOOK"), Source("webhook", "env", "HOOK")


class Clock:
    """Time that passes only where it is slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def deliver(
    receiver: Receiver, clock: Clock | None = None, source: Source = SLACK, seconds: float = 20
) -> Delivery:
    clock = clock or Clock()
    deliverer = Deliverer(Addresses(300, env={"HOOK": receiver.url}), clock, clock.sleep)
    return deliverer.deliver(source, ALERT, ENVELOPE, 0.0, seconds)


def test_a_message_is_posted_once_as_json(receiver: Receiver) -> None:
    assert deliver(receiver) == Delivery(delivered=True)
    assert [body["text"] for body in receiver.got] == ["🔴 *CRITICAL*: Error rate"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408])
def test_what_fails_for_now_is_posted_again_ever_later(receiver: Receiver, status: int) -> None:
    receiver.answers += [Answered(status, b"rollup_error")] * 3
    clock = Clock()
    assert deliver(receiver, clock) == Delivery(delivered=True, attempts=4)
    assert clock.slept == [0.5, 1.0, 2.0]


def test_slack_says_how_long_to_wait(receiver: Receiver) -> None:
    receiver.answers += [Answered(429, b"", {"Retry-After": "7"})]
    clock = Clock()
    assert deliver(receiver, clock).delivered
    assert clock.slept == [7.0]


@pytest.mark.parametrize("value", ["", "-1", "soon", "1e9", "99999999999", "٣"])
def test_a_wait_that_is_none_is_passed_over(receiver: Receiver, value: str) -> None:
    receiver.answers += [Answered(429, b"", {"Retry-After": value.encode("utf-8").decode("latin-1")})]
    clock = Clock()
    assert deliver(receiver, clock).delivered
    assert clock.slept == [0.5]


def test_it_gives_up_before_the_time_is_over(receiver: Receiver) -> None:
    receiver.answers += [Answered(503)] * 50
    clock = Clock()
    delivery = deliver(receiver, clock, seconds=10)
    assert (delivery.delivered, delivery.detail) == (False, "HTTP 503")
    assert clock.now < 10
    receiver.answers[:] = [Answered(429, b"", {"Retry-After": "30"})]
    assert deliver(receiver, seconds=10).attempts == 1


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (404, b"no_service", "HTTP 404 no_service"),
        (403, b"invalid_token", "HTTP 403 invalid_token"),
        (410, b"channel_is_archived", "HTTP 410 channel_is_archived"),
        (403, f"you sent /services/{CANARY}".encode(), "HTTP 403"),
        (302, b"", "HTTP 302"),
    ],
)
def test_what_is_refused_for_good_is_posted_once_and_told_by_slacks_own_word(
    receiver: Receiver, status: int, body: bytes, detail: str
) -> None:
    receiver.answers += [Answered(status, body)]
    assert deliver(receiver) == Delivery(delivered=False, detail=detail)


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    with receiving("/elsewhere") as other:
        receiver.answers += [Answered(status, b"", {"Location": other.url}) for status in (307, 301)]
        assert not deliver(receiver).delivered
        assert not deliver(receiver).delivered
        assert other.got == []


def test_a_new_address_is_read_once_when_the_old_one_is_refused(receiver: Receiver) -> None:
    with receiving("/old") as old:
        old.answers += [Answered(404, b"no_service")] * 9
        reads = iter([old.url, receiver.url])
        deliverer = Deliverer(Addresses(300, read=lambda _: next(reads)))
        source = Source("slack", "secret", "orders/slack")
        assert deliverer.deliver(source, ALERT, ENVELOPE, 0.0, 10) == Delivery(delivered=True, attempts=2)
        assert (len(old.got), len(receiver.got)) == (1, 1)


def test_blocks_that_slack_does_not_take_are_posted_as_a_text(receiver: Receiver) -> None:
    receiver.answers += [Answered(400, b"invalid_blocks")]
    assert deliver(receiver) == Delivery(delivered=True, attempts=2)
    assert "attachments" in receiver.got[0]
    assert "attachments" not in receiver.got[1]
    assert receiver.got[1]["text"].startswith("🔴 *CRITICAL*: Error rate")


def test_a_page_of_something_in_between_does_not_count_as_delivered(receiver: Receiver) -> None:
    receiver.answers += [Answered(200, b"<html>log in</html>")]
    assert deliver(receiver) == Delivery(delivered=True, attempts=2)
    receiver.answers += [Answered(200, b"<html>log in</html>")] * 50
    assert deliver(receiver).detail == "HTTP 200"


@pytest.mark.parametrize("kind", ["closed", "slow", "gone"])
def test_a_receiver_that_does_not_answer_is_told_by_the_kind_of_failure(
    receiver: Receiver, kind: str
) -> None:
    done = threading.Event()
    if kind == "gone":
        with receiving() as gone:
            pass
        delivery = deliver(gone, seconds=1)
    else:
        receiver.answers += [
            Answered(0 if kind == "closed" else 200, hold=done.wait if kind == "slow" else None)
        ] * 9
        delivery = deliver(receiver, seconds=0.3)
        done.set()
    assert not delivery.delivered
    assert delivery.detail.startswith("no answer: ")
    assert CANARY not in delivery.detail


def test_a_webhook_gets_json_of_its_own(receiver: Receiver) -> None:
    receiver.answers += [Answered(204, b"")]
    assert deliver(receiver, source=WEBHOOK).delivered
    assert receiver.got == [
        {
            "version": 1,
            "status": "firing",
            "severity": "critical",
            "title": "Error rate",
            "name": "",
            "text": "",
            "since": None,
            "facts": [],
            "links": [{"name": "Runbook", "url": "https://wiki.example.com/x"}],
            "source": "",
            "account": "",
            "region": "",
            "topic": "arn:aws:sns:eu-west-1:111122223333:orders-critical-production",
            "message_id": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "published": "2026-11-25T08:30:00.000Z",
            "late_seconds": None,
        }
    ]


def test_without_an_address_nothing_is_posted_and_it_is_said(receiver: Receiver) -> None:
    delivery = Deliverer(Addresses(300, env={})).deliver(SLACK, ALERT, ENVELOPE, 0.0, 10)
    assert delivery == Delivery(
        delivered=False, detail="the address of slack (env:HOOK) is empty", attempts=0
    )
