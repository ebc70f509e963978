"""What is wrong with the rules of a live Prometheus: read by its HTTP API, which changes nothing."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

from orders_obs.alerts.lint.rule_files import lint_rules
from orders_obs.alerts.promql import parse, uses
from orders_obs.aws.audit.audit import worst_first
from orders_obs.aws.audit.model import Gap, Issue, Result
from orders_obs.aws.audit.rules import PROMETHEUS_RULES, subject_of
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orders_obs.findings import Level

__all__ = ["audit_prometheus"]

_TIMEOUT = 30
_LARGEST = 64 * 1024 * 1024
_LOOKED_BACK = timedelta(days=1)
_FIRING = timedelta(days=14)
_SAID = 200
# Functions that are there to notice that a series is not.
_ABSENCE = re.compile(r"\babsent(_over_time)?\s*\(|\bor\s+vector\s*\(")
_EITHER = re.compile(r"\bor\b")
_WHEN_BAD = re.compile(r"error|fail|exception|reject|drop|timeout|retr|panic|abort", re.IGNORECASE)


def audit_prometheus(url: str, now: datetime) -> Result:
    """What is wrong with the rules of a Prometheus.

    Args:
        url: Its address, with the prefix that it is served under.
        now: The moment that ages are measured at.

    Raises:
        UserError: The address is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("--prometheus wants an address", hint="such as http://127.0.0.1:9090")
    place = redact_url(url).rstrip("/")
    server = _Server(url.rstrip("/"), place)
    try:
        groups: list[dict[str, Any]] = server.get("/api/v1/rules")["groups"]
    except EnvironmentFault as fault:
        return Result(place, fault=str(fault), what="rules")
    except (KeyError, TypeError):
        return Result(place, fault="what answers there is no Prometheus", what="rules")
    issues = [*_linted(place, groups), *_evaluated(place, groups, now), *_senders(server, place, groups)]
    issues += _not_there(server, place, groups, now)
    count = sum(len(group.get("rules") or ()) for group in groups)
    return Result(
        place, count, tuple(sorted(dict.fromkeys(issues), key=worst_first)), tuple((gap, ()) for gap in server.gaps),
        newest=now.isoformat(timespec="seconds"), oldest=now.isoformat(timespec="seconds"), calls=server.calls, what="rules",
    )  # fmt: skip


class _Server:
    """The HTTP API of a Prometheus; what it does not answer is a gap."""

    def __init__(self, url: str, place: str) -> None:
        parts = urlsplit(url)
        self._headers = {}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._place = place
        self.gaps: list[Gap] = []
        self.calls: dict[str, int] = {}

    def get(self, path: str, **parameters: str) -> Any:
        self.calls[path] = self.calls.get(path, 0) + 1
        query = f"?{urlencode(parameters)}" if parameters else ""
        request = urllib.request.Request(f"{self._url}{path}{query}", headers=self._headers)  # noqa: S310  # http or https, as checked
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310  # likewise
                content = json.loads(answer.read(_LARGEST))
        except urllib.error.HTTPError as error:
            raise EnvironmentFault(f"{self._place} answers {path} with HTTP {error.code}") from None
        except (OSError, ValueError) as error:
            raise EnvironmentFault(f"{self._place} cannot be read: {type(error).__name__}") from None
        if not isinstance(content, dict) or content.get("status") != "success":
            raise EnvironmentFault(f"{self._place} does not answer {path} as a Prometheus does")
        return content["data"]

    def try_get(self, path: str, **parameters: str) -> Any:
        try:
            return self.get(path, **parameters)
        except EnvironmentFault as fault:
            self.gaps.append(Gap(path, "failed", f"what {path} says", fault.message[:_SAID]))
            return None


def _issue(
    rule: str, place: str, kind: str, thing: str, message: str, *, level: Level | None = None
) -> Issue:
    known = PROMETHEUS_RULES[rule]
    return Issue(rule, level or known.level, known.subject, place, kind, thing, message, known.remedy)


