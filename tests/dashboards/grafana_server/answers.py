"""An answer, and Grafana's two forms of an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    status: int
    data: Any
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


def error(code: int, message: str, /, **more: Any) -> Answer:
    """Of `/api`. Source: docs of the legacy HTTP API, "Precondition Failed" and "Bad request" examples."""
    return Answer(code, {"message": message, **more})


def denied(right: str) -> Answer:
    """Source: grafana/grafana pkg/services/accesscontrol/middleware.go."""
    message = f"You'll need additional permissions to perform this action. Permissions needed: {right}"
    return Answer(403, {"accessErrorId": "ACE0000000001", "message": message, "title": "Access denied"})


def failure(status: int, reason: str, message: str, causes: list[dict[str, str]] | None = None) -> Answer:
    """Of `/apis`: a Kubernetes Status. Source: k8s.io/apimachinery pkg/apis/meta/v1, Status."""
    details = {"details": {"causes": causes}} if causes else {}
    return Answer(
        status,
        {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
            **details, "code": status,
        },
    )  # fmt: skip


def wrong_spec(content: dict[str, Any]) -> list[dict[str, str]]:
    """What Grafana's schema of v1 refuses: wrong types, never unknown fields. A few of its rules, not all.

    Source: grafana/grafana apps/dashboard/pkg/apis/dashboard/v1, ValidateDashboardSpec.
    """
    found = []
    kinds: dict[str, type] = {
        "title": str,
        "panels": list,
        "schemaVersion": int,
        "tags": list,
        "templating": dict,
    }
    for name, kind in kinds.items():
        if name in content and not isinstance(content[name], kind):
            found.append(
                {"field": f"spec.{name}", "message": f"conflicting values (mismatched types): {name}"}
            )
    panels = content.get("panels")
    for index, panel in enumerate(panels if isinstance(panels, list) else ()):
        steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
        if any(isinstance(step.get("value"), str) for step in steps):
            place = f"spec.panels.{index}.fieldConfig.defaults.thresholds.steps"
            found.append({"field": place, "message": "conflicting values: value must be a number or null"})
    return found
