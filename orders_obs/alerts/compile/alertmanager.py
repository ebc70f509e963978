"""Alertmanager's configuration: routes by severity, inhibition, times in which nothing is told, a watchdog.

Addresses are read from files that stand beside the configuration, so that it holds no secret. The address of a secret NAME of a severity
is expected in `secrets/SEVERITY-KIND`.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.compile.engines import Difference, chosen
from orders_obs.alerts.compile.prometheus import WATCHDOG

if TYPE_CHECKING:
    from orders_obs.alerts.model import (
        AlertmanagerSettings,
        AnyAlert,
        MuteWindow,
        Receiver,
        ResolvedCatalogue,
        Severity,
    )

__all__ = ["configuration", "render"]

NOBODY = "nobody"
_GROUP_BY = ["alertname", "service", "env", "severity"]
_DAY = 1440
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TITLE = '{{ .CommonAnnotations.summary }}{{ if eq .Status "resolved" }}: over{{ end }}'
_TEXT = "{{ range .Alerts }}{{ .Annotations.description }} {{ .Annotations.runbook_url }}\n{{ end }}"
# How often the watchdog's receiver hears that alerts arrive.
_WATCHDOG_REPEAT = "1m"


def configuration(catalogue: ResolvedCatalogue) -> tuple[dict[str, Any], list[Difference]]:
    """The configuration of one environment, and what is not in it as the catalogue says."""
    environment = catalogue.environment
    found, _ = chosen(catalogue, "prometheus")
    differences: list[Difference] = []
    receivers: list[dict[str, Any]] = [{"name": NOBODY}]
    routes: list[dict[str, Any]] = []
    if environment.watchdog is not None:
        receivers.append({"name": WATCHDOG, "webhook_configs": [_webhook(environment.watchdog, WATCHDOG)]})
        routes.append(
            {
                "receiver": WATCHDOG,
                "matchers": _matchers(catalogue, alertname=WATCHDOG),
                "group_wait": "0s",
                # What is not due at a look at the group waits for the next one.
                "group_interval": _WATCHDOG_REPEAT,
                "repeat_interval": _WATCHDOG_REPEAT,
            }
        )
    routes.append({"receiver": NOBODY, "matchers": ['mode="shadow"']})
    for severity in catalogue.severities:
        receiver = _receiver(severity, environment.alertmanager, differences)
        if receiver is not None:
            receivers.append(receiver)
        route: dict[str, Any] = {
            "receiver": severity.name if receiver else NOBODY,
            "matchers": _matchers(catalogue, severity=severity.name),
        }
        children = _muted(catalogue, severity, found)
        if children:
            route["routes"] = [{"receiver": route["receiver"], **child} for child in children]
        routes.append(route)
    content: dict[str, Any] = {
        "global": _mail(environment.alertmanager),
        "route": {
            "receiver": NOBODY,
            "group_by": _GROUP_BY,
            "group_wait": environment.alertmanager.group_wait,
            "group_interval": environment.alertmanager.group_interval,
            "repeat_interval": environment.alertmanager.repeat_interval,
            "routes": routes,
        },
        "inhibit_rules": _inhibition(catalogue),
        "receivers": receivers,
    }
    if catalogue.mutes:
        content["time_intervals"] = [
            {"name": mute.name, "time_intervals": _intervals(mute)} for mute in catalogue.mutes
        ]
    return {key: value for key, value in content.items() if value}, differences


def render(content: dict[str, Any], differences: list[Difference]) -> str:
    """The configuration's text, the same for the same catalogue."""
    head = [
        "# Built by `orders-obs alerts build --engine alertmanager`; change the catalogue, not this file."
    ]
    head += [f"# Not here: {difference}" for difference in differences]
    return "\n".join(head) + "\n" + yaml.safe_dump(content, sort_keys=False, width=1000, allow_unicode=True)


def _matchers(catalogue: ResolvedCatalogue, **labels: str) -> list[str]:
    every = {**labels, "service": catalogue.service, "env": catalogue.environment.name}
    return [f'{name}="{value}"' for name, value in every.items()]


