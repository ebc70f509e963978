"""Grafana's `/apis` paths for dashboards and folders. Each function names where its answers are from."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tests.dashboards.grafana_server.answers import Answer, failure, wrong_spec
from tests.dashboards.grafana_server.store import SERVICE_ACCOUNT, TIME, Dashboard

if TYPE_CHECKING:
    from tests.dashboards.grafana_server.server import Grafana

_KIND, _IDENTITY, _EDITS = "grafana.app/managedBy", "grafana.app/managerId", "grafana.app/managerAllowsEdits"


def group(grafana: Grafana, name: str) -> Answer:
    """Source: Kubernetes API discovery, APIGroup; versions of 12 and 13: docs, "Dashboard HTTP API" of each."""
    if not grafana.served:
        return Answer(404, {"message": "Not found"})
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in grafana.served]
    return Answer(
        200,
        {
            "kind": "APIGroup",
            "apiVersion": "v1",
            "name": name,
            "versions": versions,
            "preferredVersion": versions[0],
        },
    )


def as_resource(grafana: Grafana, known: Dashboard, version: str) -> dict[str, Any]:
    """Source: docs, "Get Dashboard"; status.conversion: apps/dashboard/pkg/migration/conversion, SetConversionStatus.

    The documentation's example of a read has no `grafana.app/message`; a server that keeps it back is `keeps_message=False`.
    """
    annotations = {"grafana.app/createdBy": known.versions[0].by, **known.annotations}
    if known.generation > 1 or len(known.versions) > 1:
        annotations |= {"grafana.app/updatedBy": known.by, "grafana.app/updatedTimestamp": TIME}
    if known.folder:
        annotations["grafana.app/folder"] = known.folder
    if not grafana.keeps_message:
        annotations.pop("grafana.app/message", None)
    conversion = (
        {"conversion": {"failed": False, "storedVersion": known.stored}} if known.stored != version else {}
    )
    return {
        "kind": "Dashboard", "apiVersion": f"dashboard.grafana.app/{version}",
        "metadata": {
            "name": known.uid, "namespace": grafana.namespace, "uid": f"k8s-{known.uid}", "resourceVersion": str(known.revision),
            "generation": known.generation, "creationTimestamp": TIME,
            "labels": {"grafana.app/deprecatedInternalID": str(known.internal_id), **known.labels}, "annotations": annotations,
        },
        "spec": known.content, "status": conversion,
    }  # fmt: skip


def get_dashboard(grafana: Grafana, version: str, uid: str) -> Answer:
    """Source: docs, "Get Dashboard"."""
    known = grafana.store.dashboards.get(uid)
    if known is None:
        return failure(404, "NotFound", f'dashboards.dashboard.grafana.app "{uid}" not found')
    return Answer(200, as_resource(grafana, known, version))


def list_dashboards(grafana: Grafana, version: str, query: dict[str, list[str]]) -> Answer:
    """Source: docs, "List Dashboards": `limit`, and `metadata.continue` while there are more."""
    limit = min(int(query.get("limit", ["500"])[0]), grafana.page_size or 500)
    start = int(query.get("continue", ["0"])[0])
    every = list(grafana.store.dashboards.values())
    items = [as_resource(grafana, known, version) for known in every[start : start + limit]]
    metadata: dict[str, Any] = {"resourceVersion": "1"}
    if start + limit < len(every):
        metadata["continue"] = str(start + limit)
    return Answer(
        200,
        {
            "kind": "DashboardList",
            "apiVersion": f"dashboard.grafana.app/{version}",
            "metadata": metadata,
            "items": items,
        },
    )


def create_dashboard(grafana: Grafana, version: str, body: dict[str, Any]) -> Answer:
    """Source: docs, "Create Dashboard": 201, and 409 where the name is taken."""
    uid = body["metadata"]["name"]
    if uid in grafana.store.dashboards:
        return failure(409, "AlreadyExists", f'dashboards.dashboard.grafana.app "{uid}" already exists')
    if grafana.quota is not None and len(grafana.store.dashboards) >= grafana.quota:
        return failure(403, "Forbidden", "quota reached")
    return _save(grafana, version, uid, body, 201)


def replace_dashboard(grafana: Grafana, version: str, uid: str, body: dict[str, Any]) -> Answer:
    """Source: docs, "Update Dashboard"; k8s: a resourceVersion that is not the newest is a conflict, none is no condition.

    Managers: pkg/storage/unified/apistore/managed.go checkManagerPropertiesOnUpdateSpec.
    """
    known = grafana.store.dashboards.get(uid)
    if known is None:
        return _save(grafana, version, uid, body, 201)
    assert body["metadata"]["name"] == uid
    asked = body["metadata"].get("resourceVersion")
    if asked and asked != str(known.revision):
        message = (
            f'Operation cannot be fulfilled on dashboards.dashboard.grafana.app "{uid}": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )
        return failure(409, "Conflict", message)
    new = body["metadata"].get("annotations") or {}
    if known.annotations.get(_KIND) == "repo":
        return failure(403, "Forbidden", "this resource is managed by a repository")
    if known.annotations.get(_KIND) and new.get(_KIND) and known.annotations[_KIND] != new[_KIND]:
        return failure(
            403,
            "Forbidden",
            "Cannot change resource manager; remove the existing manager first, then add the new one",
        )
    if (
        known.annotations.get(_IDENTITY)
        and new.get(_IDENTITY)
        and known.annotations[_IDENTITY] != new[_IDENTITY]
    ):
        return failure(
            403, "Forbidden", "Cannot change resource manager identity; remove the existing manager first, then add the new one"
        )  # fmt: skip
    return _save(grafana, version, uid, body, 200)


def delete_dashboard(grafana: Grafana, uid: str, body: Any) -> Answer:
    """Source: docs, "Delete Dashboard"; k8s.io/apimachinery pkg/apis/meta/v1, DeleteOptions and Preconditions."""
    assert set(body or {}) <= {"kind", "apiVersion", "preconditions"}, body.keys()
    known = grafana.store.dashboards.get(uid)
    if known is None:
        return failure(404, "NotFound", f'dashboards.dashboard.grafana.app "{uid}" not found')
    asked = (body or {}).get("preconditions", {}).get("resourceVersion")
    if asked and asked != str(known.revision):
        message = f"Precondition failed: ResourceVersion in precondition: {asked}, ResourceVersion in object meta: {known.revision}"
        return failure(409, "Conflict", message)
    del grafana.store.dashboards[uid]
    return Answer(
        200,
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {"name": uid}},
    )


def get_folder(grafana: Grafana, version: str, uid: str) -> Answer:
    """Source: docs, "Get folder by uid"."""
    title = grafana.store.folders.get(uid)
    if title is None:
        return failure(404, "NotFound", f'folders.folder.grafana.app "{uid}" not found')
    return Answer(
        200,
        {
            "kind": "Folder",
            "apiVersion": f"folder.grafana.app/{version}",
            "metadata": {"name": uid},
            "spec": {"title": title},
        },
    )


def create_folder(grafana: Grafana, version: str, body: dict[str, Any]) -> Answer:
    """Source: docs, "Create folder": 201, and 409 where the uid is taken."""
    uid = body["metadata"]["name"]
    if uid in grafana.store.folders:
        return failure(409, "AlreadyExists", f'folders.folder.grafana.app "{uid}" already exists')
    grafana.store.folders[uid] = body["spec"]["title"]
    return Answer(201, get_folder(grafana, version, uid).data)


def _save(grafana: Grafana, version: str, uid: str, body: dict[str, Any], status: int) -> Answer:
    assert set(body) <= {"kind", "apiVersion", "metadata", "spec"}, body.keys()
    assert len(uid) <= 40
    metadata, content = body["metadata"], body["spec"]
    annotations = dict(metadata.get("annotations") or {})
    assert all(isinstance(value, str) for value in annotations.values())
    message = annotations.get("grafana.app/message", "")
    assert len(message) <= 500
    causes = wrong_spec(content)
    if causes:
        return failure(422, "Invalid", f'Dashboard.dashboard.grafana.app "{uid}" is invalid', causes)
    folder = annotations.pop("grafana.app/folder", "")
    if folder and folder not in grafana.store.folders:
        return failure(404, "NotFound", f'folders.folder.grafana.app "{folder}" not found')
    for name in ("createdBy", "updatedBy", "updatedTimestamp"):
        annotations.pop(f"grafana.app/{name}", None)
    if grafana.drops_annotations:
        annotations = {}
    content = copy.deepcopy(content)
    if grafana.adds_defaults:
        # v1 writes are migrated, and migrations add what is their default (apps/dashboard/pkg/migration).
        for panel in content.get("panels", ()):
            panel.setdefault("repeatDirection", "h")
    saved = grafana.store.save(
        uid, content, folder=folder, message=message, by=SERVICE_ACCOUNT["uid"], annotations=annotations, stored=version
    )  # fmt: skip
    return Answer(status, as_resource(grafana, saved, version))
