"""Files from which Grafana provisions itself: the sandbox's way to the same dashboards, without an API and a token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from orders_obs.dashboards.publishing.targets import DataSource, Target

__all__ = ["DASHBOARDS", "HEADER", "SANDBOX", "provisioning"]

HEADER = "# Made by `orders-obs dashboards provision`."
"""How a file of ours begins."""

DASHBOARDS = "/var/lib/orders-obs/dashboards"
"""Where the sandbox's Grafana has the built dashboards."""

SANDBOX: tuple[dict[str, Any], ...] = (
    {
        "name": "Prometheus",
        "uid": "prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": "http://prometheus:9090",
        "isDefault": True,
        "jsonData": {
            "timeInterval": "1s",
            "httpMethod": "POST",
            # The dot on a graph opens the trace.
            "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": "jaeger"}],
        },
    },
    {
        "name": "Jaeger",
        "uid": "jaeger",
        "type": "jaeger",
        "access": "proxy",
        "url": "http://jaeger:16686",
        "jsonData": {
            "nodeGraph": {"enabled": True},
            "tracesToMetrics": {
                "datasourceUid": "prometheus",
                "tags": [{"key": "service.name", "value": "job"}],
                "queries": [{"name": "Requests", "query": "sum(rate(http_requests_total{$__tags}[1m]))"}],
            },
        },
    },
    {
        "name": "Alertmanager",
        "uid": "alertmanager",
        "type": "alertmanager",
        "access": "proxy",
        "url": "http://alertmanager:9093",
        "jsonData": {"implementation": "prometheus"},
    },
)
"""The data sources of the sandbox, as the HTTP API names their settings."""


def provisioning(target: Target | None = None, *, path: str = "") -> dict[Path, str]:
    """The files by their name below Grafana's folder `provisioning`.

    Args:
        target: Whose data sources and folder they have; the sandbox's when None.
        path: Where Grafana finds the built dashboards; `DASHBOARDS` when empty.

    Raises:
        UserError: A data source of the target has a secret that is not in an environment variable, or the target has only some of
            the dashboards and no folder with those is named.
    """
    if target is not None and target.dashboards and not path:
        raise UserError(
            f"target {target.name} names its dashboards, and Grafana takes every dashboard of its folder",
            hint="put those into a folder of their own, and name it with --path",
            file=target.file,
            line=target.line,
        )
    provider: dict[str, Any] = {
        "name": "orders-obs",
        "folder": "orders-obs",
        "type": "file",
        # The built dashboards say that nobody edits them, and a change in Grafana would go with the next file.
        "allowUiUpdates": False,
        "options": {"path": path or DASHBOARDS},
    }
    sources: list[dict[str, Any]] = [_escaped(source) for source in SANDBOX]
    if target is not None:
        if target.folder is not None:
            provider |= {"folder": target.folder.title, "folderUid": target.folder.uid}
        if target.org != 1:
            provider["orgId"] = target.org
        sources = [_source(source, target) for source in target.datasources.values() if source.managed]
    return {
        Path("dashboards/orders-obs.yaml"): _text({"apiVersion": 1, "providers": [provider]}),
        Path("datasources/orders-obs.yaml"): _text({"apiVersion": 1, "datasources": sources}),
    }


def _source(source: DataSource, target: Target) -> dict[str, Any]:
    secure: dict[str, str] = {}
    for name, place in source.secure.items():
        if place.store != "env":
            raise UserError(
                f"data source {source.key}: {name} is in {place}, which Grafana's files cannot name",
                hint="give it to Grafana in an environment variable: {env: NAME}",
                file=target.file,
                line=target.line,
            )
        secure[name] = f"${{{place.name}}}"
    described = {"name": source.name or source.key, "uid": source.uid, "type": source.type, "access": "proxy"}
    plain = _escaped(described | source.settings)
    org = {"orgId": target.org} if target.org != 1 else {}
    return {**plain, **org, **({"secureJsonData": secure} if secure else {})}


def _escaped(value: Any) -> Any:
    """Grafana replaces `$NAME` in these files by the environment's, and `$$` by `$`."""
    if isinstance(value, dict):
        return {key: _escaped(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_escaped(entry) for entry in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _text(data: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)
    return f"{HEADER}\n{text}"
