"""The mark of a deployment on every graph: an annotation of the organization, found by its tags, made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.publishing.client import Unanswered, reading
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.server import Server

__all__ = ["Annotation", "annotate", "clean", "find", "moment", "same"]

_TAG = 100
_YEAR_2000 = 946_684_800_000
_DAY = 86_400_000


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


def moment(when: int, now: int) -> int:
    """A time of an annotation, in milliseconds of the epoch.

    Args:
        when: As it was given.
        now: In milliseconds of the epoch.

    Raises:
        UserError: It is before the year 2000, as seconds are, or more than a day ahead.
    """
    if _YEAR_2000 <= when <= now + _DAY:
        return when
    seconds = _YEAR_2000 <= when * 1000 <= now + _DAY
    raise UserError(
        f"--time {when} is {'before the year 2000' if when < _YEAR_2000 else 'more than a day ahead'}",
        hint=f"it is in milliseconds: {when}000" if seconds else "it is in milliseconds of the epoch",
    )


def clean(annotation: Annotation) -> Annotation:
    """The annotation without what looks like a secret: everybody who sees a graph reads it."""
    return Annotation(
        annotation.time, redact_text(annotation.text), tuple(redact_text(tag) for tag in annotation.tags)
    )


def find(server: Server, tags: Sequence[str]) -> list[dict[str, Any]]:
    """The annotations with all the tags, of the last hundred.

    Raises:
        EnvironmentFault: The target does not answer.
    """
    found = server.client.get("/api/annotations", type="annotation", tags=list(tags), limit=100) or []
    wanted = set(tags)
    with reading("annotations"):
        return [entry for entry in found if wanted <= set(entry.get("tags") or ())]


def same(annotation: Annotation, entry: dict[str, Any], *, at_its_time: bool = False) -> bool:
    """Whether an annotation of Grafana, found by its tags, says the same; with `at_its_time`, of the same moment."""
    return str(entry.get("text", "")).strip() == annotation.text.strip() and (
        not at_its_time or entry.get("time") == annotation.time
    )


def annotate(server: Server, annotation: Annotation, audit: Audit, *, again: bool = False) -> bool:
    """Make an annotation unless one with its tags and text is there; whether it was made.

    Args:
        server: The target.
        annotation: What is made.
        audit: The record.
        again: Whether it is made though one is there; not at the same millisecond, which is the same one.

    Raises:
        UserError: Grafana does not take it.
        EnvironmentFault: It failed, or it is made and cannot be recorded.
    """
    if _there(server, annotation, again=again):
        return False
    body = {"time": annotation.time, "tags": list(annotation.tags), "text": annotation.text}
    uid, more = " ".join(annotation.tags), {"title": annotation.text}
    try:
        server.client.post("/api/annotations", body)
    except Unanswered as error:
        try:
            there = _there(server, annotation, again=again)
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


def _there(server: Server, annotation: Annotation, *, again: bool) -> bool:
    return any(same(annotation, entry, at_its_time=again) for entry in find(server, annotation.tags))
