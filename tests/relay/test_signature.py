"""Whom a message is believed: signatures of versions 1 and 2, by SNS's own certificate of the topic's region, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orders_obs.errors import EnvironmentFault
from orders_obs.relay.envelope import Envelope, Refused, parse_body, parse_topic
from orders_obs.relay.http import Unreached
from orders_obs.relay.signature import Verifier, canonical, check_subscribe_url, sns_host
from tests.relay.sns import CERTIFICATE, NOW, SIGNER, TOPIC, Signer, confirmation, notification

EMULATOR = "http://127.0.0.1:4566"


def envelope(body: dict[str, Any]) -> Envelope:
    return parse_body(json.dumps(body).encode(), 262_144)


class Fetcher:
    """Answers with one content, and keeps what was asked for."""

    def __init__(self, content: bytes = SIGNER.pem) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        return self.content


def verifier(signer: Signer = SIGNER, **more: Any) -> Verifier:
    return Verifier(fetch=lambda _: signer.pem, clock=NOW.timestamp, **more)


def refusal(body: dict[str, Any], judge: Verifier | None = None) -> str:
    with pytest.raises(Refused) as caught:
        (judge or verifier()).verify(envelope(body))
    return caught.value.reason


BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "notification": lambda version: notification(version=version),
    "without subject": lambda version: notification(subject=None, version=version),
    "lines and signs": lambda version: notification('a\nb\r\nMessageId\nü\u2028\t"', version=version),
    "confirmation": lambda version: confirmation(version=version),
    "unsubscribe": lambda version: confirmation("UnsubscribeConfirmation", version=version),
}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("name", BODIES)
def test_what_sns_signed_is_believed(name: str, version: str) -> None:
    verifier().verify(envelope(SIGNER.sign(BODIES[name](version))))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("name", BODIES)
def test_no_signed_field_can_be_changed_taken_away_or_added(name: str, version: str) -> None:
    body = SIGNER.sign(BODIES[name](version))
    other = {
        "Message": "all is well",
        "MessageId": "00000000-0000-0000-0000-000000000000",
        "Timestamp": "2026-11-25T08:30:01.000Z",
        "TopicArn": TOPIC + "2",
        "Subject": "another",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=y",
        "Token": "another",
    }
    # A confirmation has no subject: one that is added is not read at all.
    signed = set(body) & set(other) | ({"Subject"} if body["Type"] == "Notification" else set())
    for field in signed:
        assert refusal(body | {field: other[field]}) == "signature", field
    if "Subject" in body:
        assert refusal({key: value for key, value in body.items() if key != "Subject"}) == "signature"
    kinds = {"Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"} - {body["Type"]}
    if body["Type"] != "Notification":
        for kind in kinds:
            assert refusal(body | {"Type": kind}) == "signature"
    assert refusal(body | {"SignatureVersion": {"1": "2", "2": "1"}[version]}) == "signature"


@pytest.mark.parametrize("value", ["", "AAAA", "no base64!", None])
def test_a_message_without_a_good_signature_is_refused(value: str | None) -> None:
    assert refusal(SIGNER.sign(notification()) | {"Signature": value}) == "signature"


def test_for_a_message_without_a_signature_no_certificate_is_fetched() -> None:
    judge = Verifier(fetch=lambda _: pytest.fail("it was fetched"), clock=NOW.timestamp)
    assert refusal(notification(), judge) == "signature"


@pytest.mark.parametrize("version", ["", "0", "3", "1 ", None])
def test_other_versions_of_signatures_are_refused(version: str | None) -> None:
    assert refusal(SIGNER.sign(notification()) | {"SignatureVersion": version}) == "signature"


def test_a_signature_by_another_key_is_refused() -> None:
    other = Signer(bits=3072)
    assert refusal(other.sign(notification())) == "signature"


PATH = "/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
ELSEWHERE = [
    f"https://sns.evil.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com.evil.com{PATH}",
    f"https://evil.com/sns.eu-west-1.amazonaws.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com@evil.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com:secret@evil.com{PATH}",
    f"https://user@sns.eu-west-1.amazonaws.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com:443{PATH}",
    f"https://sns.eu-west-1.amazonaws.com:8443{PATH}",
    f"http://sns.eu-west-1.amazonaws.com{PATH}",
    f"HTTPS://sns.eu-west-1.amazonaws.com{PATH}",
    f"https://SNS.eu-west-1.amazonaws.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com.{PATH}",
    f"https://sns.us-east-1.amazonaws.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com.cn{PATH}",
    f"https://s3.eu-west-1.amazonaws.com/bucket{PATH}",
    f"https://sns-eu-west-1.amazonaws.com{PATH}",
    f"https://\u0455ns.eu-west-1.amazonaws.com{PATH}",
    f"https://xn--ns-8cb.eu-west-1.amazonaws.com{PATH}",
    "https://sns.eu-west-1.amazonaws.com/evil.pem",
    f"https://sns.eu-west-1.amazonaws.com/..{PATH}",
    f"https://sns.eu-west-1.amazonaws.com/x/../{PATH}",
    f"https://sns.eu-west-1.amazonaws.com/%2e%2e{PATH}",
    f"https://sns.eu-west-1.amazonaws.com/{PATH}",
    f"https://sns.eu-west-1.amazonaws.com\\@evil.com{PATH}",
    f"https://sns.eu-west-1.amazonaws.com{PATH}?x=.pem",
    f"https://sns.eu-west-1.amazonaws.com{PATH}#x",
    f"https://sns.eu-west-1.amazonaws.com{PATH}.txt",
    f"https://sns.eu-west-1.amazonaws.com/?Action=GetCertificate{PATH}",
    f"file://{PATH}",
    PATH,
    f"{EMULATOR}{PATH}",
    f" {CERTIFICATE}",
    "",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_certificate_from_elsewhere_is_not_even_fetched(address: str) -> None:
    def fetch(_: str) -> bytes:
        raise AssertionError("it was fetched")

    judge = Verifier(fetch=fetch, clock=NOW.timestamp)
    assert refusal(SIGNER.sign(notification()) | {"SigningCertURL": address}, judge) == "certificate"


@given(st.text(alphabet="abcnsz019.-:/@#?%\\_~ws", max_size=60), st.integers(0, len(CERTIFICATE)))
@settings(max_examples=300, deadline=None)
def test_no_address_but_snss_own_is_fetched(inserted: str, at: int) -> None:
    address = CERTIFICATE[:at] + inserted + CERTIFICATE[at:]
    name = address.removeprefix(
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-"
    ).removesuffix(".pem")
    assume(not (name.isalnum() and len(name) <= 64))
    fetched = Fetcher()
    judge = Verifier(fetch=fetched, clock=NOW.timestamp)
    with pytest.raises(Refused):
        judge.verify(replace(envelope(SIGNER.sign(notification())), certificate=address))
    assert fetched.asked == []


@pytest.mark.parametrize(
    ("signer", "reason"),
    [
        (Signer(names=("sns.evil.com",)), "certificate"),
        (Signer(names=("sns.us-east-1.amazonaws.com",)), "certificate"),
        (Signer(begins=NOW + timedelta(minutes=1)), "certificate"),
        (Signer(ends=NOW - timedelta(minutes=1)), "certificate"),
        (Signer(bits=1024), "certificate"),
    ],
)
def test_a_certificate_that_is_not_snss_own_or_not_valid_is_refused(signer: Signer, reason: str) -> None:
    assert refusal(signer.sign(notification()), verifier(signer)) == reason


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    judge = Verifier(fetch=lambda _: content, clock=NOW.timestamp)
    assert refusal(SIGNER.sign(notification()), judge) == "certificate"


@pytest.mark.parametrize(
    ("topic", "host", "name"),
    [
        (TOPIC, "sns.eu-west-1.amazonaws.com", "sns.amazonaws.com"),
        (
            "arn:aws:sns:me-south-1:111122223333:orders",
            "sns.me-south-1.amazonaws.com",
            "sns-signing.me-south-1.amazonaws.com",
        ),
        (
            "arn:aws-cn:sns:cn-north-1:111122223333:orders",
            "sns.cn-north-1.amazonaws.com.cn",
            "sns-cn-north-1.amazonaws.com.cn",
        ),
        (
            "arn:aws-us-gov:sns:us-gov-east-1:111122223333:o",
            "sns.us-gov-east-1.amazonaws.com",
            "sns-us-gov-west-1.amazonaws.com",
        ),
    ],
)
def test_each_partition_has_its_host_and_its_names(topic: str, host: str, name: str) -> None:
    parsed = parse_topic(topic)
    assert parsed is not None
    assert sns_host(parsed) == host
    signer = Signer(names=(name,), common_name=False)
    body = signer.sign(notification(topic=topic) | {"SigningCertURL": f"https://{host}{PATH}"})
    verifier(signer).verify(envelope(body))


def test_a_certificate_is_fetched_once_and_again_after_an_hour() -> None:
    now, fetched = [NOW.timestamp()], Fetcher()
    judge = Verifier(fetch=fetched, clock=lambda: now[0])
    for _ in range(3):
        judge.verify(envelope(SIGNER.sign(notification())))
    assert fetched.asked == [CERTIFICATE]
    now[0] += 3601
    judge.verify(envelope(SIGNER.sign(notification())))
    assert fetched.asked == [CERTIFICATE, CERTIFICATE]


def test_a_certificate_that_expires_while_it_is_kept_is_refused() -> None:
    now = [NOW.timestamp()]
    signer = Signer(ends=NOW + timedelta(minutes=10))
    judge = Verifier(fetch=lambda _: signer.pem, clock=lambda: now[0])
    judge.verify(envelope(signer.sign(notification())))
    now[0] += 660
    assert refusal(signer.sign(notification()), judge) == "certificate"


def test_a_certificate_that_cannot_be_had_just_now_is_asked_for_again() -> None:
    answers: list[bytes] = []

    def fetch(_: str) -> bytes:
        if not answers:
            raise Unreached("TimeoutError")
        return answers.pop()

    judge = Verifier(fetch=fetch, clock=NOW.timestamp)
    assert refusal(SIGNER.sign(notification()), judge) == "busy"
    answers.append(SIGNER.pem)
    judge.verify(envelope(SIGNER.sign(notification())))


def test_whoever_names_ever_other_certificates_does_not_make_us_fetch_them_all() -> None:
    fetched = Fetcher(b"")
    judge = Verifier(fetch=fetched, clock=NOW.timestamp)
    reasons = [
        refusal(
            notification()
            | {"Signature": "AAAA", "SigningCertURL": CERTIFICATE.replace("9c", f"{number:02}")},
            judge,
        )
        for number in range(30)
    ]
    assert len(fetched.asked) == 10
    assert set(reasons[10:]) == {"busy"}


def test_forged_addresses_keep_no_genuine_message_out() -> None:
    now, fetched = [NOW.timestamp()], Fetcher()
    judge = Verifier(fetch=fetched, clock=lambda: now[0])
    judge.verify(envelope(SIGNER.sign(notification())))
    now[0] += 3601
    fetched.content = b""
    for number in range(30):
        forged = {"Signature": "AAAA", "SigningCertURL": CERTIFICATE.replace("9c", f"{number:02}")}
        assert refusal(notification() | forged, judge) in ("busy", "certificate")
    fetched.content = SIGNER.pem
    judge.verify(envelope(SIGNER.sign(notification())))


def test_a_certificate_that_cannot_be_fetched_anew_is_good_for_as_long_as_it_says() -> None:
    now, down = [NOW.timestamp()], [False]

    def fetch(_: str) -> bytes:
        if down[0]:
            raise Unreached("TimeoutError")
        return SIGNER.pem

    judge = Verifier(fetch=fetch, clock=lambda: now[0])
    judge.verify(envelope(SIGNER.sign(notification())))
    now[0], down[0] = now[0] + 3601, True
    judge.verify(envelope(SIGNER.sign(notification())))


def test_an_emulators_certificate_is_taken_where_it_is_asked_for_only() -> None:
    address = f"{EMULATOR}/_aws/sns{PATH}"
    signer = Signer(names=("emulator.test",))
    body = signer.sign(notification()) | {"SigningCertURL": address}
    verifier(signer, emulator=EMULATOR).verify(envelope(body))
    assert refusal(body, verifier(signer)) == "certificate"
    for other in (
        f"http://127.0.0.1:4566.evil.com{PATH}",
        f"http://127.0.0.1:4566@evil.com{PATH}",
        f"{EMULATOR}1{PATH}",
    ):
        assert refusal(body | {"SigningCertURL": other}, verifier(signer, emulator=EMULATOR)) == "certificate"


def test_the_address_that_confirms_must_be_snss_own_for_this_topic_and_token() -> None:
    good = confirmation()
    check_subscribe_url(envelope(good))
    address = good["SubscribeURL"]
    for other in (
        address.replace("https", "http"),
        address.replace(".com/", ".com.evil.com/"),
        address.replace(".com/", ".com:8443/"),
        address.replace("//sns", "//user@sns"),
        address.replace("eu-west-1", "us-east-1", 1),
        address.replace("ConfirmSubscription", "DeleteTopic"),
        address.replace("orders-critical", "orders-other"),
        address.replace("Token=2", "Token=3"),
        address.replace("/?", "/x?"),
        f"{address}&Action=DeleteTopic",
        address.replace("?", "?Action=DeleteTopic&"),
        f"{address}&Endpoint=x",
        f"{address}#x",
        "https://[",
        EMULATOR + address.partition(".com")[2],
    ):
        with pytest.raises(Refused):
            check_subscribe_url(envelope(good | {"SubscribeURL": other}))
    check_subscribe_url(envelope(good | {"SubscribeURL": EMULATOR + address.partition(".com")[2]}), EMULATOR)


@given(st.text(max_size=80), st.text(max_size=40), st.text(max_size=80), st.text(max_size=40))
def test_two_messages_that_are_read_differently_are_never_signed_alike(
    message: str, subject: str, other_message: str, other_subject: str
) -> None:
    bodies = [
        notification(text, subject=said, message_id="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324")
        for text, said in ((message, subject), (other_message, other_subject))
    ]
    try:
        first, second = (envelope(body) for body in bodies)
    except Refused:
        return
    assert (canonical(first) == canonical(second)) == (
        (first.message, first.subject) == (second.message, second.subject)
    )


def test_without_cryptography_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    with pytest.raises(EnvironmentFault, match=r"orders-obs\[relay\]"):
        Verifier()
