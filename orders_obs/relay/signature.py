"""Whether SNS signed a message: versions 1 (SHA-1) and 2 (SHA-256), by a certificate from SNS's own host of the topic's region.

The certificate is trusted because it comes over TLS, whose certificate is verified, from a host that only SNS has; beside that its
dates, its key and its names are looked at. Which names SNS's certificates have: AWS SDK for Java 2, `SnsHostProvider`.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from orders_obs.errors import EnvironmentFault
from orders_obs.relay.envelope import Refused
from orders_obs.relay.http import Unreached, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.relay.envelope import Envelope, TopicArn

__all__ = ["Verifier", "canonical", "check_subscribe_url", "sns_host"]

_PATH = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem")
_EMULATED_PATH = re.compile(r"(?:/[0-9A-Za-z_.-]+)*/SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
_CERTIFICATE_SIZE = 32_768
_KEY_BITS = 2048
_KEPT = 16
_KEPT_FOR = 3600.0
"""Seconds a certificate is used before it is fetched anew."""
_FETCHES, _FETCH_WINDOW = 10, 60.0
"""Certificates that are fetched in so many seconds: SNS has one a region, whoever sends others is not SNS."""


def sns_host(topic: TopicArn) -> str:
    """The host of SNS that a topic's messages name."""
    return f"sns.{topic.region}.amazonaws.com{'.cn' if topic.partition == 'aws-cn' else ''}"


def canonical(envelope: Envelope) -> bytes:
    """What SNS signs: each field that the kind of message has as name, line break, value, line break."""
    values = {
        "Message": envelope.message,
        "MessageId": envelope.message_id,
        "Subject": envelope.subject,
        "SubscribeURL": envelope.subscribe,
        "Timestamp": envelope.written,
        "Token": envelope.token,
        "TopicArn": str(envelope.topic),
        "Type": envelope.kind,
    }
    fields = ((name, values[name]) for name in _SIGNED[envelope.kind])
    return "".join(f"{name}\n{value}\n" for name, value in fields if value is not None).encode()


