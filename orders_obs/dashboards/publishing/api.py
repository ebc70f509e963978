"""What publishing needs of a Grafana server, whichever of its two APIs gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.publishing.client import Client
    from orders_obs.dashboards.publishing.targets import Folder

__all__ = ["Api", "Live", "Saved", "last_message", "search"]

_PAGE = 1_000

MESSAGE_LIMIT = 500
"""Characters of a version's message (grafana/grafana pkg/services/dashboards/errors.go)."""


@dataclass(frozen=True, slots=True)
class Live:
    """A dashboard as it stands in Grafana.

    Attributes:
        uid: Its uid.
        content: Its JSON in the classic schema.
        folder: Uid of its folder; empty for the top.
        version: Raised by each save of another content.
        lock: What a save must name so that it fails when somebody came before.
        saved_by: Who saved it last, as Grafana names it.
        saved_at: When, RFC 3339; empty where it is not said.
        message: Of the last save; None where the API does not say it here.
        from_page: Whether the last save came from Grafana's pages; None where the API does not say it.
        provisioned: The file that it comes from, where files provision it; else empty.
        manager: Kind and identity of the tool that manages it; None where none does.
        locked: Whether the manager keeps people from editing.
        stored: Version of the API it is stored in, such as `v2`; empty where it is not said.
        annotations: The annotations of the object, of the `/apis` API.
        labels: Its labels.
        converted: Whether Grafana could give it in the classic schema.
    """

    uid: str
    content: dict[str, Any]
    folder: str = ""
    version: int = 0
    lock: str = ""
    saved_by: str = ""
    saved_at: str = ""
    message: str | None = None
    from_page: bool | None = None
    provisioned: str = ""
    manager: tuple[str, str] | None = None
    locked: bool = False
    stored: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    converted: bool = True

    @property
    def new_schema(self) -> bool:
        """Whether it is stored in Grafana's new schema."""
        return self.stored.startswith("v2")

    @property
    def title(self) -> str:
        """Its title."""
        return str(self.content.get("title", ""))


@dataclass(frozen=True, slots=True)
class Saved:
    """What Grafana says of a save."""

    version: int
    address: str = ""


class Api(Protocol):
    """One of Grafana's APIs; every call raises what `client.Client` does.

    Attributes:
        name: `legacy` or `apis`.
        marks_manager: Whether it keeps who manages a dashboard.
    """

    name: str
    marks_manager: bool

    def dashboard(self, uid: str) -> Live | None:
        """A dashboard; None where there is none."""

    def create(self, uid: str, content: dict[str, Any], *, folder: str, message: str, source: str) -> Saved:
        """Make a dashboard that is not there."""

    def update(self, live: Live, content: dict[str, Any], *, folder: str, message: str, source: str) -> Saved:
        """Replace a dashboard, unless somebody saved it since it was read."""

    def delete(self, uid: str) -> None:
        """Delete a dashboard; nothing where it is not there."""

    def tagged(self, tag: str) -> Iterator[str]:
        """Uids of the dashboards that have a tag."""

    def folder(self, uid: str) -> str | None:
        """The title of a folder; None where there is none."""

    def create_folder(self, folder: Folder) -> None:
        """Make a folder."""


def search(client: Client, tag: str) -> Iterator[str] | None:
    """Uids of the dashboards with a tag, by `GET /api/search`; None where the server has no such path."""
    first = _found(client, tag, 1)
    return None if first is None else _pages(client, tag, first)


def _pages(client: Client, tag: str, found: list[dict[str, Any]]) -> Iterator[str]:
    page = 1
    while found:
        yield from (str(entry["uid"]) for entry in found)
        page += 1
        found = _found(client, tag, page) or []


def _found(client: Client, tag: str, page: int) -> list[dict[str, Any]] | None:
    found: list[dict[str, Any]] | None = client.get(
        "/api/search", absent=(404, 410), type="dash-db", tag=tag, limit=_PAGE, page=page
    )
    return found


def last_message(answer: Any) -> tuple[int, str]:
    """Version and message of the newest save, of `GET /api/dashboards/uid/UID/versions`; (0, "") where it says none.

    A list in Grafana 10 and 11.0, an object with `versions` later (docs: dashboard versions HTTP API). The first save has
    the message `Initial save`, whatever was sent (grafana/grafana pkg/api/dashboard.go).
    """
    entries = answer.get("versions") if isinstance(answer, dict) else answer
    found = [entry for entry in entries or () if isinstance(entry, dict)]
    if not found:
        return 0, ""
    newest = max(found, key=lambda entry: int(entry.get("version") or 0))
    return int(newest.get("version") or 0), str(newest.get("message") or "")
