"""Random catalogues that are right, with what their alerts mean: first the meaning is drawn, then the words that say it.

A word may stand in any layer and in the alert or its condition; layers below it may say something else, which must not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from orders_obs.signals import SIGNALS, Count, Event, External, Level, Presence, Ratio, Selector, Share

ACCOUNT, REGION = "111122223333", "eu-west-1"
ENVIRONMENT, FAST = "production", "fast"
RESOURCES = {
    "load_balancer": "app/shop/1",
    "target_group": "targetgroup/shop/1",
    "cluster": "shops",
    "ecs_service": "shop",
    "db_instance": "shop",
    "cache_cluster": "shop-001",
    "postgres_job": "postgres",
    "relay_function": "relay",
}
SIDES = ("above", "below", "at_least", "at_most")
POLICIES = ("ok", "breach", "keep", "unknown")
STATISTICS = {"average": "Average", "maximum": "Maximum", "minimum": "Minimum"}
_SEVERITIES = ("critical", "warning", "info", "p1", "p2", "page_now", "note", "z")
# Lengths of samples, in minutes.
_OVER = (1, 2, 3, 5, 10, 15, 30, 60, 90, 120, 360, 1440)
_DAY = 1440
_SERVICES = ("shop", "orders-api", "a", "s" * 63)


@dataclass(frozen=True)
class Wanted:
    """What a condition means, in base units."""

    name: str
    severity: str
    signal: str
    side: str
    threshold: float
    bound: float | None
    over: float
    m: int
    n: int
    minimum: int
    statistic: str
    policy: str
    mode: str
    engines: tuple[str, ...]


@dataclass
class Drawn:
    """A catalogue as data, with its parts.

    Attributes:
        top: The catalogue.
        parts: The files that it includes, by their names.
        wanted: What its alerts on samples mean in `ENVIRONMENT`.
        others: Names of its other alerts.
    """

    top: dict[str, Any]
    parts: dict[str, dict[str, Any]]
    wanted: list[Wanted]
    others: list[str] = field(default_factory=list)

    def write(self, folder: Path, shuffle: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> Path:
        """Write the files; `shuffle` gives the keys of a mapping in another order, where the order means nothing."""
        folder.mkdir(exist_ok=True, parents=True)
        for name, part in self.parts.items():
            (folder / name).write_text(as_text(part, shuffle))
        path = folder / "catalogue.yaml"
        path.write_text(as_text(self.top, shuffle))
        return path


def as_text(
    document: Mapping[str, Any], shuffle: Callable[[dict[str, Any]], dict[str, Any]] | None = None
) -> str:
    """YAML with each alert, severity, environment and window on a line of its own."""

    def mixed(value: Any, key: str = "") -> Any:
        if isinstance(value, list):
            return [mixed(item) for item in value]
        if not isinstance(value, dict):
            return value
        inner = {name: mixed(item, name) for name, item in value.items()}
        return shuffle(inner) if shuffle and key not in ("alerts", "severities") else inner

    lines = []
    for key, value in document.items():
        if isinstance(value, dict) and key in ("severities", "environments", "alerts", "mute") and value:
            lines.append(f"{key}:")
            lines += [f"  {name}: {_flow(mixed(item, name))}" for name, item in value.items()]
        else:
            lines.append(f"{key}: {_flow(mixed(value, key))}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("\n").removesuffix("\n...")


def duration(minutes: int) -> st.SearchStrategy[str]:
    """A duration in one of its notations."""
    texts = [f"{minutes}m", f"{minutes * 60}s", f"{minutes * 60_000} ms"]
    if minutes % 30 == 0:
        texts.append(f"{minutes / 60:g}h")
    return st.sampled_from(texts)


@st.composite
def shares(draw: st.DrawFn) -> tuple[float, str]:
    """A share, and its words."""
    thousandths = draw(
        st.one_of(st.integers(1, 99_999), st.sampled_from([1000, 5000, 50_000, 7_000, 29_000]))
    )
    text = f"{thousandths / 1000:.3f}".rstrip("0").rstrip(".")
    return thousandths / 100_000, text + draw(st.sampled_from(["%", " %"]))


@st.composite
def thresholds(draw: st.DrawFn, signal: Any, side: str) -> tuple[float, str]:
    """A threshold in the signal's base unit, and its words."""
    unit = signal.unit if isinstance(signal, Level) else signal.counted if isinstance(signal, Count) else "1"
    if unit == "1":
        return draw(shares())
    if unit == "By":
        number = draw(st.integers(1, 4000))
        size, name = draw(
            st.sampled_from([(1, "B"), (1000, "kB"), (10**6, "MB"), (2**20, "MiB"), (2**30, "GiB")])
        )
        return float(number * size), f"{number}{name}"
    if unit == "s":
        number = draw(st.integers(1, 5000))
        return number / 1000, f"{number}ms"
    least = 1 if side in ("below", "at_least") else 0
    number = draw(st.one_of(st.integers(least, 300), st.sampled_from([1, 10**6, 10**9])))
    word = unit.strip("{}")
    return float(number), f"{number} {word}{draw(st.sampled_from(['', 's']))}"


