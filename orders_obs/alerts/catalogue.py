"""Reading a catalogue: YAML to alerts, with one clear error for whatever is wrong in it.

A catalogue is a file with the service and its environments, and the parts that it includes: other files, and packages shipped with
this library. Each is a layer; the catalogue itself is above its parts, and an environment above the catalogue. Of each word the
highest layer wins, and within a layer a condition before its alert.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.alerts import conditions, routes, units
from orders_obs.alerts.compile.prometheus import WATCHDOG
from orders_obs.alerts.lock import LOCK_NAME, read_lock
from orders_obs.alerts.model import (
    ENGINES,
    PACKAGES,
    AlertmanagerSettings,
    Environment,
    Lookup,
    ResolvedCatalogue,
)
from orders_obs.alerts.nodes import Node, compose, did_you_mean, read
from orders_obs.errors import UserError
from orders_obs.signals import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orders_obs.alerts.lock import Locked
    from orders_obs.alerts.model import (
        Alert,
        AnyAlert,
        BurnAlert,
        Engine,
        EventAlert,
        MuteWindow,
        RawAlert,
        Severity,
    )

__all__ = ["ALERT_WORDS", "ENVIRONMENT_WORDS", "TOP_WORDS", "Catalogue", "load", "packages"]

TOP_WORDS = (
    "alerts", "catalogue", "environments", "include", "lint", "log_groups", "mute", "owner", "runbook_base", "service", "severities",
)  # fmt: skip
PART_WORDS = ("alerts", "catalogue", "lint", "mute", "severities")
ENVIRONMENT_WORDS = (
    "account", "alertmanager", "alerts", "engines", "every", "faster", "keep_logs", "region", "resources", "scrape", "severities", "traffic", "watchdog",
)  # fmt: skip
ALERT_WORDS = (
    "breaching", "engines", "environments", "id", "minimum", "mode", "over", "owner", "raw", "runbook", "severity", "signal", "slo",
    "statistic", "was", "when_missing",
)  # fmt: skip
ALERTMANAGER_WORDS = ("from", "group_interval", "group_wait", "repeat_interval", "smtp", "username")
INCLUDE_WORDS = ("file", "package", "severities")
LINT_WORDS = ("ignore",)
# An alert has one of these forms; the words of samples go with a signal, some of them with an objective.
_FORMS = ("signal", "slo", "raw")
_SAMPLE_WORDS = ("breaching", "minimum", "over", "severity", "statistic", "when_missing")

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
# Alerts and severities are parts of the names of recorded series, which have no dash.
_WORD = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_ACCOUNT = re.compile(r"\d{12}\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+\Z")
_VERSION = 1
_EVERY, _SCRAPE = 60.0, 15.0
_NONE = "none"
_KEEP_LOGS = 30
# The days that CloudWatch Logs can keep (API reference, PutRetentionPolicy).
RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
_ECS_NAME = (r"[A-Za-z0-9_-]{1,255}", "the name alone")
# Those of AWS's metrics ("CloudWatch metrics" of each service's user guide).
_FORMS_OF_RESOURCES = {
    "load_balancer": (r"app/[A-Za-z0-9-]{1,32}/[0-9A-Za-z]+", "the end of its ARN, app/NAME/ID"),
    "target_group": (
        r"targetgroup/[A-Za-z0-9-]{1,32}/[0-9A-Za-z]+",
        "the end of its ARN, targetgroup/NAME/ID",
    ),
    "cluster": _ECS_NAME,
    "ecs_service": _ECS_NAME,
    "db_instance": (r"[A-Za-z][A-Za-z0-9-]{0,62}", "the instance's identifier"),
    "cache_cluster": (r"[A-Za-z][A-Za-z0-9-]{0,49}", "the cluster's id"),
}
_SMARTHOST = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}\Z")
_LOG_GROUP = re.compile(r"[A-Za-z0-9_/.#-]{1,440}\Z")


def load(path: Path | str, *, parts: Mapping[Path, str] | None = None) -> Catalogue:
    """Read a catalogue: a file, or a folder with one `*.yaml` file in it that has a `service:`.

    Args:
        path: The file or folder.
        parts: Texts of parts that are taken as if they were written: each in place of the file that is included, else after all
            that are.

    Raises:
        UserError: It cannot be read or is wrong; with file and line.
    """
    path = Path(path)
    if path.is_dir():
        every = sorted(path.glob("*.yaml"))
        files = [file for file in every if _is_catalogue(file)]
        if len(files) != 1 and len(every) != 1:
            named = ", ".join(file.name for file in files) or "none with a service"
            raise UserError(
                f"holds {len(files)} catalogues among its {len(every)} *.yaml files: {named}",
                hint="name the file",
                file=path,
            )
        path = (files or every)[0]
    texts = {file.resolve(): text for file, text in (parts or {}).items()}
    catalogue = Catalogue(read(path), path, texts)
    _check_shared_names([catalogue.resolve(name) for name in catalogue.environments])
    return catalogue


def packages() -> tuple[str, ...]:
    """Names of the packages that are shipped."""
    return tuple(sorted(file.stem for file in PACKAGES.glob("*.yaml")))


@dataclass(frozen=True, slots=True)
class _Layer:
    """The words of one file, or of an environment.

    Attributes:
        words: By their names.
        severities: A part's name for a severity to the catalogue's.
        alerts: The words of its alerts, by their names.
    """

    words: Mapping[str, Node]
    severities: Mapping[str, str] = field(default_factory=dict)
    alerts: Mapping[str, Node] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "alerts", self.words["alerts"].mapping() if "alerts" in self.words else {})

    def severity(self, name: str) -> str:
        """The catalogue's name of a severity that the layer names."""
        return self.severities.get(name, name)