def check_subscribe_url(envelope: Envelope, emulator: str = "") -> None:
    """Check that the address that confirms a subscription leads to SNS, and confirms this topic with this token.

    Args:
        envelope: A confirmation.
        emulator: The base address of an emulator; empty where messages come from AWS.

    Raises:
        Refused: It does not.
    """
    try:
        parts = urlsplit(envelope.subscribe)
        asked = sorted(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise Refused("address", "SubscribeURL is no address of SNS") from None
    wanted = {"Action": "ConfirmSubscription", "TopicArn": str(envelope.topic), "Token": envelope.token}
    # Each once: which of two a server takes is its own affair.
    if parts.path not in ("", "/") or parts.fragment or asked != sorted(wanted.items()):
        raise Refused("address", "SubscribeURL does not confirm this topic with this token")
    if f"{parts.scheme}://{parts.netloc}" not in (f"https://{sns_host(envelope.topic)}", emulator or None):
        raise Refused("address", "SubscribeURL is not on SNS's host of the topic's region")


@dataclass(frozen=True, slots=True)
class _Kept:
    certificate: Any
    until: float


class Verifier:
    """Checks signatures, and keeps the certificates that it has fetched.

    Args:
        emulator: The base address of an emulator whose certificates are taken too; empty where messages come from AWS.
        fetch: Fetches an address: bytes. Over HTTPS with verified certificates unless said.
        clock: Seconds since 1970.

    Raises:
        EnvironmentFault: The package `cryptography` is not installed.
    """

    def __init__(
        self,
        emulator: str = "",
        fetch: Callable[[str], bytes] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            import cryptography.x509  # noqa: F401
        except ImportError:
            raise EnvironmentFault(
                "cryptography is not installed", hint="pip install 'orders-obs[relay]'"
            ) from None
        self._emulator = emulator.rstrip("/")
        self._fetch = fetch or _fetch
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._fetched: list[float] = []
        self._lock = threading.Lock()

    def verify(self, envelope: Envelope) -> None:
        """Check that SNS signed a message.

        Raises:
            Refused: It did not; or its certificate cannot be had just now (reason `busy`).
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        # SNS signs its version 1 with SHA-1; topics have it unless they ask for 2.
        algorithms: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303
        algorithm = algorithms.get(envelope.version)
        if algorithm is None:
            raise Refused("signature", "SignatureVersion is neither 1 nor 2")
        try:
            signature = base64.b64decode(envelope.signature, validate=True)
        except ValueError:
            signature = b""
        if not signature:
            raise Refused("signature", "Signature is missing, or no base64")
        self._check_address(envelope)
        certificate = self._certificate(envelope)
        self._check_dates(certificate)
        try:
            certificate.public_key().verify(signature, canonical(envelope), padding.PKCS1v15(), algorithm)
        except InvalidSignature:
            raise Refused("signature", "the signature is not SNS's, or of another message") from None

    def _check_address(self, envelope: Envelope) -> None:
        # Compared as text, not as parsed: what parsers disagree on is not the one form that SNS uses.
        address = envelope.certificate
        base = f"https://{sns_host(envelope.topic)}"
        if address.startswith(base) and _PATH.fullmatch(address.removeprefix(base)):
            return
        if self._emulated(address):
            return
        raise Refused(
            "certificate", "SigningCertURL is not a certificate on SNS's host of the topic's region"
        )

    def _emulated(self, address: str) -> bool:
        base = self._emulator
        return (
            bool(base)
            and address.startswith(base)
            and bool(_EMULATED_PATH.fullmatch(address.removeprefix(base)))
        )

    def _certificate(self, envelope: Envelope) -> Any:
        address = envelope.certificate
        now = self._clock()
        with self._lock:
            kept = self._kept.get(address)
            if kept is not None and now < kept.until:
                self._kept.move_to_end(address)
                return kept.certificate
            # Who forges addresses must not keep out what comes with one that was SNS's before.
            if kept is None:
                self._fetched = [moment for moment in self._fetched if now - moment < _FETCH_WINDOW]
                if len(self._fetched) >= _FETCHES:
                    raise Refused("busy", "too many certificates were asked for in the last minute")
                self._fetched.append(now)
        try:
            content = self._fetch(address)
        except Unreached:
            if kept is not None:
                return kept.certificate
            raise Refused("busy", "the certificate cannot be fetched just now") from None
        certificate = _loaded(content)
        if not self._emulated(address):
            _check_names(certificate, envelope.topic)
        with self._lock:
            self._kept[address] = _Kept(certificate, now + _KEPT_FOR)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return certificate

    def _check_dates(self, certificate: Any) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise Refused("certificate", "the certificate is not valid now; look at this machine's clock")


def _fetch(address: str) -> bytes:
    answer = request(address, timeout=3, largest=_CERTIFICATE_SIZE)
    if answer.status != 200:
        raise Unreached(f"HTTP {answer.status}")
    return answer.body


def _loaded(content: bytes) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        certificate = x509.load_pem_x509_certificate(content)
        key = certificate.public_key()
    except Exception:
        raise Refused("certificate", "what SigningCertURL leads to is no certificate") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _KEY_BITS:
        raise Refused("certificate", f"the certificate's key is not RSA with at least {_KEY_BITS} bits")
    return certificate


def _check_names(certificate: Any, topic: TopicArn) -> None:
    from cryptography import x509

    names = {str(item.value) for item in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names |= set(extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        pass
    if not names & _names(topic):
        raise Refused("certificate", "the certificate is not one of SNS in the topic's region")


def _names(topic: TopicArn) -> set[str]:
    """The names that SNS's certificates have in a region."""
    if topic.partition == "aws-cn":
        return {f"sns-{topic.region}.amazonaws.com.cn", sns_host(topic)}
    if topic.partition == "aws-us-gov":
        return {"sns-us-gov-west-1.amazonaws.com", sns_host(topic)}
    return {"sns.amazonaws.com", f"sns-signing.{topic.region}.amazonaws.com", sns_host(topic)}
