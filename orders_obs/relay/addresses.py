"""The addresses of receivers: read where they stand, kept for minutes, read anew when a receiver refuses, and never shown."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orders_obs.errors import EnvironmentFault
from orders_obs.relay.settings import secret_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orders_obs.relay.settings import Source

__all__ = ["Addresses", "read_secret"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class _Kept:
    address: str = field(repr=False)
    until: float


class Addresses:
    """Reads and keeps addresses.

    Args:
        ttl: Seconds that one is kept.
        env: The environment; the process's own when None.
        read: Reads a secret by its name. From Secrets Manager unless said.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        ttl: float,
        env: Mapping[str, str] | None = None,
        read: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl = ttl
        self._env = os.environ if env is None else env
        self._read_secret = read or read_secret
        self._clock = clock
        self._kept: dict[Source, _Kept] = {}
        self._lock = threading.Lock()

    def get(self, source: Source) -> str:
        """The address of a receiver.

        Where it cannot be read anew the old one is used on, since it may well be right.

        Raises:
            EnvironmentFault: It was never read, and cannot be.
        """
        with self._lock:
            kept = self._kept.get(source)
            if kept is not None and self._clock() < kept.until:
                return kept.address
            try:
                return self._renewed(source)
            except EnvironmentFault:
                if kept is None:
                    raise
                self._kept[source] = _Kept(kept.address, self._clock() + self._ttl)
                return kept.address

    def renew(self, source: Source, refused: str) -> bool:
        """Read the address anew after the receiver refused it; whether it is another one now."""
        with self._lock:
            kept = self._kept.get(source)
            if kept is not None and kept.address != refused:
                return True
            try:
                return self._renewed(source) != refused
            except EnvironmentFault:
                return False

    def _renewed(self, source: Source) -> str:
        if source.store == "env":
            text = self._env.get(source.name, "")
        else:
            text = _member(self._read_secret(source.name), source)
        address = text.strip()
        problem = _problem(address)
        if problem:
            raise EnvironmentFault(
                f"the address of {source} {problem}", hint="it must be the receiver's own https address"
            )
        self._kept[source] = _Kept(address, self._clock() + self._ttl)
        return address


def read_secret(name: str) -> str:
    """The text of a secret of AWS Secrets Manager, with the credentials that the SDK finds.

    Raises:
        EnvironmentFault: It cannot be read.
    """
    try:
        from boto3.session import Session
        from botocore.config import Config
    except ImportError:
        raise EnvironmentFault("boto3 is not installed", hint="pip install 'orders-obs[relay]'") from None
    region = name.split(":")[3] if name.startswith("arn:") and name.count(":") >= 6 else None
    try:
        config = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 2})
        # A session of its own: the shared one is not made for several threads.
        client = Session().client("secretsmanager", region_name=region, config=config)
        found = client.get_secret_value(SecretId=name)
    except Exception as error:
        raise _fault(name, error) from None
    text: Any = found.get("SecretString")
    if not isinstance(text, str):
        raise EnvironmentFault(f"secret {secret_words(name)} is no text", hint="store it as a text")
    return text


def _fault(name: str, error: Exception) -> EnvironmentFault:
    """Why a secret cannot be read, and what to do; of what AWS says only the kind, since it may hold anything."""
    response = getattr(error, "response", None)
    said = response.get("Error", {}) if isinstance(response, dict) else {}
    code, words = said.get("Code", ""), str(said.get("Message", ""))
    shown = secret_words(name)
    reads = f"secret {shown} cannot be read: {code or type(error).__name__}"
    # Of an ARN the last seven signs are AWS's own.
    plain = shown if name == shown else shown.partition(" ")[0][:-7]
    # AWS says the same of a secret without a value and of none (API reference, GetSecretValue: staging labels).
    if code == "ResourceNotFoundException" and "staging label" in words:
        return EnvironmentFault(
            f"secret {shown} has no value ({code})",
            hint=f"aws secretsmanager put-secret-value --secret-id {plain} --secret-string file:///dev/stdin",
        )
    if code == "ResourceNotFoundException":
        return EnvironmentFault(
            f"secret {shown} is not there ({code})",
            hint=f"make it: aws secretsmanager create-secret --name {plain} --secret-string file:///dev/stdin;"
            " or is it in another region or account, or of another name?",
        )
    if code == "InvalidRequestException" and "deletion" in words:
        return EnvironmentFault(
            f"secret {shown} is to be deleted ({code})",
            hint=f"aws secretsmanager restore-secret --secret-id {plain}",
        )
    if not code:
        return EnvironmentFault(
            reads, hint="can this machine reach AWS Secrets Manager, with credentials and a region?"
        )
    return EnvironmentFault(
        reads, hint="allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key"
    )


def _member(text: str, source: Source) -> str:
    """The address in a secret that may be a JSON object."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        found = json.loads(text)
    except ValueError:
        found = {}
    texts = {key: value for key, value in found.items() if isinstance(value, str)}
    if source.key in texts:
        return texts[source.key]
    if not source.key and len(texts) == 1:
        return next(iter(texts.values()))
    raise EnvironmentFault(
        f"the address of {source} is not found in its secret, a JSON object",
        hint=f"name its key: {source.name}#KEY",
    )


def _problem(address: str) -> str:
    """What is wrong with an address, without repeating it."""
    if not address:
        return "is empty"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if not address.isascii() or not address.isprintable() or " " in address or not host:
        return "is no address"
    if parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK):
        return ""
    return "is not https"