@dataclass(slots=True)
class _Merged:
    """The words of one alert as an environment sees them."""

    place: Node
    shared: dict[str, Node] = field(default_factory=dict)
    conditions: dict[str, dict[str, Node]] = field(default_factory=dict)
    """By severity, the shared words included."""
    places: dict[str, Node] = field(default_factory=dict)
    severity: str = ""
    """Of an announcement or a raw form, in the catalogue's name."""
    objective: _Layer | None = None
    """Where its objective stands."""


@dataclass(frozen=True, slots=True)
class _Environment:
    shape: Environment
    words: Mapping[str, Node]
    layer: _Layer


class Catalogue:
    """A catalogue that was read and found right; `load` makes it.

    Attributes:
        service: Whose alerts these are.
        owner: The team that answers for them.
        environments: Names of the environments, in the order of the file.
        path: The file.
        version: Of the language.
    """

    def __init__(self, root: Node, path: Path, parts: Mapping[Path, str] | None = None) -> None:
        self._parts = parts or {}
        top = root.mapping(TOP_WORDS)
        for key in ("catalogue", "service", "environments"):
            if key not in top:
                root.fail(f"has no {key}")
        self.path = path
        self.version = _version(top["catalogue"])
        self.service = _name(top["service"])
        self.owner = top["owner"].text() if "owner" in top else ""
        self._runbook_base = top["runbook_base"].text() if "runbook_base" in top else ""
        self._log_groups = _log_groups(top["log_groups"]) if "log_groups" in top else ()
        self._layers = [*self._included(top), _Layer(top)]
        for key in ("alerts", "severities"):
            if not any(key in layer.words for layer in self._layers):
                root.fail(f"has no {key}")
        for key in ("environments", "severities"):
            if key in top and not top[key].mapping():
                top[key].fail("is empty")
        self._severity_names = self._collect_severities()
        self._check_renamed(top)
        self._alert_names = self._collect_alerts()
        self._mutes = self._mute_windows()
        self._lock = read_lock(path.parent / LOCK_NAME)
        self._environments = {
            name: self._environment(name, node) for name, node in top["environments"].mapping().items()
        }
        self.environments = tuple(self._environments)
        self._resolved: dict[str, ResolvedCatalogue] = {}

    def resolve(self, environment: str) -> ResolvedCatalogue:
        """The catalogue as one environment sees it, its overrides applied.

        Raises:
            UserError: There is no such environment, or an alert is wrong in it.
        """
        found = self._found(environment)
        if environment not in self._resolved:
            self._resolved[environment] = self._resolve(found)
        return self._resolved[environment]

    def _resolve(self, found: _Environment) -> ResolvedCatalogue:
        severities = self._severities(found)
        if found.shape.watchdog is not None and WATCHDOG in self._alert_names:
            self._alert_names[WATCHDOG].fail(
                f"is what the watchdog of {found.shape.name} is called", "give the alert another name"
            )
        identities: dict[str, str] = {}
        alerts: list[Alert] = []
        burns: list[BurnAlert] = []
        events: list[EventAlert] = []
        raws: list[RawAlert] = []
        for name in self._alert_names:
            merged = self._merge(name, found)
            common = self._common(name, merged, found.shape)
            if common["mode"] == "disabled" or not self._is_in(merged, found.shape.name):
                continue
            self._identify(merged, common, identities)
            form = self._form(merged)
            shared = merged.shared
            if form == "slo":
                self._no_conditions(merged, "an objective has severities of its own: page and ticket")
                for word in _SAMPLE_WORDS:
                    if word in shared and word != "minimum":
                        shared[word].fail("has no meaning here", "an objective says what its windows are")
                renamed = merged.objective.severities if merged.objective else {}
                burns.extend(conditions.burn(shared["slo"], shared, severities, common, renamed))
            elif form == "raw":
                own = common | self._told(merged, severities)
                raws.append(conditions.raw(shared["raw"], own))
            else:
                signal = conditions.signal_of(shared["signal"])
                if isinstance(signal, Event):
                    own = common | self._told(merged, severities)
                    events.append(conditions.event(signal, own))
                    continue
                if merged.severity:
                    shared["severity"].fail(
                        f"does not go with {signal.name}", "write the severity with its condition"
                    )
                if not merged.conditions:
                    merged.place.fail("has no condition", f"add one of {', '.join(severities)}")
                for severity in severities:
                    if severity in merged.conditions:
                        place = merged.places[severity]
                        own = common | {"severity": severities[severity], "source": place.source}
                        alerts.append(conditions.sampled(signal, merged.conditions[severity], place, own))
        _check_names([*alerts, *burns, *raws])
        return ResolvedCatalogue(
            self.service,
            self.owner,
            found.shape,
            tuple(alerts),
            tuple(burns),
            tuple(events),
            tuple(raws),
            tuple(severities.values()),
            self._mutes,
            tuple(self._waivers()),
            tuple(f"{name}/{found.shape.name}" for name in self._log_groups),
            self.version,
        )

    def lookups(self, environment: str) -> tuple[dict[str, Lookup], dict[str, Locked]]:
        """The lookups of an environment, and what the lock has for it."""
        return self._found(environment).shape.lookups, self._lock.get(environment, {})

    @property
    def alert_names(self) -> frozenset[str]:
        """Names of the alerts of all layers, whichever environments have them."""
        return frozenset(self._alert_names)

    @property
    def lock(self) -> dict[str, dict[str, Locked]]:
        """The lock, as it was read."""
        return self._lock

    @property
    def lock_path(self) -> Path:
        """Where the lock is."""
        return self.path.parent / LOCK_NAME

    def merged_text(self, environment: str) -> str:
        """The merged alerts of an environment as YAML, each word with the place that it comes from."""
        found = self._found(environment)
        lines = [
            f"# {self.service} in {environment}; each word with the place that it comes from.",
            "alerts:",
        ]
        for name in self._alert_names:
            merged = self._merge(name, found)
            lines.append(f"  {name}:")
            own: list[tuple[int, str, Node | None]] = []
            for word in sorted(merged.shared):
                value = merged.shared[word]
                # A part's own names are said as the catalogue's.
                text = merged.severity if word == "severity" else value.flow()
                if word == "slo" and merged.objective is not None:
                    text = _objective_text(value, merged.objective)
                own.append((2, f"{word}: {text}", value))
            for severity, words in merged.conditions.items():
                own.append((2, f"{severity}:", None))
                # A shared word stands once, above.
                own += [
                    (3, f"{word}: {words[word].flow()}", words[word])
                    for word in sorted(words)
                    if merged.shared.get(word) is not words[word]
                ]
            for depth, text, node in own:
                line = "  " * depth + text
                lines.append(line if node is None else f"{line:<47} # {_short(node, self.path.parent)}")
        return "\n".join(lines) + "\n"

    def own_words(self, environment: str) -> dict[str, str]:
        """By alert, what the team itself says of it and of its surroundings; what shipped packages say is left out.

        Where this is as it was and what is built is not, a newer version of the package made the difference.
        """
        found = self._found(environment)
        around = [
            f"owner: {self.owner}",
            *(f"{word}: {node.flow()}" for word, node in sorted(found.words.items()) if word != "alerts"),
            *(f"{name}={value}" for name, value in sorted(found.shape.resources.items())),
            *(
                f"{name}: {node.flow()}"
                for name, nodes in self._severity_names.items()
                for node in nodes
                if node.source.file.parent != PACKAGES
            ),
        ]
        texts = {}
        for name in self._alert_names:
            merged = self._merge(name, found)
            own = [
                f"{severity}.{word}: {value.flow()}"
                for severity, words in ({"": merged.shared} | merged.conditions).items()
                for word, value in sorted(words.items())
                if value.source.file.parent != PACKAGES
            ]
            texts[name] = "\n".join([*around, *own])
        return texts

    def _found(self, environment: str) -> _Environment:
        found = self._environments.get(environment)
        if found is None:
            raise UserError(
                f"there is no environment {environment!r} in the catalogue",
                hint=did_you_mean(environment, self._environments),
            )
        return found

    def _included(self, top: Mapping[str, Node]) -> Iterator[_Layer]:
        left = dict(self._parts)
        for item in top["include"].sequence() if "include" in top else ():
            words = item.mapping(INCLUDE_WORDS) if item.is_mapping else {}
            text = "" if item.is_mapping else item.text()
            if item.is_mapping and ("file" in words) == ("package" in words):
                item.fail("names a file or a package, one of the two")
            if "package" in words or text.startswith("package:"):
                name = words["package"].text() if words else text.partition(":")[2]
                file = PACKAGES / f"{name}.yaml"
                if name not in packages():
                    item.fail(f"there is no package {name!r}", did_you_mean(name, packages()))
            else:
                file = self.path.parent / (words["file"].text() if words else text)
                if "://" in str(words["file"].text() if words else text):
                    item.fail("is an address", "a part is a file, or a package: package:NAME")
                if not _is_file(file) and not (left and file.resolve() in left):
                    item.fail(f"there is no file {file}", "the path is from the folder of this file")
            renamed = words["severities"].mapping() if "severities" in words else {}
            content = left.pop(file.resolve(), None) if left else None
            yield _part(file, content, {theirs: ours.text() for theirs, ours in renamed.items()})
        for file, content in left.items():
            yield _part(file, content, {})

    def _collect_severities(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for layer in self._layers:
            if "severities" in layer.words:
                for own_name, node in layer.words["severities"].mapping().items():
                    name = layer.severity(own_name)
                    _check_word(name, node)
                    if name in ALERT_WORDS or name == _NONE:
                        node.fail("is a word of the language", "give the severity another name")
                    found.setdefault(name, []).append(node)
        # The catalogue's order is the order; what only a part has comes after it.
        own = self._layers[-1].words.get("severities")
        return {name: found[name] for name in (*(own.mapping() if own else ()), *found)}

    def _collect_alerts(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for layer in self._layers:
            for name, node in layer.alerts.items():
                _check_word(name, node)
                found.setdefault(name, node)
        return found

    def _check_renamed(self, top: Mapping[str, Node]) -> None:
        for item in top["include"].sequence() if "include" in top else ():
            words = item.mapping() if item.is_mapping else {}
            for ours in words["severities"].mapping().values() if "severities" in words else ():
                if ours.text() not in self._severity_names:
                    ours.fail(
                        f"{ours.text()!r} is no severity of this catalogue",
                        did_you_mean(ours.text(), self._severity_names),
                    )

    def _mute_windows(self) -> tuple[MuteWindow, ...]:
        """The windows, of each name the nearest."""
        found: dict[str, MuteWindow] = {}
        for layer in self._layers:
            for name, node in layer.words["mute"].mapping().items() if "mute" in layer.words else ():
                _check_name(name, node)
                known = [*self._severity_names, *layer.severities]
                window = routes.mute_window(name, node, self._alert_names, known)
                for word in ("alerts", "severities"):
                    if word in node.mapping() and not node.mapping()[word].sequence():
                        node.mapping()[word].fail("is empty", "leave it out where all are meant")
                found[name] = replace(window, severities=tuple(map(layer.severity, window.severities)))
        return tuple(found.values())

    def _severities(self, environment: _Environment) -> dict[str, Severity]:
        own = environment.words["severities"].mapping() if "severities" in environment.words else {}
        for name, node in own.items():
            if name not in self._severity_names:
                node.fail("is no severity of this catalogue", did_you_mean(name, self._severity_names))
        result = {}
        for rank, (name, nodes) in enumerate(self._severity_names.items()):
            values: dict[str, Node] = {}
            for node in (*nodes, *([own[name]] if name in own else [])):
                values.update(node.mapping(routes.SEVERITY_WORDS))
            values = {word: value for word, value in values.items() if not value.is_none}
            result[name] = routes.severity(name, rank, values, nodes[-1])
        return result

    def _environment(self, name: str, node: Node) -> _Environment:
        _check_name(name, node)
        values = node.mapping(ENVIRONMENT_WORDS)
        account = values["account"].text() if "account" in values else ""
        if account and not _ACCOUNT.match(account):
            values["account"].fail(
                f"{account!r} is no AWS account", 'twelve digits, in quotes: "111122223333"'
            )
        region = values["region"].text() if "region" in values else ""
        if region and not _REGION.match(region):
            values["region"].fail(f"{region!r} is no AWS region", "such as eu-west-1")
        if "alerts" in values:
            for alert, override in values["alerts"].mapping().items():
                if alert not in self._alert_names:
                    override.fail("is no alert of this catalogue", did_you_mean(alert, self._alert_names))
        every = units.duration(values["every"]) if "every" in values else _EVERY
        scrape = units.duration(values["scrape"]) if "scrape" in values else min(_SCRAPE, every)
        resources, lookups = self._resources(name, values)
        shape = Environment(
            name,
            every,
            scrape,
            _faster(values["faster"]) if "faster" in values else 1,
            _engines(values["engines"]) if "engines" in values else self._engines_of(account),
            account,
            region,
            resources,
            lookups,
            units.per_second(values["traffic"]) if "traffic" in values else None,
            _retention(values["keep_logs"]) if "keep_logs" in values else _KEEP_LOGS,
            routes.receiver(values["watchdog"], "webhook") if "watchdog" in values else None,
            _alertmanager(values["alertmanager"]) if "alertmanager" in values else AlertmanagerSettings(),
            node.source,
        )
        return _Environment(shape, values, _Layer(values))

    @staticmethod
    def _engines_of(account: str) -> tuple[Engine, ...]:
        return ("prometheus", "cloudwatch") if account else ("prometheus",)

    def _resources(
        self, environment: str, values: Mapping[str, Node]
    ) -> tuple[dict[str, str], dict[str, Lookup]]:
        nodes = values["resources"].mapping() if "resources" in values else {}
        resources: dict[str, str] = {}
        lookups: dict[str, Lookup] = {}
        for placeholder, node in nodes.items():
            if not node.is_mapping:
                if not node.text():
                    node.fail("is empty")
                _check_form(placeholder, node)
                resources[placeholder] = node.text()
                continue
            lookup = _lookup(node)
            lookups[placeholder] = lookup
            locked = self._lock.get(environment, {}).get(placeholder)
            if locked is not None and locked.lookup == lookup.as_data():
                resources[placeholder] = locked.value
        return resources, lookups

    def _merge(self, name: str, environment: _Environment) -> _Merged:
        merged = _Merged(self._alert_names[name])
        for layer in (*self._layers, environment.layer):
            if name in layer.alerts:
                self._lay(merged, layer.alerts[name], layer, above=layer is environment.layer)
        return merged

    def _lay(self, merged: _Merged, node: Node, layer: _Layer, *, above: bool) -> None:
        """Lay the words of one layer over what is there."""
        values = node.mapping()
        shared: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for word, value in values.items():
            if word in ALERT_WORDS:
                shared[word] = value
                continue
            severity = layer.severity(word)
            if severity not in self._severity_names:
                known = [*ALERT_WORDS, *self._severity_names]
                hint = did_you_mean(word, known)
                if layer is not self._layers[-1] and not above:
                    hint = f"add a severity {word}, or map it: include: [{{package: …, severities: {{{word}: …}}}}]"
                value.fail(f"is not known in {node.name}", hint)
            own[severity] = value
        if above:
            for word in ("signal", "slo", "raw", "id", "was", "environments"):
                if word in shared:
                    shared[word].fail("cannot differ between environments", "make it an alert of its own")
        if "severity" in shared:
            merged.severity = layer.severity(shared["severity"].text())
        if "slo" in shared:
            merged.objective = layer
        # Another form takes the place of the one below it, and what only that one had with it.
        form, below = ([word for word in _FORMS if word in words] for words in (shared, merged.shared))
        if form and below and form != below:
            for word in (*_FORMS, *_SAMPLE_WORDS):
                merged.shared.pop(word, None)
            merged.conditions.clear()
            if "severity" not in shared:
                merged.severity = ""
        merged.shared |= shared
        for condition in merged.conditions.values():
            condition.update(shared)
        for severity, value in own.items():
            if value.is_none:
                merged.conditions.pop(severity, None)
                continue
            words = value.mapping(conditions.CONDITION_WORDS)
            lower = merged.conditions.get(severity, merged.shared)
            if any(side in words for side in conditions.SIDES):
                lower = {word: at for word, at in lower.items() if word not in conditions.SIDES}
            merged.conditions[severity] = lower | dict(words)
            merged.places[severity] = value
        merged.place = node

    def _is_in(self, merged: _Merged, environment: str) -> bool:
        """Whether an environment has an alert: each has it unless the alert names those that have."""
        if "environments" not in merged.shared:
            return True
        node = merged.shared["environments"]
        for item in node.sequence():
            if item.text() not in self._environments:
                item.fail(
                    f"{item.text()!r} is no environment of the catalogue",
                    did_you_mean(item.text(), self._environments),
                )
        if not node.sequence():
            node.fail("is empty", "say mode: disabled where none has it")
        return environment in {item.text() for item in node.sequence()}

    def _form(self, merged: _Merged) -> str:
        forms = [word for word in _FORMS if word in merged.shared]
        if not forms:
            merged.place.fail("names no signal", "say signal: NAME; or slo, or raw")
        if len(forms) > 1:
            merged.shared[forms[1]].fail(
                f"does not go with {forms[0]}", "an alert has one of signal, slo and raw"
            )
        return forms[0]

    def _no_conditions(self, merged: _Merged, hint: str) -> None:
        for severity in merged.conditions:
            merged.places[severity].fail("is a condition, which has no meaning here", hint)

    def _told(self, merged: _Merged, severities: Mapping[str, Severity]) -> dict[str, Any]:
        """The severity of an alert that has no condition."""
        self._no_conditions(merged, f"say severity: {next(iter(merged.conditions), '')} instead")
        if not merged.severity:
            merged.place.fail("does not say how bad it is", f"say severity: {' or '.join(severities)}")
        if merged.severity not in severities:
            merged.shared["severity"].fail(
                f"{merged.severity!r} is no severity", did_you_mean(merged.severity, severities)
            )
        for word in _SAMPLE_WORDS:
            if word in merged.shared and word != "severity":
                merged.shared[word].fail("has no meaning here", "it belongs to samples of a signal")
        severity = severities[merged.severity]
        # What is only recorded asks nobody to do anything.
        silent = severity.log and "runbook" not in merged.shared
        return {"severity": severity, **({"runbook": ""} if silent else {})}

    def _common(self, name: str, merged: _Merged, environment: Environment) -> dict[str, Any]:
        shared = merged.shared
        mode = shared["mode"].text() if "mode" in shared else "live"
        if mode not in ("live", "shadow", "disabled"):
            shared["mode"].fail(f"{mode!r} is no mode", "one of live, shadow, disabled")
        identifier = shared["id"].text() if "id" in shared else name
        if "id" in shared:
            _check_word(identifier, shared["id"])
        was = tuple(old.text() for old in shared["was"].sequence()) if "was" in shared else ()
        for old in was:
            _check_word(old, shared["was"])
            if old in self._alert_names:
                shared["was"].fail(
                    f"{old!r} is an alert of its own", "an old name is one that is not used any more"
                )
        return {
            "name": name,
            "alert_id": identifier,
            "was": was,
            "service": self.service,
            "environment": environment,
            "owner": shared["owner"].text() if "owner" in shared else self.owner,
            "runbook": self._runbook(shared["runbook"].text() if "runbook" in shared else name),
            "mode": mode,
            "engines": _engines(shared["engines"]) if "engines" in shared else (),
            "source": merged.place.source,
        }

    @staticmethod
    def _identify(merged: _Merged, common: Mapping[str, Any], identities: dict[str, str]) -> None:
        """See that no two alerts have one identity, or were one alert."""
        name, identifier = common["name"], common["alert_id"]
        own = {f"{identifier!r} is the identity": "id"} | {
            f"{old!r} is an old name": "was" for old in common["was"]
        }
        for what, word in own.items():
            other = identities.setdefault(what, name)
            if other != name:
                merged.shared.get(word, merged.place).fail(f"{what} of {other} already", "each has its own")

    def _runbook(self, page: str) -> str:
        if "://" in page or not self._runbook_base:
            return page if "://" in page else ""
        return (
            self._runbook_base.replace("{}", page)
            if "{}" in self._runbook_base
            else self._runbook_base + page
        )

    def _waivers(self) -> Iterator[Any]:
        for layer in self._layers:
            if "lint" not in layer.words:
                continue
            from orders_obs.alerts.lint.rules import RULES

            words = layer.words["lint"].mapping(LINT_WORDS)
            if "ignore" in words:
                for item in words["ignore"].sequence():
                    yield routes.waiver(item, RULES, self._alert_names)


def _part(file: Path, text: str | None, severities: Mapping[str, str]) -> _Layer:
    """A part, from its text where it is not to be read."""
    composed = None if text is None else compose(text, file)
    root = read(file) if composed is None else Node(file, composed, "the file")
    words = root.mapping(PART_WORDS)
    if "catalogue" in words:
        _version(words["catalogue"])
    return _Layer(words, severities)


def _check_names(alerts: Iterable[AnyAlert]) -> None:
    """See that no raw form takes the name of another alarm."""
    made: dict[str, AnyAlert] = {}
    for alert in alerts:
        other = made.setdefault(alert.full_name, alert)
        if other is not alert:
            raise UserError(
                f"{alert.name}: {alert.full_name} is the name of the alarm of {other.name} too, in {other.source.short}",
                hint="a name on CloudWatch is one alarm: give one of them another",
                file=alert.source.file,
                line=alert.source.line,
            )


def _check_shared_names(environments: Iterable[ResolvedCatalogue]) -> None:
    """See that no two environments of one account and region mean the same alarm by a raw form's own name."""
    made: dict[tuple[str, str, str], AnyAlert] = {}
    for alert in (
        alert for each in environments for alert in each.raws if "AlarmName" in (alert.cloudwatch or {})
    ):
        place = alert.environment
        if not place.account or "cloudwatch" not in (alert.engines or place.engines):
            continue
        other = made.setdefault((place.account, place.region, alert.full_name), alert).environment
        if other.name != place.name:
            raise UserError(
                f"{alert.name}: {alert.full_name} is one alarm, and {other.name} and {place.name} are in the same account and region",
                hint=f"say whose it is, such as environments: [{other.name}]",
                file=alert.source.file,
                line=alert.source.line,
            )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def _check_form(placeholder: str, node: Node) -> None:
    """A dimension is compared letter by letter, so a name in another form is of a metric that has no values."""
    right = _FORMS_OF_RESOURCES.get(placeholder)
    if right is not None and not re.fullmatch(right[0], node.text()):
        node.fail(f"{node.text()!r} is not how CloudWatch names it", f"write {right[1]}, or a lookup")


def _is_catalogue(file: Path) -> bool:
    return (
        re.search(r"^service\s*:", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        is not None
    )


def _version(node: Node) -> int:
    if node.text() != str(_VERSION):
        node.fail(f"{node.text()!r} is no version of the language", f"this is version {_VERSION}")
    return _VERSION


def _engines(node: Node) -> tuple[Engine, ...]:
    found = []
    for item in node.sequence():
        engine = next((engine for engine in ENGINES if engine == item.text()), None)
        if engine is None:
            item.fail(f"{item.text()!r} is no engine", f"one of {', '.join(ENGINES)}")
        found.append(engine)
    if not found:
        node.fail("is empty", f"one of {', '.join(ENGINES)}")
    return tuple(engine for engine in ENGINES if engine in found)


def _retention(node: Node) -> int:
    days = units.duration(node) / 86_400
    if days not in RETENTIONS:
        near = sorted(RETENTIONS, key=lambda kept: abs(kept - days))[:2]
        node.fail(
            f"CloudWatch Logs cannot keep for {node.text()}",
            f"the nearest are {' and '.join(f'{d}d' for d in sorted(near))}",
        )
    return round(days)


def _log_groups(node: Node) -> tuple[str, ...]:
    for item in node.sequence():
        if not _LOG_GROUP.match(item.text()) or item.text().endswith("/"):
            item.fail(f"{item.text()!r} is no log group", "such as /orders/api; the environment is added")
    return tuple(item.text() for item in node.sequence())


def _faster(node: Node) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", node.text()):
        node.fail(f"{node.text()!r} is no factor", "such as 60: a sample of 5m lasts 5s")
    return int(node.text())


def _alertmanager(node: Node) -> AlertmanagerSettings:
    values = node.mapping(ALERTMANAGER_WORDS)
    times = {
        # Alertmanager takes a wait of nothing; a duration of ours does not.
        word: "0s" if values[word].text() == "0s" else units.duration_text(units.duration(values[word]))
        for word in ("group_interval", "group_wait", "repeat_interval")
        if word in values
    }
    if ("smtp" in values) != ("from" in values):
        node.fail(
            "needs smtp and from together", "such as {smtp: mail.example.com:587, from: alerts@example.com}"
        )
    if "smtp" in values and not _SMARTHOST.match(values["smtp"].text()):
        # Not said again: somebody may have written a password into it.
        values["smtp"].fail("is no HOST:PORT of a mail server", "such as mail.example.com:587")
    mail = {
        field: values[word].text() if word in values else ""
        for word, field in (("smtp", "smarthost"), ("from", "sender"), ("username", "username"))
    }
    return AlertmanagerSettings(**times, **mail)


def _lookup(node: Node) -> Lookup:
    values = node.mapping(("output", "ssm", "stack", "tag"))
    ways = [word for word in ("ssm", "stack", "tag") if word in values]
    if len(ways) != 1:
        node.fail("must be the value, or one of tag, ssm and stack")
    if ("output" in values) != ("stack" in values):
        node.fail("needs stack and output together", "such as {stack: network, output: LoadBalancer}")
    tags: tuple[tuple[str, str], ...] = ()
    if "tag" in values:
        tags = tuple(sorted((key, value.text()) for key, value in values["tag"].mapping().items()))
        if not tags:
            values["tag"].fail("is empty", "such as {tag: {service: orders-api}}")
    return Lookup(
        tags,
        values["ssm"].text() if "ssm" in values else "",
        values["stack"].text() if "stack" in values else "",
        values["output"].text() if "output" in values else "",
        node.source,
    )


def _objective_text(node: Node, layer: _Layer) -> str:
    def text(word: str, value: Node) -> str:
        return layer.severity(value.text()) if word in ("page", "ticket") else value.flow()

    return "{" + ", ".join(f"{word}: {text(word, value)}" for word, value in node.mapping().items()) + "}"


def _short(node: Node, folder: Path) -> str:
    source = node.source
    if source.file.parent == PACKAGES:
        return source.short
    file = source.file.relative_to(folder) if source.file.is_relative_to(folder) else source.file
    return f"{file}:{source.line}"


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