def available(signal: Any) -> set[str]:
    """The engines that have data of a signal, where the environment says every resource."""
    if isinstance(signal, Event):
        return {"cloudwatch"}
    if isinstance(signal, Level | Presence):
        there = [
            s for s in signal.prometheus if not isinstance(s, External) or s.of_service or s.job in RESOURCES
        ]
        vended = {"cloudwatch", "cloudwatch-promql"} if signal.cloudwatch is not None else set()
        ours = {"cloudwatch-promql"} if any(isinstance(source, Selector) for source in there) else set()
        return vended | ours | ({"prometheus"} if there else set())
    if isinstance(signal, Ratio):
        return {"prometheus", "cloudwatch-promql"} | ({"cloudwatch"} if signal.cloudwatch_total else set())
    both = {"cloudwatch", "cloudwatch-promql"} if signal.cloudwatch is not None else set()
    if isinstance(signal, Count) and signal.events is None:
        return both
    return both | {"prometheus", "cloudwatch-promql"}


# What watches the catalogue's own topics and rules needs some.
_OWN = ("notifications_failed", "rule_deliveries_failed", "backup")
_SAMPLED = tuple(n for n, signal in SIGNALS.items() if not isinstance(signal, Event) and n not in _OWN)
_EVENTS = tuple(n for n, signal in SIGNALS.items() if isinstance(signal, Event))
_PROMISED = tuple(
    n for n, s in SIGNALS.items() if isinstance(s, Share) or (isinstance(s, Ratio) and not s.good_is_high)
)


