"""Grafana's `/api` paths for dashboards and folders: those of 10 to 12, deprecated and still served in 13."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orders_obs.dashboards.publishing.api import Live, Saved, mapping, number, search
from orders_obs.dashboards.publishing.client import Conflict, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.publishing.client import Client
    from orders_obs.dashboards.publishing.targets import Folder

__all__ = ["LegacyApi"]


class LegacyApi:
    """The `/api` paths.

    Args:
        client: The calls.
    """

    name = "legacy"
    marks_manager = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def dashboard(self, uid: str) -> Live | None:
        """See `Api`."""
        answer = self._client.get(f"/api/dashboards/uid/{quote(uid)}")
        if answer is None:
            return None
        with reading("a dashboard"):
            content, meta = mapping(answer["dashboard"]), mapping(answer.get("meta", {}))
        version = number(content.get("version")) or number(meta.get("version"))
        return Live(
            uid=uid,
            content=content,
            folder=str(meta.get("folderUid") or ""),
            version=version,
            lock=str(version),
            saved_by=str(meta.get("updatedBy") or ""),
            saved_at=str(meta.get("updated") or ""),
            provisioned=str(meta.get("provisionedExternalId") or "a file") if meta.get("provisioned") else "",
        )

    def create(self, uid: str, content: dict[str, Any], *, folder: str, message: str, source: str) -> Saved:  # noqa: ARG002  # the old API has no place for the source
        """See `Api`."""
        return self._save({**content, "id": None, "uid": uid}, folder, message)

    def update(self, live: Live, content: dict[str, Any], *, folder: str, message: str, source: str) -> Saved:  # noqa: ARG002
        """See `Api`."""
        # Without `overwrite`, a version that is no more the newest is refused: 412 in 10 to 12, 409 in newer ones.
        return self._save({**content, "uid": live.uid, "version": int(live.lock)}, folder, message)

    def _save(self, content: dict[str, Any], folder: str, message: str) -> Saved:
        body: dict[str, Any] = {"dashboard": content, "message": message, "overwrite": False}
        if folder:
            body["folderUid"] = folder
        answer = self._client.post("/api/dashboards/db", body, again=True)
        # The save is done, whatever stands in the answer.
        found = answer if isinstance(answer, dict) else {}
        return Saved(number(found.get("version")), str(found.get("url") or ""))

    def delete(self, live: Live) -> None:
        """See `Api`."""
        self._client.delete(f"/api/dashboards/uid/{quote(live.uid)}")

    def tagged(self, tag: str) -> Iterator[str]:
        """See `Api`."""
        return search(self._client, tag) or iter(())

    def folder(self, uid: str) -> str | None:
        """See `Api`."""
        answer = self._client.get(f"/api/folders/{quote(uid)}")
        if answer is None:
            return None
        with reading("a folder"):
            return str(answer.get("title", ""))

    def create_folder(self, folder: Folder) -> None:
        """See `Api`."""
        try:
            self._client.post("/api/folders", {"uid": folder.uid, "title": folder.title}, again=True)
        except Conflict:
            # Somebody made it in the meantime, unless its title is taken by another folder.
            if self.folder(folder.uid) is None:
                raise
