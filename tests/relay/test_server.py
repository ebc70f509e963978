"""The server: what it takes, what it refuses, and how it answers SNS."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from orders_obs.errors import EnvironmentFault
from orders_obs.relay import server as module
from orders_obs.relay.deadletters import DeadLetters
from orders_obs.relay.http import Unreached
from orders_obs.relay.log import Log
from orders_obs.relay.relay import Relay
from orders_obs.relay.replay import Seen
from orders_obs.relay.server import Server
from orders_obs.relay.settings import RelaySettings
from orders_obs.relay.signature import Verifier
from tests.relay.receivers import CANARY, Answered, Receiver, receiving
from tests.relay.sns import ALARM, NOW, SIGNER, TOPIC, WARNINGS, confirmation, notification


@dataclass
class Running:
    server: Server
    slack: Receiver
    out: io.StringIO
    letters: Path
    visited: list[str] = field(default_factory=list)
    visit: int = 200

    def post(self, body: dict[str, Any] | bytes) -> tuple[int, str]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = httpx.post(self.server.url, content=content, timeout=30)
        assert CANARY not in answer.text
        return answer.status_code, answer.json()["result"]

    def lines(self) -> list[dict[str, Any]]:
        assert CANARY not in self.out.getvalue()
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def kept(self) -> list[dict[str, Any]]:
        text = self.letters.read_text() if self.letters.exists() else ""
        assert CANARY not in text
        return [json.loads(line) for line in text.splitlines()]


@contextmanager
def serving(
    slack: Receiver, folder: Path, age: timedelta = timedelta(), **settings: str
) -> Iterator[Running]:
    environment = {
        "ORDERS_OBS_RELAY_TOPICS": TOPIC,
        "ORDERS_OBS_RELAY_SLACK_WEBHOOK": slack.url,
        "ORDERS_OBS_RELAY_PORT": "0",
    } | {f"ORDERS_OBS_RELAY_{name}": value for name, value in settings.items()}
    loaded = RelaySettings.load(environment)
    out, letters = io.StringIO(), folder / "letters.jsonl"

    def now() -> float:
        return (NOW + age).timestamp()

    from orders_obs.relay.addresses import Addresses

    relay = Relay(
        loaded,
        Log(out),
        addresses=Addresses(300, env=environment),
        seen=Seen(loaded.keep, clock=now),
        dead_letters=DeadLetters(str(letters)),
        now=now,
    )
    running: list[Running] = []

    def visit(address: str) -> int:
        running[0].visited.append(address)
        if not running[0].visit:
            raise Unreached("TimeoutError")
        return running[0].visit

    server = Server(relay, Verifier(fetch=lambda _: SIGNER.pem, clock=NOW.timestamp), visit)
    running.append(Running(server, slack, out, letters))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def running(slack: Receiver, tmp_path: Path) -> Iterator[Running]:
    with serving(slack, tmp_path) as found:
        yield found


def signed(message: Any = ALARM, **more: Any) -> dict[str, Any]:
    return SIGNER.sign(notification(message, **more))


def test_a_signed_message_of_a_listed_topic_is_told(running: Running) -> None:
    assert running.post(signed()) == (200, "delivered")
    assert running.slack.got[0]["text"].endswith(
        "*CRITICAL*: Error rate · orders-api-production-error_rate-critical"
    )
    assert [line["event"] for line in running.lines()] == ["delivered"]


def test_a_message_that_is_sent_again_is_answered_well_and_not_told_again(running: Running) -> None:
    body = signed()
    assert running.post(body) == (200, "delivered")
    # Not an error: SNS would keep it as not delivered.
    assert running.post(body) == (200, "replayed")
    # What is not signed may differ.
    assert running.post(body | {"UnsubscribeURL": "https://example.com"}) == (200, "replayed")
    assert len(running.slack.got) == 1


def test_a_message_that_was_not_delivered_is_told_when_it_comes_again_and_is_kept_once_meanwhile(
    running: Running,
) -> None:
    running.slack.answers += [Answered(404, b"no_service")] * 2
    body = signed(message_id="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324")
    assert [running.post(body) for _ in range(3)] == [(502, "failed"), (502, "failed"), (200, "delivered")]
    first, second = running.kept()
    assert (first["outcome"], first["detail"], json.loads(first["message"])) == (
        "failed",
        "HTTP 404 no_service",
        ALARM,
    )
    assert (second["outcome"], second["message_id"]) == ("delivered later", first["message_id"])
    assert running.letters.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"Message": "all is well"}, (403, "signature")),
        ({"Signature": "AAAA"}, (403, "signature")),
        (
            {"SigningCertURL": "https://sns.evil.com/SimpleNotificationService-9c6465fa7f48f5cacd.pem"},
            (403, "certificate"),
        ),
        ({"TopicArn": WARNINGS}, (403, "topic")),
        ({"MessageId": "1"}, (400, "malformed")),
        ({"Message": "x" * 262_145}, (413, "oversized")),
    ],
)
def test_what_is_forged_or_too_large_is_refused_and_not_told(
    running: Running, change: dict[str, str], answer: tuple[int, str]
) -> None:
    assert running.post(signed() | change) == answer
    assert running.slack.got == []
    assert running.lines()[-1]["reason"] == answer[1]


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"x" * 600_000, b"x" * 3_000_000])
def test_what_is_no_message_is_refused(running: Running, body: bytes) -> None:
    assert running.post(body) in ((400, "malformed"), (413, "oversized"))


def test_a_genuine_message_that_is_late_is_told_and_says_so(slack: Receiver, tmp_path: Path) -> None:
    with serving(slack, tmp_path, timedelta(hours=3)) as running:
        assert running.post(signed()) == (200, "delivered")
    assert "*CRITICAL* LATE: Error rate" in slack.got[0]["text"]
    assert "sent 3 hours ago" in json.dumps(slack.got[0])


def test_a_message_that_is_older_than_the_ids_that_are_known_is_refused(
    slack: Receiver, tmp_path: Path
) -> None:
    with serving(slack, tmp_path, timedelta(days=1, seconds=1)) as running:
        assert running.post(signed()) == (403, "stale")
    assert slack.got == []


def test_a_message_from_a_clock_ahead_of_ours_is_told(slack: Receiver, tmp_path: Path) -> None:
    with serving(slack, tmp_path, timedelta(minutes=-50)) as running:
        body = signed()
        assert [running.post(body) for _ in range(2)] == [(200, "delivered"), (200, "replayed")]


def test_a_message_that_is_being_delivered_is_not_delivered_twice(running: Running) -> None:
    go = threading.Event()
    running.slack.answers += [Answered(hold=go.wait)]
    body, answers = signed(), []
    first = threading.Thread(target=lambda: answers.append(running.post(body)))
    first.start()
    assert running.slack.arrived.acquire(timeout=10)
    # SNS comes again later, and learns then what became of it.
    assert running.post(body) == (503, "busy")
    go.set()
    first.join()
    assert answers == [(200, "delivered")]
    assert len(running.slack.got) == 1


def test_a_subscription_to_a_listed_topic_is_confirmed(running: Running) -> None:
    body = SIGNER.sign(confirmation())
    assert running.post(body) == (200, "confirmed")
    assert running.visited == [body["SubscribeURL"]]
    assert running.slack.got == []


@pytest.mark.parametrize("visit", [0, 302, 400, 500])
def test_a_subscription_that_could_not_be_confirmed_is_tried_again(running: Running, visit: int) -> None:
    running.visit = visit
    assert running.post(SIGNER.sign(confirmation())) == (503, "unconfirmed")


def test_no_other_subscription_is_confirmed(running: Running) -> None:
    other = SIGNER.sign(confirmation(topic=WARNINGS))
    assert running.post(other) == (403, "topic")
    assert running.post(confirmation()) == (403, "signature")
    elsewhere = SIGNER.sign(confirmation() | {"SubscribeURL": "https://evil.com/?Action=ConfirmSubscription"})
    assert running.post(elsewhere) == (400, "address")
    assert running.visited == []


def test_that_it_is_unsubscribed_is_told_and_it_does_not_subscribe_itself_again(running: Running) -> None:
    assert running.post(SIGNER.sign(confirmation("UnsubscribeConfirmation"))) == (200, "delivered")
    assert "The relay is unsubscribed from orders-critical-production" in running.slack.got[0]["text"]
    assert running.visited == []
    assert "error" in [line["level"] for line in running.lines()]


def test_health_is_answered_and_nothing_else(running: Running) -> None:
    assert httpx.get(f"{running.server.url}/health").json() == {"result": "ok"}
    assert httpx.get(f"{running.server.url}/").status_code == 404
    assert httpx.put(f"{running.server.url}/").status_code == 501
    answer = httpx.get(f"{running.server.url}/{CANARY}")
    assert CANARY not in answer.text + running.out.getvalue()
    assert "Python" not in answer.headers["server"]


def raw(running: Running, request: bytes, *, half: bool = True) -> bytes:
    host, port = running.server.server_address[:2]
    with socket.create_connection((str(host), port), timeout=10) as connection:
        connection.sendall(request)
        if half:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{}", b"400"),
        # Of a request without a version the answer has no head.
        (b"nonsense\r\n\r\n", b"malformed"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
    ],
)
def test_a_request_that_is_none_is_answered_by_its_kind(
    running: Running, request_: bytes, status: bytes
) -> None:
    assert status in raw(running, request_).partition(b"\r\n")[0]


def test_a_request_that_comes_too_slowly_is_let_go(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_WITHIN", 0.05)
    assert raw(running, b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", half=False) == b""
    assert running.post(signed()) == (200, "delivered")


def test_connections_are_bounded_and_sns_is_told_to_come_again(
    slack: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CONNECTIONS", 1)
    go = threading.Event()
    slack.answers += [Answered(hold=go.wait)]
    with serving(slack, tmp_path) as running:
        first = threading.Thread(target=running.post, args=(signed(),))
        first.start()
        assert slack.arrived.acquire(timeout=10)
        assert b"429" in raw(running, b"", half=False)
        go.set()
        first.join()


def test_it_stops_when_what_is_under_way_is_delivered(slack: Receiver, tmp_path: Path) -> None:
    go, closing_began = threading.Event(), threading.Event()
    answers: list[object] = []
    slack.answers += [Answered(hold=go.wait)]

    def close(server: Server) -> None:
        closing_began.set()
        server.server_close()
        answers.append("closed")

    with serving(slack, tmp_path) as running:
        posting = threading.Thread(target=lambda: answers.append(running.post(signed())))
        posting.start()
        assert slack.arrived.acquire(timeout=10)
        running.server.shutdown()
        closing = threading.Thread(target=close, args=(running.server,))
        closing.start()
        assert closing_began.wait(10)
        closing.join(0.1)
        assert answers == []
        go.set()
        closing.join()
        posting.join()
    assert set(answers) == {"closed", (200, "delivered")}


def test_a_fault_of_ours_is_answered_so_that_sns_tries_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: Any) -> None:
        raise ZeroDivisionError(CANARY)

    monkeypatch.setattr(running.server.relay, "notify", fault)
    assert running.post(signed()) == (500, "failed")
    assert running.lines()[-1]["note"] == "a message failed: ZeroDivisionError"


def test_it_listens_on_ipv6_too(slack: Receiver, tmp_path: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        with serving(slack, tmp_path, BIND="::1") as running:
            assert running.server.url.startswith("http://[::1]:")
            assert running.post(signed()) == (200, "delivered")
    except EnvironmentFault:
        pytest.skip("this machine's loopback has no IPv6")


def test_a_port_that_is_taken_is_said(running: Running, slack: Receiver, tmp_path: Path) -> None:
    port = str(running.server.server_address[1])
    with pytest.raises(EnvironmentFault, match=f"port {port}"), serving(slack, tmp_path, PORT=port):
        pass


def test_dead_letters_go_to_a_queue_where_one_is_named() -> None:
    from orders_obs.relay.envelope import parse_body

    sent: list[tuple[str, str]] = []
    letters = DeadLetters(
        "https://sqs.eu-west-1.amazonaws.com/111122223333/letters", lambda *pair: sent.append(pair)
    )
    envelope = parse_body(json.dumps(notification("password=hunter2x")).encode(), 262_144)
    letters.failed(envelope, "slack (env:HOOK)", "HTTP 503")
    letters.failed(envelope, "slack (env:HOOK)", "HTTP 503")
    letters.delivered(envelope, "slack (env:HOOK)")
    assert [queue for queue, _ in sent] == ["https://sqs.eu-west-1.amazonaws.com/111122223333/letters"] * 2
    assert [json.loads(text)["outcome"] for _, text in sent] == ["failed", "delivered later"]
    assert "hunter2x" not in sent[0][1]


def test_dead_letters_that_cannot_be_kept_are_said(running: Running) -> None:
    running.letters.mkdir()
    running.slack.answers += [Answered(404, b"no_service")]
    assert running.post(signed()) == (502, "failed")
    assert "cannot be kept" in running.lines()[-1]["note"]
