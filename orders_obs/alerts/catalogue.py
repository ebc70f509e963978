"""Reading a catalogue: YAML to alerts, with one clear error for whatever is wrong in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.alerts import units
from orders_obs.alerts.model import Alert, Environment, ResolvedCatalogue, Severity
from orders_obs.alerts.nodes import Node, did_you_mean, read
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS, Count, Level, Ratio, Share

if TYPE_CHECKING:
    from orders_obs.alerts.model import AlertableSignal, WhenMissing

__all__ = ["Catalogue", "load"]

_TOP = ("alerts", "catalogue", "environments", "owner", "runbook_base", "service", "severities")
_ENVIRONMENT = ("account", "alerts", "every", "region", "resources")
_SEVERITY = ("page", "topic")
_SHARED = ("breaching", "minimum", "over", "runbook", "signal", "when_missing")
_CONDITION = ("above", "below", "breaching", "over", "slower_than")
_WHEN_MISSING: dict[str, WhenMissing] = {"ok": "ok", "breach": "breach", "keep": "keep", "unknown": "unknown"}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
# Alerts and severities are parts of the names of recorded series, which have no dash.
_WORD = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_ACCOUNT = re.compile(r"\d{12}\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+\Z")
# SNS allows 256 characters; the environment is added.
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,190}\Z")
_VERSION = 1
_EVERY = 60.0


def load(path: Path | str) -> Catalogue:
    """Read a catalogue: a file, or a folder with one `*.yaml` file in it that begins with `catalogue:`.

    Raises:
        UserError: It cannot be read or is wrong; with file and line.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob("*.yaml"))
        if len(files) != 1:
            raise UserError(f"holds {len(files)} catalogues (*.yaml)", hint="name the file", file=path)
        path = files[0]
    catalogue = Catalogue(read(path))
    for name in catalogue.environments:
        catalogue.resolve(name)
    return catalogue


@dataclass(frozen=True, slots=True)
class _Environment:
    shape: Environment
    overrides: dict[str, Node]


class Catalogue:
    """A catalogue that was read and found right; `load` makes it.

    Attributes:
        service: Whose alerts these are.
        owner: The team that answers for them.
        environments: Names of the environments, in the order of the file.
    """

    def __init__(self, root: Node) -> None:
        top = root.mapping(_TOP)
        for key in ("catalogue", "service", "environments", "alerts", "severities"):
            if key not in top:
                root.fail(f"has no {key}")
        if top["catalogue"].text() != str(_VERSION):
            top["catalogue"].fail(
                f"{top['catalogue'].text()!r} is no version of the language", f"this is version {_VERSION}"
            )
        self.service = _name(top["service"])
        self.owner = top["owner"].text() if "owner" in top else ""
        self._runbook_base = top["runbook_base"].text() if "runbook_base" in top else ""
        for key in ("environments", "severities"):
            if not top[key].mapping():
                top[key].fail("is empty")
        self._severities = {name: _severity(name, node) for name, node in top["severities"].mapping().items()}
        self._alerts = top["alerts"].mapping()
        for name, node in self._alerts.items():
            _check_word(name, node)
        self._environments = {
            name: self._environment(name, node) for name, node in top["environments"].mapping().items()
        }
        self.environments = tuple(self._environments)

    def resolve(self, environment: str) -> ResolvedCatalogue:
        """The catalogue as one environment sees it, its overrides applied.

        Raises:
            UserError: There is no such environment, or an alert is wrong in it.
        """
        found = self._environments.get(environment)
        if found is None:
            raise UserError(
                f"there is no environment {environment!r} in the catalogue",
                hint=did_you_mean(environment, self._environments),
            )
        alerts: list[Alert] = []
        for name, node in self._alerts.items():
            alerts.extend(self._resolve(name, node, found))
        return ResolvedCatalogue(self.service, self.owner, found.shape, tuple(alerts))

    def _environment(self, name: str, node: Node) -> _Environment:
        _check_name(name, node)
        values = node.mapping(_ENVIRONMENT)
        account = values["account"].text() if "account" in values else ""
        if account and not _ACCOUNT.match(account):
            values["account"].fail(
                f"{account!r} is no AWS account", 'twelve digits, in quotes: "111122223333"'
            )
        region = values["region"].text() if "region" in values else ""
        if region and not _REGION.match(region):
            values["region"].fail(f"{region!r} is no AWS region", "such as eu-west-1")
        resources = values["resources"].mapping() if "resources" in values else {}
        overrides = values["alerts"].mapping() if "alerts" in values else {}
        for alert, override in overrides.items():
            if alert not in self._alerts:
                override.fail("is no alert of this catalogue", did_you_mean(alert, self._alerts))
        shape = Environment(
            name,
            units.duration(values["every"]) if "every" in values else _EVERY,
            account,
            region,
            {placeholder: _resource(value) for placeholder, value in resources.items()},
            node.source,
        )
        return _Environment(shape, overrides)

    def _resolve(self, name: str, node: Node, environment: _Environment) -> list[Alert]:
        allowed = (*_SHARED, *self._severities)
        shared = node.mapping(allowed)
        override = environment.overrides[name].mapping(allowed) if name in environment.overrides else {}
        if "signal" in override:
            override["signal"].fail("cannot differ between environments", "make it an alert of its own")
        if "signal" not in shared:
            node.fail("names no signal", f"known: {', '.join(_alertable())}")
        signal = _signal(shared["signal"])
        severities = [s for s in self._severities if s in shared or s in override]
        if not severities:
            node.fail("has no condition", f"add one of {', '.join(self._severities)}")
        alerts = []
        for severity in severities:
            condition = shared[severity].mapping(_CONDITION) if severity in shared else {}
            own = override[severity].mapping(_CONDITION) if severity in override else {}
            # The nearest word wins: the environment's condition, its alert, the condition, the alert.
            merged = shared | condition | override | own
            values = {key: value for key, value in merged.items() if key not in self._severities}
            place = override.get(severity) or shared[severity]
            alerts.append(self._alert(name, signal, severity, values, place, environment.shape))
        return alerts

    def _alert(
        self,
        name: str,
        signal: AlertableSignal,
        severity: str,
        values: dict[str, Node],
        place: Node,
        environment: Environment,
    ) -> Alert:
        sides = [side for side in ("above", "below") if side in values]
        if len(sides) != 1:
            place.fail("needs exactly one of above and below")
        threshold, bound = _threshold(signal, values, values[sides[0]], place)
        if "over" not in values:
            place.fail("does not say the length of a sample", "add over: 5m")
        over = units.duration(values["over"])
        if over < environment.every or abs(over / environment.every - round(over / environment.every)) > 1e-9:
            values["over"].fail(
                f"{values['over'].text()} is no multiple of {units.duration_text(environment.every)}",
                f"environment {environment.name} looks once every {units.duration_text(environment.every)}",
            )
        breaching, samples = units.m_of_n(values["breaching"]) if "breaching" in values else (1, 1)
        minimum = _minimum(signal, values, place)
        missing = values["when_missing"].text() if "when_missing" in values else "ok"
        if missing not in _WHEN_MISSING:
            values["when_missing"].fail(f"{missing!r} is no policy", f"one of {', '.join(_WHEN_MISSING)}")
        runbook = values["runbook"].text() if "runbook" in values else name
        return Alert(
            name=name,
            alert_id=name,
            service=self.service,
            environment=environment,
            severity=self._severities[severity],
            signal=signal,
            comparison="above" if sides[0] == "above" else "below",
            threshold=threshold,
            bound=bound,
            over=over,
            breaching=breaching,
            samples=samples,
            minimum=minimum,
            when_missing=_WHEN_MISSING[missing],
            runbook=runbook
            if "://" in runbook or not self._runbook_base
            else f"{self._runbook_base}{runbook}",
            source=place.source,
        )