def _every(groups: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for group in groups:
        for rule in group.get("rules") or ():
            yield group, rule


def _is_alert(rule: Mapping[str, Any]) -> bool:
    return rule.get("type") == "alerting"


def _linted(place: str, groups: Sequence[Mapping[str, Any]]) -> Iterator[Issue]:
    """What lint says of the rules, which are written out one a line for it."""
    lines, owners = ["groups:"], {}
    for group in groups:
        lines += [
            f"- name: {json.dumps(group.get('name', ''))}",
            "  rules:" if group.get("rules") else "  rules: []",
        ]
        for rule in group.get("rules") or ():
            named = {"alert" if _is_alert(rule) else "record": rule.get("name"), "expr": rule.get("query")}
            if rule.get("duration"):
                named["for"] = f"{rule['duration']:.0f}s"
            named |= {key: rule[key] for key in ("labels", "annotations") if rule.get(key)}
            lines.append(f"  - {json.dumps(named)}")
            owners[len(lines)] = (group, rule)
    try:
        findings = lint_rules("\n".join(lines) + "\n", Path("rules"))
    except UserError:
        return
    for finding in findings:
        group, rule = owners[int(finding.where.rpartition(":")[2])]
        thing = f"{group.get('name')}/{rule.get('name')}"
        yield Issue(
            finding.rule, finding.level, subject_of(finding.rule), place, "rule", thing,
            finding.message.removeprefix(f"{rule.get('name')}: "), finding.hint,
        )  # fmt: skip


def _evaluated(place: str, groups: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Issue]:
    for group, rule in _every(groups):
        thing = f"{group.get('name')}/{rule.get('name')}"
        if rule.get("health") == "err":
            said = str(rule.get("lastError", ""))[:_SAID]
            yield _issue("rule-failing", place, "rule", thing, f"its evaluation fails: {said}")
        for alert in rule.get("alerts") or ():
            since = _moment(str(alert.get("activeAt", "")))
            if alert.get("state") == "firing" and since is not None and now - since >= _FIRING:
                yield _issue("stuck-firing", place, "rule", thing, f"has fired since {since.date()}")
                break
    for group in groups:
        took, interval = float(group.get("evaluationTime") or 0), float(group.get("interval") or 0)
        if interval and took > interval:
            yield _issue(
                "group-too-slow", place, "group", str(group.get("name")), f"takes longer than its interval of {interval:g} s"
            )  # fmt: skip


def _senders(server: _Server, place: str, groups: Sequence[Mapping[str, Any]]) -> Iterator[Issue]:
    if not any(_is_alert(rule) for _, rule in _every(groups)):
        return
    found = server.try_get("/api/v1/alertmanagers")
    if found is None:
        return
    if not found.get("activeAlertmanagers"):
        yield _issue(
            "no-alertmanager", place, "server", place, "has alerts, and no Alertmanager to send them to"
        )
    if found.get("droppedAlertmanagers"):
        yield _issue("alertmanager-dropped", place, "server", place, "has dropped an Alertmanager")


def _not_there(
    server: _Server, place: str, groups: Sequence[Mapping[str, Any]], now: datetime
) -> Iterator[Issue]:
    """Alerts on metrics of which there was no sample within a day."""
    span = {"start": str((now - _LOOKED_BACK).timestamp()), "end": str(now.timestamp())}
    names = server.try_get("/api/v1/label/__name__/values", **span)
    if names is None:
        return
    known = set(names) | {"ALERTS", "ALERTS_FOR_STATE"}
    jobs: dict[tuple[str, str], bool] = {}
    for group, rule in _every(groups):
        text = str(rule.get("query", ""))
        if not _is_alert(rule) or _ABSENCE.search(text):
            continue
        thing = f"{group.get('name')}/{rule.get('name')}"
        read = _read(text)
        # Of what stands on the sides of `or`, one is enough.
        if _EITHER.search(text) and any(name in known for name, _ in read):
            continue
        for name, job in read:
            if name not in known:
                level: Level | None = "info" if _WHEN_BAD.search(name) else None
                tail = "; right where it comes with the first failure" if level else ""
                yield _issue(
                    "metric-not-there",
                    place,
                    "rule",
                    thing,
                    f"{name} had no sample in the last day{tail}",
                    level=level,
                )
            elif job:
                if (name, job) not in jobs:
                    selector = f"{name}{{job={json.dumps(job)}}}"
                    found = server.try_get("/api/v1/series", **{"match[]": selector, "limit": "1", **span})
                    jobs[name, job] = found is None or bool(found)
                if not jobs[name, job]:
                    yield _issue(
                        "series-not-there",
                        place,
                        "rule",
                        thing,
                        f"{name} had no sample of job {job} in the last day",
                    )


def _read(text: str) -> list[tuple[str, str]]:
    """The metrics that an expression reads, each with the job that it asks for where it names one."""
    try:
        found = uses(parse(text))
    except ValueError:
        return []
    jobs = {
        id(use): next((one.value for one in use.matchers if (one.label, one.op) == ("job", "=")), "")
        for use in found
    }
    return list(dict.fromkeys((use.metric, jobs[id(use)]) for use in found if use.metric))


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