def _receiver(
    severity: Severity, settings: AlertmanagerSettings, differences: list[Difference]
) -> dict[str, Any] | None:
    """The receiver of a severity; None where nobody is told."""
    content: dict[str, Any] = {}
    slack, pager, webhook = (severity.receiver(kind) for kind in ("slack", "pagerduty", "webhook"))
    if slack:
        content["slack_configs"] = [
            {
                "api_url_file": _path(slack, severity.name),
                "send_resolved": True,
                "title": _TITLE,
                "text": _TEXT,
            }
        ]
    if pager:
        content["pagerduty_configs"] = [
            {"routing_key_file": _path(pager, severity.name), "send_resolved": True}
        ]
    if webhook:
        content["webhook_configs"] = [_webhook(webhook, severity.name)]
    if severity.email and settings.smarthost:
        content["email_configs"] = [
            {"to": address, "send_resolved": True, "require_tls": True} for address in severity.email
        ]
    elif severity.email:
        reason = f"severity {severity.name}: no e-mail: Alertmanager needs a mail server: alertmanager: {{smtp: HOST:PORT, from: ADDRESS}}"
        differences.append(Difference(severity.name, severity.source.short, reason))
    return {"name": severity.name, **content} if content and not severity.log else None


def _mail(settings: AlertmanagerSettings) -> dict[str, str]:
    if not settings.smarthost:
        return {}
    content = {"smtp_smarthost": settings.smarthost, "smtp_from": settings.sender}
    if settings.username:
        content |= {
            "smtp_auth_username": settings.username,
            "smtp_auth_password_file": "secrets/smtp-password",
        }
    return content


def _webhook(receiver: Receiver, name: str) -> dict[str, Any]:
    return {"url_file": _path(receiver, name), "send_resolved": True}


def _path(receiver: Receiver, name: str) -> str:
    return receiver.name if receiver.store == "file" else f"secrets/{name}-{receiver.kind}"


def _inhibition(catalogue: ResolvedCatalogue) -> list[dict[str, Any]]:
    """Of one alert, a worse severity mutes the others; one in shadow, or that tells nobody, mutes nothing."""
    rules = []
    for index, severity in enumerate(catalogue.severities[1:], 1):
        telling = [other for other in catalogue.severities[:index] if not other.log]
        if not telling:
            continue
        worse = "|".join(other.name for other in telling)
        rules.append(
            {
                "source_matchers": [f'severity=~"{worse}"', 'mode!="shadow"'],
                "target_matchers": [f'severity="{severity.name}"'],
                "equal": ["alertname", "service", "env"],
            }
        )
    return rules


def _muted(catalogue: ResolvedCatalogue, severity: Severity, found: list[AnyAlert]) -> list[dict[str, Any]]:
    """Routes of the alerts that have mute windows, those with the same ones together."""
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for alert in found:
        if alert.severity.name == severity.name:
            windows = tuple(window.name for window in catalogue.mutes if window.covers(alert))
            if windows and alert.name not in together[windows]:
                together[windows].append(alert.name)
    return [
        {"matchers": [f'alertname=~"{"|".join(sorted(names))}"'], "mute_time_intervals": list(windows)}
        for windows, names in sorted(together.items())
    ]


def _intervals(window: MuteWindow) -> list[dict[str, Any]]:
    """The window cut at midnight, as Alertmanager's intervals do not go beyond it."""
    intervals: list[dict[str, Any]] = []
    offset, left, start = 0, window.length, window.minute
    while left > 0:
        end = min(_DAY, start + left)
        interval: dict[str, Any] = {}
        if (start, end) != (0, _DAY):
            interval["times"] = [{"start_time": _clock(start), "end_time": _clock(end)}]
        if window.on:
            day = window.on + timedelta(days=offset)
            interval |= {
                "years": [str(day.year)],
                "months": [str(day.month)],
                "days_of_month": [str(day.day)],
            }
        elif window.days:
            interval["weekdays"] = [_DAYS[(day + offset) % 7] for day in window.days]
        interval["location"] = window.timezone
        intervals.append(interval)
        offset, left, start = offset + 1, left - (end - start), 0
    return intervals


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
