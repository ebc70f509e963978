"""Grafana's `/apis` paths for dashboards and folders, of Grafana 13 and, as beta, of 12.

Besides the mark they say who manages a dashboard. The kind is `kubectl`, which Grafana knows and other command-line tools use
as well; the identity is the set's and stays the same in every version of this package, since Grafana refuses to change it
(grafana/grafana pkg/apimachinery/utils/manager.go, pkg/storage/unified/apistore/managed.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orders_obs.dashboards.publishing.api import Live, Saved, mapping, number, search
from orders_obs.dashboards.publishing.client import Conflict, reading
from orders_obs.dashboards.publishing.marks import read_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.publishing.client import Client
    from orders_obs.dashboards.publishing.targets import Folder

__all__ = ["MANAGER_KIND", "ApisApi", "identity"]

MANAGER_KIND = "kubectl"

_PAGE = 100
_FOLDER = "grafana.app/folder"
_MESSAGE = "grafana.app/message"
_KIND = "grafana.app/managedBy"
_IDENTITY = "grafana.app/managerId"
_EDITS = "grafana.app/managerAllowsEdits"
_PATH = "grafana.app/sourcePath"
_CHECKSUM = "grafana.app/sourceChecksum"
_FROM_PAGE = "grafana.app/saved-from-ui"
# What others set and a replacement must not lose; all else of `grafana.app/` is the server's, or set anew.
_OURS = frozenset({_FOLDER, _MESSAGE, _KIND, _IDENTITY, _EDITS, _PATH, _CHECKSUM, _FROM_PAGE})


def identity(name: str) -> str:
    """The identity of the manager of a set's dashboards. Never to be changed."""
    return f"orders-obs:{name}"


class ApisApi:
    """The `/apis` paths.

    Args:
        client: The calls.
        namespace: Of the organization.
        set_name: The set.
        editable: Whether people may edit.
        dashboards: Version of the dashboards' group.
        folders: Version of the folders' group.
    """

    name = "apis"
    marks_manager = True

    def __init__(
        self, client: Client, *, namespace: str, set_name: str, editable: bool, dashboards: str, folders: str
    ) -> None:
        self._client = client
        self._set = set_name
        self._editable = editable
        space = quote(namespace)
        self._dashboards = f"/apis/dashboard.grafana.app/{dashboards}/namespaces/{space}/dashboards"
        self._folders = f"/apis/folder.grafana.app/{folders}/namespaces/{space}/folders"

    def dashboard(self, uid: str) -> Live | None:
        """See `Api`."""
        answer = self._client.get(f"{self._dashboards}/{quote(uid)}")
        if answer is None:
            return None
        with reading("a dashboard"):
            return _live(answer)

    def create(self, uid: str, content: dict[str, Any], *, folder: str, message: str, source: str) -> Saved:
        """See `Api`."""
        body = {
            "metadata": {"name": uid, "annotations": self._annotations({}, content, folder, message, source)},
            "spec": content,
        }
        return _saved(self._client.post(self._dashboards, body, again=True))

    def update(self, live: Live, content: dict[str, Any], *, folder: str, message: str, source: str) -> Saved:
        """See `Api`."""
        metadata: dict[str, Any] = {
            "name": live.uid,
            "resourceVersion": live.lock,
            "annotations": self._annotations(live.annotations, content, folder, message, source),
        }
        if live.labels:
            metadata["labels"] = live.labels
        return _saved(
            self._client.put(f"{self._dashboards}/{quote(live.uid)}", {"metadata": metadata, "spec": content})
        )

    def delete(self, live: Live) -> None:
        """See `Api`."""
        # Kubernetes' DeleteOptions: refused by 409 where it is not the newest (k8s.io/apimachinery pkg/apis/meta/v1).
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"resourceVersion": live.lock},
        }
        self._client.delete(f"{self._dashboards}/{quote(live.uid)}", options)

    def tagged(self, tag: str) -> Iterator[str]:
        """See `Api`."""
        # The old search answers with names only; the list of the new API has every dashboard whole.
        return search(self._client, tag) or self._listed(tag)

    def _listed(self, tag: str) -> Iterator[str]:
        more: dict[str, Any] = {}
        seen: set[str] = set()
        while True:
            answer = self._client.get(self._dashboards, limit=_PAGE, **more) or {}
            with reading("a list of dashboards"):
                page = {
                    str(item["metadata"]["name"]): tag in (item.get("spec", {}).get("tags") or ())
                    for item in answer.get("items") or ()
                }
                token = answer.get("metadata", {}).get("continue")
            yield from (name for name, ours in page.items() if ours and name not in seen)
            if not token or seen.issuperset(page):
                return
            seen.update(page)
            more = {"continue": token}

    def folder(self, uid: str) -> str | None:
        """See `Api`."""
        answer = self._client.get(f"{self._folders}/{quote(uid)}")
        if answer is None:
            return None
        with reading("a folder"):
            return str(answer.get("spec", {}).get("title", ""))

    def create_folder(self, folder: Folder) -> None:
        """See `Api`."""
        try:
            self._client.post(
                self._folders, {"metadata": {"name": folder.uid}, "spec": {"title": folder.title}}, again=True
            )
        except Conflict:
            if self.folder(folder.uid) is None:
                raise

    def _annotations(
        self, old: dict[str, str], content: dict[str, Any], folder: str, message: str, source: str
    ) -> dict[str, str]:
        mark = read_mark(content)
        kept = {key: value for key, value in old.items() if key not in _OURS}
        ours = {
            _FOLDER: folder,
            _MESSAGE: message,
            _KIND: MANAGER_KIND,
            _IDENTITY: identity(self._set),
            _PATH: source,
            _CHECKSUM: mark.digest if mark else "",
            # Grafana's pages show a managed dashboard read-only without it (public/app/features/dashboard-scene).
            _EDITS: "true" if self._editable else "",
        }
        return kept | {key: value for key, value in ours.items() if value}


def _live(answer: dict[str, Any]) -> Live:
    metadata = mapping(answer["metadata"])
    annotations = {key: str(value) for key, value in (metadata.get("annotations") or {}).items()}
    kind = annotations.get(_KIND, "")
    conversion = mapping((answer.get("status") or {}).get("conversion") or {})
    return Live(
        uid=str(metadata["name"]),
        content=mapping(answer["spec"]),
        folder=annotations.get(_FOLDER, ""),
        version=number(metadata.get("generation")),
        lock=str(metadata.get("resourceVersion", "")),
        saved_by=annotations.get("grafana.app/updatedBy") or annotations.get("grafana.app/createdBy", ""),
        saved_at=annotations.get("grafana.app/updatedTimestamp")
        or str(metadata.get("creationTimestamp", "")),
        message=annotations.get(_MESSAGE),
        from_page=_FROM_PAGE in annotations,
        provisioned=annotations.get(_PATH) or "a file" if kind == "classic-file-provisioning" else "",
        manager=(kind, annotations.get(_IDENTITY, "")) if kind else None,
        locked=bool(kind) and not annotations.get(_EDITS),
        stored=str(conversion.get("storedVersion") or ""),
        annotations=annotations,
        labels=mapping(metadata.get("labels") or {}),
        converted=not conversion.get("failed"),
    )


def _saved(answer: Any) -> Saved:
    """What stands in the answer to a save; the save is done whatever stands there."""
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    if not isinstance(metadata, dict):
        return Saved(0)
    name = str(metadata.get("name", ""))
    return Saved(number(metadata.get("generation")), f"/d/{quote(name)}" if name else "")
