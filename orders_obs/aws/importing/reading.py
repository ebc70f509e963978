"""The alarms that AWS has, chosen by name, beginning or tag; nothing else is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.aws.alarm_pages import alarm_pages
from orders_obs.aws.importing.existing import Found, alarm
from orders_obs.aws.session import UnknownCall
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orders_obs.aws.importing.existing import Existing
    from orders_obs.aws.session import Aws

__all__ = ["Selection", "read_alarms"]

_NAMES = 100
"""Names that DescribeAlarms takes, and entries that it gives on a page (API reference)."""
_MANY = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """Which alarms are meant.

    Attributes:
        names: These.
        prefix: And those whose names begin so; None for none.
        tags: Of all those, the ones with these tags; where neither names nor prefix are given, of all that there are.
    """

    names: tuple[str, ...] = ()
    prefix: str | None = None
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is chosen."""
        return not self.names and self.prefix is None and not self.tags

    def by_name(self, name: str) -> bool:
        """Whether names and prefix choose it."""
        every = not self.names and self.prefix is None
        return every or name in self.names or (self.prefix is not None and name.startswith(self.prefix))

    def by_tags(self, tags: Mapping[str, str]) -> bool:
        """Whether the tags choose it."""
        return all(tags.get(key) == value for key, value in self.tags)

    def check(self, names: Iterable[str], place: str) -> None:
        """See that each name is there.

        Raises:
            UserError: One is not.
        """
        known = set(names)
        lacking = [name for name in self.names if name not in known]
        if lacking:
            from orders_obs.alerts.nodes import did_you_mean

            raise UserError(f"{place} has no alarm {', '.join(lacking)}", hint=did_you_mean(lacking[0], sorted(known)) if known else "")  # fmt: skip


def read_alarms(aws: Aws, selection: Selection, progress: Callable[[str], None] = lambda _: None) -> Found:
    """Read the alarms that are chosen, with their tags.

    Raises:
        UserError: A name is not there.
        EnvironmentFault: Something cannot be read.
    """
    progress("reading alarms")
    described: dict[str, dict[str, Any]] = {}
    names = list(dict.fromkeys(selection.names))
    if selection.prefix is None and not selection.names:
        tagged = _tagged(aws, selection)
        if tagged is None:
            _add(described, alarm_pages(aws))
        else:
            names = tagged
    if selection.prefix is not None:
        _add(
            described, alarm_pages(aws, **({"AlarmNamePrefix": selection.prefix} if selection.prefix else {}))
        )
    for start in range(0, len(names), _NAMES):
        _add(described, alarm_pages(aws, AlarmNames=names[start : start + _NAMES]))
    if selection.names and any(name not in described for name in selection.names):
        selection.check(described, f"account {aws.account} in {aws.region}")
    found = Found(f"account {aws.account} in {aws.region}")
    for number, name in enumerate(sorted(described)):
        if number and number % _MANY == 0:
            progress(f"reading tags: {number} of {len(described)} alarms")
        one = _with_tags(aws, described[name])
        if selection.by_tags(one.tags):
            found.things.append(one)
    return found


def _add(described: dict[str, dict[str, Any]], pages: Iterable[dict[str, Any]]) -> None:
    for page in pages:
        # Log alarms are refused by name, and not passed over.
        for entry in (
            *page.get("MetricAlarms", ()),
            *page.get("CompositeAlarms", ()),
            *page.get("LogAlarms", ()),
        ):
            described[entry["AlarmName"]] = entry


def _with_tags(aws: Aws, entry: dict[str, Any]) -> Existing:
    name, address = entry["AlarmName"], entry["AlarmArn"]
    answer = aws.call("cloudwatch", "list_tags_for_resource", about=f"alarm {name}", ResourceARN=address)
    tags = {tag["Key"]: tag["Value"] for tag in (answer or {}).get("Tags", ())}
    return alarm(entry, tags, arn=address)


def _tagged(aws: Aws, selection: Selection) -> list[str] | None:
    """Names by the index of tags; None where there is no such index, as emulators may have it."""
    try:
        pages = aws.pages(
            "resourcegroupstaggingapi", "get_resources", about="the index of tags", ResourceTypeFilters=["cloudwatch:alarm"],
            TagFilters=[{"Key": key, "Values": [value]} for key, value in selection.tags], ResourcesPerPage=_NAMES,
        )  # fmt: skip
    except UnknownCall:
        return None
    addresses = [entry["ResourceARN"] for page in pages for entry in page["ResourceTagMappingList"]]
    return sorted(address.split(":", 6)[6] for address in addresses)