@st.composite
def severities(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Severities of any name and order."""
    names = draw(st.lists(st.sampled_from(_SEVERITIES), min_size=1, max_size=4, unique=True))
    result = {}
    for name in names:
        words: dict[str, Any] = {}
        if draw(st.booleans()):
            words["page"] = draw(st.booleans())
        topic = draw(st.sampled_from(["own", "own", "arn", "none"]))
        if topic == "own":
            words["topic"] = draw(st.sampled_from(["shop-alerts", f"shop-{name}"]))
        elif topic == "arn":
            words["topic"] = f"arn:aws:sns:{REGION}:{ACCOUNT}:elsewhere"
        if draw(st.booleans()):
            words["email"] = ["team@example.com"]
        for kind in ("slack", "pagerduty", "webhook"):
            if draw(st.integers(0, 3)) == 0:
                words[kind] = draw(st.sampled_from(["secret:orders/address", "file:address"]))
        if draw(st.integers(0, 4)) == 0:
            words["log"] = True
        result[name] = words
    if any("topic" in words for words in result.values()) and draw(st.integers(0, 3)) == 0:
        # A topic has one key, or none.
        for words in result.values():
            if not words.get("topic", "arn").startswith("arn"):
                words["encrypt"] = True
    return result


@dataclass
class _Layers:
    """The words of one alert in each layer, the highest first: the environment's, the catalogue's, a part's."""

    layers: list[dict[str, Any]]
    names: list[Mapping[str, str]]

    def say(self, index: int, word: str, value: Any, severity: str = "") -> None:
        layer = self.layers[index]
        if severity:
            layer = layer.setdefault(self.names[index].get(severity, severity), {})
        layer.setdefault(word, value)


@st.composite
def conditions(draw: st.DrawFn, name: str, known: list[str], layers: _Layers) -> list[Wanted]:
    """The conditions of an alert on samples: what they mean; their words go into the layers."""
    signal_name = draw(st.sampled_from(_SAMPLED))
    signal = SIGNALS[signal_name]
    lowest = len(layers.layers) - 1
    layers.say(lowest, "signal", signal_name)
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    presence = isinstance(signal, Presence)
    policy, minimum, statistic = "breach" if presence else "ok", 0, "share"
    side_of: dict[str, str] = {}
    if not presence:
        policy = _shared(draw, layers, "when_missing", st.sampled_from(POLICIES), "ok")
    if isinstance(signal, Ratio | Share):
        minimum = draw(st.integers(1, 5000))
        _place(draw, layers, "minimum", f"{minimum} requests", lambda: f"{draw(st.integers(1, 99))} request")
    if isinstance(signal, Level):
        statistic = signal.statistic
        word = _shared(draw, layers, "statistic", st.sampled_from(sorted(STATISTICS)), "")
        statistic = STATISTICS.get(word, statistic)
    elif isinstance(signal, Count):
        statistic = "Sum"
    elif presence:
        statistic = "SampleCount"
    length_word = "absent_for" if presence else "over"
    wanted = []
    # One length for all of them may stand in the alert.
    together = draw(st.booleans()) and not presence
    minutes = draw(st.sampled_from(_OVER))
    if together:
        layers.say(draw(st.integers(0, lowest)), "over", draw(duration(minutes)))
    sparse = isinstance(signal, Count) and signal.cloudwatch is not None and signal.cloudwatch.sparse
    quiet = False
    for severity in sorted(chosen, key=known.index):
        side, threshold, bound = "below", 1.0, None
        if not together:
            minutes = draw(st.sampled_from(_OVER))
        if not presence:
            side = draw(st.sampled_from(SIDES))
            threshold, text = draw(thresholds(signal, side))
            at = draw(st.integers(0, lowest))
            layers.say(at, side, text, severity)
            for below in range(at + 1, lowest + 1):
                if draw(st.booleans()):
                    other = draw(st.sampled_from(SIDES))
                    layers.say(below, other, draw(thresholds(signal, other))[1], severity)
            if isinstance(signal, Share):
                bound = draw(st.sampled_from(sorted(signal.events.instrument.buckets)))
                text = f"{round(bound * 1000)}ms"
                layers.say(draw(st.integers(0, lowest)), "slower_than", text, severity)
        if not together:
            at = draw(st.integers(0, lowest))
            layers.say(at, length_word, draw(duration(minutes)), severity)
            if not presence and draw(st.booleans()):
                # Lower, so without meaning.
                layers.say(lowest, "over", "7m") if at < lowest else None
        m = n = 1
        if draw(st.booleans()):
            n = draw(st.integers(1, max(1, min(8, _DAY // minutes))))
            m = draw(st.integers(1, n))
            layers.say(draw(st.integers(0, lowest)), "breaching", f"{m} of {n}", severity)
        side_of[severity] = side
        quiet |= sparse and (side in ("below", "at_most") or policy == "breach")
        wanted.append(
            Wanted(
                name, severity, signal_name, side, threshold, bound, minutes * 60.0, m, n, minimum, statistic, policy, "live", (),
            )
        )  # fmt: skip
    there = available(signal)
    engines: tuple[str, ...] = ()
    if quiet:
        # CloudWatch refuses it.
        engines = ("prometheus",)
    elif draw(st.integers(0, 3)) == 0:
        engines = tuple(draw(st.lists(st.sampled_from(sorted(there)), min_size=1, unique=True)))
    if engines:
        layers.say(draw(st.integers(0, lowest)), "engines", list(engines))
    return [Wanted(**{**vars(each), "engines": engines}) for each in wanted]


def _shared(draw: st.DrawFn, layers: _Layers, word: str, values: st.SearchStrategy[str], default: str) -> str:
    """A word of the alert that may be left out."""
    if draw(st.booleans()):
        return default
    value = draw(values)
    _place(draw, layers, word, value, lambda: draw(values))
    return value


def _place(draw: st.DrawFn, layers: _Layers, word: str, value: Any, other: Callable[[], Any]) -> None:
    """Say a word in some layer, and perhaps something else below it."""
    lowest = len(layers.layers) - 1
    at = draw(st.integers(0, lowest))
    layers.say(at, word, value)
    for below in range(at + 1, lowest + 1):
        if draw(st.booleans()):
            layers.say(below, word, other())


@st.composite
def catalogues(draw: st.DrawFn, *, most: int = 5) -> Drawn:
    """A right catalogue with at most so many alerts."""
    told = draw(severities())
    known = list(told)
    renamed = {name: f"their_{name}" for name in known} if draw(st.booleans()) else {}
    part: dict[str, Any] = {}
    own: dict[str, Any] = {}
    above: dict[str, Any] = {}
    drawn = Drawn({}, {}, [])
    for index in range(draw(st.integers(1, most))):
        name = f"alert_{index}" if draw(st.booleans()) else f"{'x' * 60}_{index}"
        kind = draw(st.sampled_from(["sampled", "sampled", "sampled", "event", "slo", "raw"]))
        # The environment may add to what sampled alerts say, and no more.
        in_part = draw(st.booleans())
        words: dict[str, Any] = {}
        override: dict[str, Any] = {}
        mine: dict[str, Any] = {}
        names = renamed if in_part else {}
        if kind == "sampled":
            both = in_part and draw(st.booleans())
            layers = [override, mine, words] if both else [override, words]
            maps: list[Mapping[str, str]] = [{}, {}, renamed] if both else [{}, names]
            meant = draw(conditions(name, known, _Layers(layers, maps)))
        else:
            meant = []
            words |= draw(_other(kind, known, names))
            drawn.others.append(name)
        mode = draw(st.sampled_from(["live", "live", "shadow"]))
        if mode != "live":
            words["mode"] = mode
        drawn.wanted += [Wanted(**{**vars(each), "mode": mode}) for each in meant]
        for word, value in (("owner", "team-x"), ("runbook", "https://wiki.example.com/a/page/with/a/long/address"), ("id", f"id_{index}"), ("was", [f"old_{index}"])):  # fmt: skip
            if draw(st.integers(0, 4)) == 0:
                words[word] = value
        (part if in_part else own)[name] = words
        if mine:
            own[name] = mine
        if override:
            above[name] = override
    _fill(draw, drawn, told, (part, own, above), renamed)
    return drawn


@st.composite
def _other(draw: st.DrawFn, kind: str, known: list[str], names: Mapping[str, str]) -> dict[str, Any]:
    severity = draw(st.sampled_from(known))
    own = names.get(severity, severity)
    if kind == "event":
        return {"signal": draw(st.sampled_from(_EVENTS)), "severity": own}
    if kind == "raw":
        raw: dict[str, Any] = {}
        if draw(st.booleans()):
            raw["cloudwatch"] = {
                "Namespace": "AWS/RDS", "MetricName": "ReplicaLag", "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "shop"}], "Statistic": "Maximum", "Period": 60,
                "EvaluationPeriods": 10, "Threshold": 60.5, "ComparisonOperator": "GreaterThanThreshold",
            }  # fmt: skip
        if not raw or draw(st.booleans()):
            raw["prometheus"] = {"expr": 'up{job="shop"} == 0', "for": draw(st.sampled_from(["5m", "1h30m"]))}
            if draw(st.booleans()):
                raw["prometheus"]["labels"] = {"team": "x", "n": 5, "yes": True}
        return {"raw": raw, "severity": own}
    signal = draw(st.sampled_from(_PROMISED))
    slo: dict[str, Any] = {
        "signal": signal,
        "objective": draw(st.sampled_from(["98%", "99%", "99.9%", "99.95%", "99.999%"])),
    }
    if draw(st.booleans()):
        slo["period"] = draw(st.sampled_from(["7d", "28d", "90d"]))
    if isinstance(SIGNALS[signal], Share):
        slo["slower_than"] = "1s"
    slo[draw(st.sampled_from(["page", "ticket"]))] = own
    slo.setdefault("page", "none")
    slo.setdefault("ticket", "none")
    return {"slo": slo} | ({"minimum": "100 requests"} if draw(st.booleans()) else {})


def _fill(
    draw: st.DrawFn,
    drawn: Drawn,
    told: dict[str, dict[str, Any]],
    alerts: tuple[dict[str, Any], dict[str, Any], dict[str, Any]],
    renamed: Mapping[str, str],
) -> None:
    part, own, above = alerts
    names = [*part, *(name for name in own if name not in part)]
    top = drawn.top
    top |= {"catalogue": 1, "service": draw(st.sampled_from(_SERVICES))}
    if draw(st.booleans()):
        top["owner"] = draw(st.sampled_from(["team-orders", "Bestellungen: Straße #1"]))
    if draw(st.booleans()):
        top["runbook_base"] = draw(
            st.sampled_from(["https://wiki.example.com/", "https://wiki.example.com/{}.md"])
        )
    if draw(st.booleans()):
        top["log_groups"] = ["/shop/api"]
    if part:
        drawn.parts["part.yaml"] = {"catalogue": 1, "alerts": part}
        mapped = {theirs: ours for ours, theirs in renamed.items()}
        top["include"] = [{"file": "part.yaml", "severities": mapped}] if mapped else ["part.yaml"]
    environment: dict[str, Any] = {"account": ACCOUNT, "region": REGION, "resources": dict(RESOURCES)}
    optional = {
        "every": "1m",
        "scrape": "30s",
        "traffic": "1200 requests per minute",
        "keep_logs": "7d",
        "watchdog": "file:watchdog",
        "alertmanager": {"group_wait": "0s", "smtp": "mail.example.com:587", "from": "a@example.com"},
        "engines": ["prometheus", "cloudwatch", "cloudwatch-promql"],
    }
    environment |= {word: value for word, value in optional.items() if draw(st.integers(0, 3)) == 0}
    if above:
        environment["alerts"] = above
    if draw(st.integers(0, 3)) == 0:
        environment["severities"] = {
            draw(st.sampled_from(list(told))): {"slack": "none", "email": ["else@example.com"]}
        }
    top["severities"] = told
    top["environments"] = {ENVIRONMENT: environment}
    if not above and draw(st.booleans()):
        top["environments"][FAST] = {
            "every": "1s",
            "faster": 60,
            "engines": ["prometheus"],
            "resources": {"postgres_job": "postgres"},
        }
    top["alerts"] = own
    if not own:
        del top["alerts"]
    if draw(st.integers(0, 3)) == 0:
        window: dict[str, Any] = {"at": "22:30", "for": "3h", "reason": "orders are imported"}
        if draw(st.booleans()):
            window |= {"days": ["mon", "sun"], "timezone": "Europe/Berlin"}
        if draw(st.booleans()):
            window["alerts"] = [draw(st.sampled_from(names))]
        if draw(st.booleans()):
            window["severities"] = [draw(st.sampled_from(list(told)))]
        top["mute"] = {
            "nightly": window,
            "once": {"at": "2026-12-24T22:00", "for": "4d", "reason": "holidays"},
        }
