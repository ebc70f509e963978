"""Grafana's `/api` paths. Each function names where its answers are from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.dashboards.grafana_server.answers import Answer, error
from tests.dashboards.grafana_server.store import SERVICE_ACCOUNT, TIME

if TYPE_CHECKING:
    from tests.dashboards.grafana_server.server import Grafana

_UID = re.compile(r"[A-Za-z0-9_-]*")


def get_dashboard(grafana: Grafana, uid: str) -> Answer:
    """Source: docs "Get dashboard by uid"; pkg/api/dashboard.go GetDashboard (meta.provisioned, provisionedExternalId)."""
    known = grafana.store.dashboards.get(uid)
    if known is None:
        return error(404, "Dashboard not found")
    meta: dict[str, Any] = {
        "type": "db", "canSave": True, "canEdit": True, "url": f"/d/{uid}/x", "slug": "x", "version": known.generation,
        "updated": TIME, "updatedBy": known.by, "created": TIME, "createdBy": known.versions[0].by,
        "folderUid": known.folder, "folderTitle": grafana.store.folders.get(known.folder, "General"),
        "provisioned": bool(known.provisioned), "provisionedExternalId": known.provisioned,
    }  # fmt: skip
    content = {**known.content, "id": known.internal_id, "uid": uid, "version": known.generation}
    return Answer(200, {"dashboard": content, "meta": meta})


def save_dashboard(grafana: Grafana, body: dict[str, Any]) -> Answer:
    """Source: docs "Create / Update dashboard"; pkg/services/dashboards/errors.go; pkg/api/dashboard.go.

    Without `overwrite` a version that is not the newest is a conflict: 412 `version-mismatch` up to 12, 409 since.
    """
    assert set(body) <= {"dashboard", "folderUid", "message", "overwrite", "folderId"}, body.keys()
    content = body.get("dashboard")
    if not isinstance(content, dict):
        return error(400, "bad request data")
    if "spec" in content:
        return error(400, "Dashboard appears to be a full k8s style resource.")
    uid = content.get("uid") or f"a{grafana.store.number()}"
    if not content.get("title"):
        return error(400, "Dashboard title cannot be empty", status="empty-name")
    if len(uid) > 40:
        return error(400, "uid too long, max 40 characters")
    if not _UID.fullmatch(uid):
        return error(400, "uid contains illegal characters")
    if len(body.get("message") or "") > 500:
        return error(400, "message too long, max 500 characters")
    folder = body.get("folderUid") or ""
    if folder and folder not in grafana.store.folders:
        return error(400, "folder not found")
    known = grafana.store.dashboards.get(uid)
    if known is None and grafana.quota is not None and len(grafana.store.dashboards) >= grafana.quota:
        return error(403, "Quota reached")
    locked = known is not None and (
        known.provisioned
        or (
            known.annotations.get("grafana.app/managedBy")
            and not known.annotations.get("grafana.app/managerAllowsEdits")
        )
    )
    if locked:
        return error(400, "Cannot save provisioned dashboard")
    if known is not None and known.content.get("pluginId") and not body.get("overwrite"):
        return error(412, "The dashboard belongs to plugin x.", status="plugin-dashboard")
    if grafana.major < 11 and any(
        other.uid != uid and other.folder == folder and other.content.get("title") == content["title"]
        for other in grafana.store.dashboards.values()
    ):
        # Titles had to be unique in a folder up to 10 (docs of v10: `name-exists`).
        return error(412, "A dashboard with the same name in the folder already exists", status="name-exists")
    if known is not None and not body.get("overwrite") and content.get("version") != known.generation:
        if grafana.major >= 13:
            return error(409, "Dashboard already exists. Use overwrite flag to update.")
        return error(412, "The dashboard has been changed by someone else", status="version-mismatch")
    # The annotations of the other API do not survive a save by this one: pkg/api/dashboard.go, SetAnnotations.
    annotations = {"grafana.app/message": body["message"]} if body.get("message") else {}
    saved = grafana.store.save(
        uid, content, folder=folder, message=body.get("message") or "", by=SERVICE_ACCOUNT["login"], annotations=annotations
    )  # fmt: skip
    return Answer(
        200,
        {
            "status": "success", "slug": "x", "version": saved.generation, "id": saved.internal_id, "uid": uid,
            "url": f"/d/{uid}/x", "folderUid": folder,
        },
    )  # fmt: skip


def delete_dashboard(grafana: Grafana, uid: str) -> Answer:
    """Source: pkg/api/dashboard.go deleteDashboard; errors.go (provisioned dashboard cannot be deleted)."""
    known = grafana.store.dashboards.get(uid)
    if known is None:
        return error(404, "Dashboard not found")
    if known.provisioned:
        return error(400, "provisioned dashboard cannot be deleted")
    del grafana.store.dashboards[uid]
    title = known.content["title"]
    return Answer(200, {"title": title, "message": f"Dashboard {title} deleted", "uid": uid})


def versions(grafana: Grafana, uid: str, query: dict[str, list[str]]) -> Answer:
    """Source: docs "Get all dashboard versions by dashboard UID"; pkg/api/dashboard.go GetDashboardVersions.

    A list up to 11, an object since; the first version's message is always `Initial save`.
    """
    known = grafana.store.dashboards.get(uid)
    if known is None:
        return error(404, "Dashboard not found")
    limit = int(query.get("limit", ["1000"])[0])
    entries = [
        {
            "id": version.number, "dashboardId": known.internal_id, "uid": uid, "parentVersion": version.number - 1,
            "restoredFrom": 0, "version": version.number, "created": TIME, "createdBy": version.by,
            "message": "Initial save" if version.number == 1 else version.message,
        }
        for version in reversed(known.versions)
    ][:limit]  # fmt: skip
    return Answer(200, entries if grafana.major < 12 else {"continueToken": "", "versions": entries})


def search(grafana: Grafana, query: dict[str, list[str]]) -> Answer:
    """Source: docs "Folder/Dashboard Search API": limit at most 5000, pages from 1, only `dash-db`."""
    assert query.get("type") == ["dash-db"]
    limit, page = int(query.get("limit", ["1000"])[0]), int(query.get("page", ["1"])[0])
    assert 0 < limit <= 5000
    limit = min(limit, grafana.page_size) if grafana.page_size else limit
    tags = set(query.get("tag", ()))
    found = [
        {"id": d.internal_id, "uid": d.uid, "title": d.content["title"], "type": "dash-db", "tags": d.content.get("tags", []), "folderUid": d.folder}
        for d in grafana.store.dashboards.values()
        if isinstance(d.content.get("tags"), list) and all(tag in d.content["tags"] for tag in tags)
    ]  # fmt: skip
    return Answer(200, found[(page - 1) * limit : page * limit])


def get_folder(grafana: Grafana, uid: str) -> Answer:
    """Source: docs "Get folder by uid"."""
    title = grafana.store.folders.get(uid)
    if title is None:
        return error(404, "folder not found", status="not-found")
    return Answer(200, {"id": 1, "uid": uid, "title": title, "url": f"/dashboards/f/{uid}/x", "version": 1})


def create_folder(grafana: Grafana, body: dict[str, Any]) -> Answer:
    """Source: docs "Create folder" (412 in the documentation); pkg/api/apierrors/folder.go (409 in the code)."""
    assert set(body) <= {"uid", "title", "parentUid"}, body.keys()
    if not body.get("title"):
        return error(400, "folder title cannot be empty")
    if body["uid"] in grafana.store.folders:
        return error(
            412 if grafana.major < 12 else 409, "a folder/dashboard with the same uid already exists"
        )
    grafana.store.folders[body["uid"]] = body["title"]
    return get_folder(grafana, body["uid"])


def get_source(grafana: Grafana, uid: str) -> Answer:
    """Source: docs "Get a single data source by UID"; pkg/api/datasources.go convertModelToDtos: secrets only as names."""
    known = grafana.store.datasources.get(uid)
    if known is None:
        return error(404, "Data source not found")
    fields = dict.fromkeys(grafana.store.secrets.get(uid, {}), True)
    return Answer(200, {**known, "secureJsonFields": fields})


def create_source(grafana: Grafana, body: dict[str, Any]) -> Answer:
    """Source: pkg/api/datasources.go AddDataSource: 409 for the same name or uid."""
    stored = grafana.store.datasources
    if body["uid"] in stored:
        return error(409, "data source with the same uid already exists")
    if any(other["name"] == body["name"] for other in stored.values()):
        return error(409, "data source with the same name already exists")
    secrets = body.pop("secureJsonData", {})
    assert all(isinstance(value, str) for value in secrets.values())
    stored[body["uid"]] = {
        "id": grafana.store.number(),
        "orgId": 1,
        "version": 1,
        "readOnly": False,
        "jsonData": {},
        **body,
    }
    grafana.store.secrets[body["uid"]] = dict(secrets)
    return Answer(
        200,
        {
            "message": "Datasource added",
            "id": 1,
            "name": body["name"],
            "datasource": get_source(grafana, body["uid"]).data,
        },
    )


def update_source(grafana: Grafana, uid: str, body: dict[str, Any]) -> Answer:
    """Source: pkg/api/datasources.go updateDataSourceByID: 403 for a provisioned one, 409 for an old version."""
    known = grafana.store.datasources.get(uid)
    if known is None:
        return error(404, "Data source not found")
    if known["readOnly"]:
        return error(403, "Cannot update read-only data source")
    if body.get("version", known["version"]) != known["version"]:
        return error(409, "Datasource has already been updated by someone else. Please reload and try again")
    grafana.store.secrets[uid] |= body.pop("secureJsonData", {})
    kept = {key: known[key] for key in ("id", "orgId", "readOnly")}
    grafana.store.datasources[uid] = {**body, **kept, "version": known["version"] + 1}
    return Answer(
        200,
        {
            "message": "Datasource updated",
            "id": known["id"],
            "name": body["name"],
            "datasource": get_source(grafana, uid).data,
        },
    )


def find_annotations(grafana: Grafana, query: dict[str, list[str]]) -> Answer:
    """Source: docs "Find annotations": several `tags` are an AND."""
    tags = set(query.get("tags", ()))
    return Answer(200, [entry for entry in grafana.store.annotations if tags <= set(entry["tags"])])


def create_annotation(grafana: Grafana, body: dict[str, Any]) -> Answer:
    """Source: docs "Create Annotation": only `text` is required, time in milliseconds."""
    assert set(body) <= {"time", "timeEnd", "tags", "text", "dashboardUID", "panelId"}, body.keys()
    if not body.get("text"):
        return error(500, "Failed to save annotation")
    assert body["time"] > 1_000_000_000_000
    entry = {"id": grafana.store.number(), **body}
    grafana.store.annotations.append(entry)
    return Answer(200, {"message": "Annotation added", "id": entry["id"]})
