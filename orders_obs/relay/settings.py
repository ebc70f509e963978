"""What the relay was told, from the environment: whom it listens to, whom it tells, its limits.

A mistake stops it, all of them in one message: a relay that starts with a default in place of what was meant would take messages and
tell nobody. Addresses of receivers are never read here, only where they stand.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast
from urllib.parse import urlsplit

from orders_obs.errors import UserError
from orders_obs.relay.envelope import TopicArn, parse_topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PREFIX", "ReceiverKind", "RelaySettings", "Source", "secret_words"]

PREFIX = "ORDERS_OBS_RELAY_"
ReceiverKind = Literal["slack", "webhook"]

_T = TypeVar("_T")
_KINDS: tuple[ReceiverKind, ...] = ("slack", "webhook")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,512}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOG_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the address of a receiver stands.

    Attributes:
        kind: What receives.
        store: `secret`, of AWS Secrets Manager, or `env`, a variable.
        name: Of the secret or the variable.
        key: Of the address in a secret that is a JSON object; empty where it is the whole secret, or the object has only one text.
    """

    kind: ReceiverKind
    store: Literal["secret", "env"]
    name: str
    key: str = ""

    def __str__(self) -> str:
        if self.store == "env":
            return f"{self.kind} (env:{self.name})"
        return f"{self.kind} <{secret_words(self.name)}{f'#{self.key}' if self.key else ''}>"


def secret_words(name: str) -> str:
    """The name of a secret, from an ARN too. `secret:NAME` would look like a secret to whatever takes secrets out of logs."""
    parts = name.split(":", 6)
    if parts[0] != "arn" or len(parts) < 7:
        return name
    return f"{parts[6]} in {parts[4]}/{parts[3]}"


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The relay's settings.

    Attributes:
        topics: Whose messages are taken.
        receivers: Who is told unless a route says otherwise.
        routes: Who is told, by the name of a topic or by a severity.
        severities: The severity of all that comes by a topic, by its name.
        late_after: Seconds from which on a message is marked as late.
        keep: Seconds that the server knows a message's id, and the age from which on it takes none.
        seen_file: Where the server keeps the ids; empty where only in memory.
        max_bytes: Bytes that a message may have.
        secret_ttl: Seconds until an address is read anew.
        dead_letters: A file or the URL of an SQS queue for what the server could not deliver; empty for neither.
        runbook_base: Before the runbooks' names of EventBridge's events, or around them where it has `{}`.
        log_groups: Linked to in each message.
        bind: The address that the server listens on.
        port: Its port.
        emulator: The base address of an emulator of AWS that is trusted as SNS is; empty for none.
    """

    topics: tuple[TopicArn, ...]
    receivers: tuple[Source, ...] = ()
    routes: tuple[tuple[str, tuple[Source, ...]], ...] = ()
    severities: tuple[tuple[str, str], ...] = ()
    late_after: float = 300.0
    keep: float = 86_400.0
    seen_file: str = ""
    max_bytes: int = 262_144
    secret_ttl: float = 300.0
    dead_letters: str = ""
    runbook_base: str = ""
    log_groups: tuple[str, ...] = ()
    bind: str = "127.0.0.1"
    port: int = 9098
    emulator: str = ""

    @classmethod
    def load(
        cls, env: Mapping[str, str] | None = None, called: Mapping[str, str] | None = None
    ) -> RelaySettings:
        """The settings of an environment; the process's own when None.

        Args:
            env: The variables.
            called: What errors call a setting where it was not given as a variable, by its name without the prefix.

        Raises:
            UserError: Some cannot be used, are missing, or are no settings.
        """
        return _Loader(os.environ if env is None else env, called or {}).load()

    def told(self, topic: TopicArn, severity: str) -> tuple[Source, ...]:
        """Who is told of what comes by a topic: its route, else the severity's, else everybody's."""
        routes = dict(self.routes)
        return routes.get(topic.name) or routes.get(severity) or self.receivers

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every receiver, each once."""
        every = [*self.receivers, *(source for _, route in self.routes for source in route)]
        return tuple(dict.fromkeys(every))


_LEAST_KEPT = 3_600
"""Seconds for which SNS tries to deliver to an HTTP endpoint at the most (SNS developer guide, "Delivery retries")."""


# What Kubernetes puts into every pod beside a Service called orders-obs-relay; PORT is then an address.
_OF_KUBERNETES = re.compile(r"SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?")


