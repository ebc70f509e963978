"""What publishing needs of a Grafana server, whichever of its two APIs gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from orders_obs.dashboards.publishing.client import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.publishing.client import Client
    from orders_obs.dashboards.publishing.targets import Folder

__all__ = ["Api", "Live", "Saved", "last_message", "mapping", "number", "search"]

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

    def delete(self, live: Live) -> None:
        """Delete a dashboard as it was read; nothing where it is not there.

        The `/apis` paths refuse it where somebody saved it since, by a `Conflict`; the `/api` paths have no such condition.
        """

    def tagged(self, tag: str) -> Iterator[str]:
        """Uids of the dashboards that have a tag."""

    def folder(self, uid: str) -> str | None:
        """The title of a folder; None where there is none."""

    def create_folder(self, folder: Folder) -> None:
        """Make a folder."""


def search(client: Client, tag: str) -> Iterator[str] | None:
    """Uids of the dashboards with a tag, by `GET /api/search`; None where the server has no such path.

    A page that brings no new one is the last: else a server that ignores the page would be asked for ever.
    """
    first = _found(client, tag, 1)
    return None if first is None else _pages(client, tag, first)


def _pages(client: Client, tag: str, found: list[str]) -> Iterator[str]:
    page = 1
    seen: set[str] = set()
    while new := [uid for uid in found if uid not in seen]:
        yield from dict.fromkeys(new)
        seen.update(new)
        page += 1
        found = _found(client, tag, page) or []


def _found(client: Client, tag: str, page: int) -> list[str] | None:
    answer = client.get("/api/search", absent=(404, 410), type="dash-db", tag=tag, limit=_PAGE, page=page)
    if answer is None:
        return None
    with reading("a search"):
        if not isinstance(answer, list):
            raise TypeError
        return [str(entry["uid"]) for entry in answer]


def mapping(value: Any) -> dict[str, Any]:
    """A part of an answer that must be an object.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, dict):
        raise TypeError
    return value


def number(value: Any) -> int:
    """A number of a version, whether it comes as a number or as text; 0 where it is none."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def last_message(answer: Any) -> tuple[int, str]:
    """Version and message of the newest save, of `GET /api/dashboards/uid/UID/versions`; (0, "") where it says none.

    A list in Grafana 10 and 11.0, an object with `versions` later (docs: dashboard versions HTTP API). The first save has
    the message `Initial save`, whatever was sent (grafana/grafana pkg/api/dashboard.go).
    """
    entries = answer.get("versions") if isinstance(answer, dict) else answer
    found = [entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict)]
    if not found:
        return 0, ""
    newest = max(found, key=lambda entry: number(entry.get("version")))
    return number(newest.get("version")), str(newest.get("message") or "")
