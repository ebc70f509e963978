"""Messages as SNS makes them, signed by a certificate of the tests' own."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TOPIC = "arn:aws:sns:eu-west-1:111122223333:orders-critical-production"
WARNINGS = "arn:aws:sns:eu-west-1:111122223333:orders-alerts-production"
CERTIFICATE = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"
)
NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)


@cache
def _key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(frozen=True)
class Signer:
    """A certificate and its key."""

    names: tuple[str, ...] = ("sns.amazonaws.com",)
    begins: datetime = NOW - timedelta(days=30)
    ends: datetime = NOW + timedelta(days=30)
    bits: int = 2048
    common_name: bool = True

    @property
    def pem(self) -> bytes:
        name = x509.Name(
            [
                x509.NameAttribute(
                    x509.NameOID.COMMON_NAME, self.names[0] if self.common_name else "a certificate"
                )
            ]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(_key(self.bits).public_key())
            .serial_number(7)
            .not_valid_before(self.begins)
            .not_valid_after(self.ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in self.names]), critical=False)
        )
        return builder.sign(_key(self.bits), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def sign(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body with its signature, by the recipe of AWS's developer guide, written down here a second time."""
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{body[name]}\n" for name in names if name in body)
        algorithm = hashes.SHA256() if body["SignatureVersion"] == "2" else hashes.SHA1()
        signature = _key(self.bits).sign(text.encode(), padding.PKCS1v15(), algorithm)
        return body | {"Signature": base64.b64encode(signature).decode()}


SIGNER = Signer()


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def notification(
    message: Any = "all is not well",
    *,
    subject: str | None = "a subject",
    topic: str = TOPIC,
    version: str = "1",
    at: datetime = NOW,
    message_id: str = "",
) -> dict[str, Any]:
    """A notification that is not signed yet."""
    body = {
        "Type": "Notification",
        "MessageId": message_id or str(uuid.uuid4()),
        "TopicArn": topic,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": written(at),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": f"https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={topic}:2bcfbf39",
    }
    return body if subject is None else body | {"Subject": subject}


def confirmation(
    kind: str = "SubscriptionConfirmation", *, topic: str = TOPIC, version: str = "1"
) -> dict[str, Any]:
    """A confirmation that is not signed yet."""
    token = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92768dd60a747ba6f3beb71854e285d6ad"
    region = topic.split(":")[3]
    return {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": token,
        "TopicArn": topic,
        "Message": f"You have chosen to subscribe to the topic {topic}.\nTo confirm, visit the SubscribeURL.",
        "SubscribeURL": f"https://sns.{region}.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "Timestamp": written(NOW),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
    }


def record(body: dict[str, Any]) -> dict[str, Any]:
    """The same as a record of a Lambda event, in Lambda's spelling."""
    sns = {
        "Type": body["Type"],
        "MessageId": body["MessageId"],
        "TopicArn": body["TopicArn"],
        "Subject": body.get("Subject"),
        "Message": body["Message"],
        "Timestamp": body["Timestamp"],
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertUrl": "EXAMPLE",
        "UnsubscribeUrl": "EXAMPLE",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "a test"}},
    }
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{TOPIC}:2bcfbf39",
        "Sns": sns,
    }


ALARM: dict[str, Any] = {
    "AlarmName": "orders-api-production-error_rate-critical",
    "AlarmDescription": (
        "Error rate: fires while http_error_ratio is above 5% over 5m; a sample needs 100 events."
        " Runbook: https://wiki.example.com/runbooks/error_rate"
    ),
    "AWSAccountId": "111122223333",
    "AlarmConfigurationUpdatedTimestamp": "2026-11-01T10:00:00.000+0000",
    "NewStateValue": "ALARM",
    "NewStateReason": (
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0725 (25/11/26 08:24:00)] was greater than the threshold (0.05)"
        " (minimum 1 datapoint for OK -> ALARM transition)."
    ),
    "StateChangeTime": "2026-11-25T08:29:58.123+0000",
    "Region": "EU (Ireland)",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-api-production-error_rate-critical",
    "OldStateValue": "OK",
    "OKActions": [TOPIC],
    "AlarmActions": [TOPIC],
    "InsufficientDataActions": [],
    "Trigger": {
        "Period": 300,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.05,
        "TreatMissingData": "notBreaching",
        "EvaluateLowSampleCountPercentile": "",
        "Metrics": [{"Id": "result", "Expression": "m1 / m2", "Label": "Error rate", "ReturnData": True}],
    },
}
"""An alarm of this package's catalogue on metric math, as CloudWatch sends it."""