class _Loader:
    def __init__(self, env: Mapping[str, str], called: Mapping[str, str]) -> None:
        self._env = env
        self._names = called
        self._known: set[str] = set()
        self._problems: list[str] = []

    def _called(self, name: str) -> str:
        return self._names.get(name, PREFIX + name)

    def load(self) -> RelaySettings:
        settings = RelaySettings(
            topics=self._value("TOPICS", _topics, ()),
            receivers=tuple(source for kind in _KINDS for source in self._source(kind)),
            routes=self._value("ROUTES", _routes, ()),
            severities=self._value("SEVERITIES", _severities, ()),
            late_after=self._value("LATE_AFTER", _seconds, 300.0),
            keep=self._value("KEEP", _seconds, 86_400.0),
            seen_file=self._value("SEEN_FILE", str, ""),
            max_bytes=self._value("MAX_BYTES", _whole(1024, 1_048_576), 262_144),
            secret_ttl=self._value("SECRET_TTL", _seconds, 300.0),
            dead_letters=self._value("DEAD_LETTERS", str, ""),
            runbook_base=self._value("RUNBOOK_BASE", _address, ""),
            log_groups=self._value("LOG_GROUPS", _log_groups, ()),
            bind=self._value("BIND", str, "127.0.0.1"),
            port=self._value("PORT", _whole(0, 65_535), 9098),
            emulator=self._value("EMULATOR", _emulator, ""),
        )
        if not settings.topics and not self._problems:
            self._problems.append(
                f"{self._called('TOPICS')}: no topic is listed, so no message would be taken"
            )
        if settings.keep < max(_LEAST_KEPT, settings.late_after):
            self._problems.append(
                f"{self._called('KEEP')}: {settings.keep:g} s is less than SNS may take to deliver again ({_LEAST_KEPT} s), or than LATE_AFTER"
            )
        self._check_told(settings)
        self._check_names()
        if self._problems:
            raise UserError("; ".join(self._problems), hint="docs/relay.md has every setting")
        return settings

    def _check_told(self, settings: RelaySettings) -> None:
        routes = dict(settings.routes)
        untold = [topic.name for topic in settings.topics if topic.name not in routes]
        ways = dict.fromkeys(self._called(name) for name in ("SLACK_SECRET", "SLACK_WEBHOOK"))
        if untold and not settings.receivers and not self._problems:
            self._problems.append(
                f"nobody is told of {', '.join(untold)}: set {' or '.join(ways)}, or a route"
            )

    def _check_names(self) -> None:
        """What is called like a setting and is none was meant to be one; a route may name a variable of its own."""
        import difflib

        own = set(re.findall(r"env:([A-Za-z0-9_]+)", self._env.get(f"{PREFIX}ROUTES", "")))
        for variable in sorted(self._env):
            name = variable.removeprefix(PREFIX)
            if name == variable or name in self._known or variable in own or _OF_KUBERNETES.fullmatch(name):
                continue
            near = difflib.get_close_matches(name.upper(), sorted(self._known), 1)
            self._problems.append(
                f"{variable} is no setting{f': did you mean {PREFIX}{near[0]}?' if near else ''}"
            )

    def _value(self, name: str, parse: Callable[[str], _T], default: _T) -> _T:
        self._known.add(name)
        text = self._env.get(PREFIX + name, "").strip()
        if not text or (name == "PORT" and text.startswith("tcp://")):
            return default
        try:
            return parse(text)
        except ValueError as error:
            self._problems.append(f"{self._called(name)}: {error}")
            return default

    def _source(self, kind: ReceiverKind) -> list[Source]:
        variable = "SLACK_WEBHOOK" if kind == "slack" else "WEBHOOK"
        secret = f"{kind.upper()}_SECRET"
        self._known.add(variable)
        named = self._value(secret, lambda text: _read_source(kind, f"secret:{text}"), None)
        if not self._env.get(PREFIX + variable, "").strip():
            return [named] if named else []
        if self._env.get(PREFIX + secret, "").strip():
            self._problems.append(f"{PREFIX}{variable} and {PREFIX}{secret} are both set: which is meant?")
        return [Source(kind, "env", PREFIX + variable)]


def _topics(text: str) -> tuple[TopicArn, ...]:
    found = []
    for part in re.split(r"[\s,]+", text.strip(" ,")):
        topic = parse_topic(part)
        if topic is None:
            raise ValueError(
                "must be ARNs of topics, such as arn:aws:sns:eu-west-1:111122223333:orders-critical-production"
            )
        found.append(topic)
    return tuple(dict.fromkeys(found))


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004  # what _value catches
    return found


def _routes(text: str) -> tuple[tuple[str, tuple[Source, ...]], ...]:
    routes = []
    for name, told in _object(text).items():
        if not isinstance(told, dict) or not told or not set(told) <= set(_KINDS):
            raise ValueError(
                'a route must be such as {"orders-critical-production": {"slack": "secret:orders/slack"}}'
            )
        routes.append((name, tuple(_read_source(cast("ReceiverKind", kind), told[kind]) for kind in told)))
    return tuple(routes)


def _read_source(kind: ReceiverKind, text: Any) -> Source:
    """`secret:NAME`, `secret:NAME#KEY` or `env:NAME`. What is wrong is not repeated: it may be the address itself."""
    store, colon, name = text.partition(":") if isinstance(text, str) else ("", "", "")
    name, _, key = name.partition("#")
    if store == "env" and _VARIABLE.fullmatch(name) and not key:
        return Source(kind, "env", name)
    if store == "secret" and colon and "://" not in name and _SECRET.fullmatch(name):
        return Source(kind, "secret", name, key)
    raise ValueError(
        "must be the name of a secret (secret:NAME, secret:NAME#KEY) or of a variable (env:NAME), never the address itself"
    )


def _severities(text: str) -> tuple[tuple[str, str], ...]:
    found = _object(text)
    if not all(
        isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{1,40}", value) for value in found.values()
    ):
        raise ValueError('must be such as {"orders-critical-production": "critical"}')
    return tuple(found.items())


def _log_groups(text: str) -> tuple[str, ...]:
    groups = tuple(part for part in re.split(r"[\s,]+", text) if part)
    if not all(_LOG_GROUP.fullmatch(group) for group in groups):
        raise ValueError("must be names of log groups")
    return groups


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise ValueError("must be a number of seconds above 0")
    return number


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return number

    return parse


def _address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or not text.isprintable() or " " in text:
        raise ValueError("must be an address that begins with https://")
    return text


def _emulator(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = (
            parts.scheme in ("http", "https")
            and parts.hostname in _LOOPBACK
            and parts.path in ("", "/")
            and not parts.query
        )
        good = good and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise ValueError("must be an address on this machine, such as http://127.0.0.1:4566")
    return text.rstrip("/")
