"""What a Grafana server keeps: dashboards with their versions, folders, data sources, annotations. One store behind both APIs."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field
from typing import Any

TIME = "2026-11-25T10:00:00Z"
SERVICE_ACCOUNT = {"uid": "service-account:dejwtrofg77y8d", "login": "sa-1-publisher"}


@dataclass
class Version:
    number: int
    message: str
    by: str
    content: dict[str, Any]


@dataclass
class Dashboard:
    uid: str
    internal_id: int
    content: dict[str, Any]
    folder: str
    by: str
    generation: int = 1
    revision: int = 1
    stored: str = "v1"
    provisioned: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)


class Store:
    def __init__(self) -> None:
        self.dashboards: dict[str, Dashboard] = {}
        self.folders: dict[str, str] = {}
        self.datasources: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.annotations: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._revisions = itertools.count(1_764_000_000_000_001)

    def number(self) -> int:
        return next(self._numbers)

    def save(
        self,
        uid: str,
        content: dict[str, Any],
        *,
        folder: str,
        message: str,
        by: str,
        annotations: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        stored: str = "v1",
    ) -> Dashboard:
        """A new version where the content differs; `metadata.generation` is raised for no other reason.

        Source: docs, "New API structure", Generation; grafana/grafana pkg/api/dashboard.go gives it as `version`.
        """
        content = {
            key: copy.deepcopy(value) for key, value in content.items() if key not in ("id", "uid", "version")
        }
        known = self.dashboards.get(uid)
        if known is None:
            known = Dashboard(uid, self.number(), content, folder, by, revision=next(self._revisions))
            self.dashboards[uid] = known
            known.versions.append(Version(1, message, by, content))
        else:
            if content != known.content or stored != known.stored:
                known.generation += 1
            known.versions.append(Version(known.generation, message, by, content))
            known.content, known.folder, known.by = content, folder, by
            known.revision = next(self._revisions)
        known.stored = stored
        known.annotations = dict(annotations or {})
        known.labels = dict(labels or {})
        return known
