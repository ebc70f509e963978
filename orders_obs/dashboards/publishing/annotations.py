"""The mark of a deployment on every graph: an annotation of the organization, found by its tags, made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.publishing.client import Unanswered, reading
from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.server import Server

__all__ = ["Annotation", "annotate", "find"]

_TAG = 100


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation of the organization.

    Attributes:
        time: Milliseconds of the epoch.
        text: What it says.
        tags: By which it is found.
    """

    time: int
    text: str
    tags: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what Grafana stores badly.

        Raises:
            UserError: A tag is too long, or the text is empty.
        """
        if not self.text.strip():
            raise UserError("the text of an annotation is empty")
        # The column is 100 characters wide (grafana/grafana pkg/services/sqlstore/migrations/tag_mig.go, the key and the value of KEY:VALUE).
        for tag in self.tags:
            if not tag or len(tag) > _TAG:
                raise UserError(f"tag {tag!r} is empty or longer than {_TAG} characters")


def find(server: Server, tags: Sequence[str]) -> dict[str, Any] | None:
    """An annotation with all the tags; None where there is none.

    Raises:
        EnvironmentFault: The target does not answer.
    """
    found = server.client.get("/api/annotations", type="annotation", tags=list(tags), limit=100) or []
    wanted = set(tags)
    with reading("annotations"):
        return next((entry for entry in found if wanted <= set(entry.get("tags") or ())), None)


def annotate(server: Server, annotation: Annotation, audit: Audit) -> bool:
    """Make an annotation unless one with all its tags is there; whether it was made.

    Raises:
        UserError: Grafana does not take it.
        EnvironmentFault: It failed, or it is made and cannot be recorded.
    """
    if find(server, annotation.tags) is not None:
        return False
    body = {"time": annotation.time, "tags": list(annotation.tags), "text": annotation.text}
    uid, more = " ".join(annotation.tags), {"title": annotation.text}
    try:
        server.client.post("/api/annotations", body)
    except Unanswered as error:
        try:
            there = find(server, annotation.tags) is not None
        except Exception:
            audit.write("annotation", uid, "create", "unknown", error=str(error), **more)
            raise error from None
        if not there:
            audit.write("annotation", uid, "create", "unknown", error=str(error), **more)
            raise
    except Exception as error:
        audit.write("annotation", uid, "create", "failed", error=str(error), **more)
        raise
    except BaseException:
        audit.write("annotation", uid, "create", "unknown", error="interrupted", **more)
        raise
    if not audit.write("annotation", uid, "create", "done", **more):
        raise EnvironmentFault("the annotation is made, and its record is not where it belongs")
    return True