def _signal(node: Node) -> AlertableSignal:
    signal = SIGNALS.get(node.text())
    if signal is None:
        node.fail(f"{node.text()!r} is no signal", did_you_mean(node.text(), _alertable()))
    if isinstance(signal, Level):
        node.fail(
            f"{signal.name} is a level, on which there are no alerts yet",
            "ratios, shares and counts can be used",
        )
    return signal


def _alertable() -> list[str]:
    return [name for name, signal in SIGNALS.items() if not isinstance(signal, Level)]


def _threshold(
    signal: AlertableSignal, values: dict[str, Node], node: Node, place: Node
) -> tuple[float, float | None]:
    if isinstance(signal, Share):
        if "slower_than" not in values:
            place.fail("does not say what is slow", "add slower_than: 5s")
        bound = units.duration(values["slower_than"])
        buckets = signal.events.instrument.buckets
        if bound not in buckets:
            near = sorted(sorted(buckets, key=lambda b: abs(b - bound))[:2])
            values["slower_than"].fail(
                f"{values['slower_than'].text()} is no bucket of {signal.events.instrument.name}, so it cannot be counted exactly",
                f"the nearest are {' and '.join(units.duration_text(b) for b in near)}",
            )
        return units.share(node), bound
    if "slower_than" in values:
        values["slower_than"].fail(f"does not go with {signal.name}", "it goes with a latency")
    if isinstance(signal, Ratio):
        return units.share(node), None
    number = units.count(node, signal.events.instrument.unit)
    if number == 0 and "below" in values:
        node.fail("nothing is below 0", "the smallest that means something is below: 1 event, which is none")
    return float(number), None


def _minimum(signal: AlertableSignal, values: dict[str, Node], place: Node) -> int:
    if isinstance(signal, Count):
        if "minimum" in values:
            values["minimum"].fail("does not go with a count", "it gates ratios and shares")
        return 0
    if "minimum" not in values:
        place.fail(
            "has no minimum, so one failure among two requests would fire it", "add minimum: 100 requests"
        )
    instrument = signal.total.instrument if isinstance(signal, Ratio) else signal.events.instrument
    unit = "{request}" if instrument.unit == "s" else instrument.unit
    minimum = units.count(values["minimum"], unit)
    if minimum < 1:
        values["minimum"].fail("must be at least 1", "a share of nothing is no share")
    return minimum


def _resource(node: Node) -> str:
    if node.is_mapping or not node.text():
        node.fail(
            "must be the literal value",
            "looking it up by tag, SSM parameter or stack output is not known here",
        )
    return node.text()


def _severity(name: str, node: Node) -> Severity:
    _check_word(name, node)
    if name in _SHARED:
        node.fail("is a word of the language", "give the severity another name")
    values = node.mapping(_SEVERITY)
    topic = values["topic"].text() if "topic" in values else ""
    if "topic" in values and not _TOPIC.match(topic):
        values["topic"].fail(
            f"{topic!r} is no name of a topic", "letters, digits, - and _, without the environment"
        )
    return Severity(name, values["page"].flag() if "page" in values else False, topic)


def _name(node: Node) -> str:
    _check_name(node.text(), node)
    return node.text()


def _check_name(name: str, node: Node) -> None:
    if not _NAME.match(name):
        node.fail(f"{name!r} is no name", "lower-case letters, digits, - and _, a letter first, at most 63")


def _check_word(name: str, node: Node) -> None:
    if not _WORD.match(name):
        node.fail(
            f"{name!r} is no name for it", "lower-case letters, digits and _, a letter first, at most 63"
        )
