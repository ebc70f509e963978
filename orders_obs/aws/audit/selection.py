"""Which alarms an audit is asked about, by the beginning of their names and by tags; a filter that matches nothing is a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.aws.audit.alarms import alarms_of
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Seen

__all__ = ["Selection"]

_LISTED = 5


class Selection:
    """Selects alarms, and knows what it was asked of.

    Args:
        prefix: That their names begin with.
        tags: `KEY=VALUE` that each of them has.

    Raises:
        UserError: A tag is none.
    """

    def __init__(self, prefix: str, tags: Iterable[str]) -> None:
        self._prefix = prefix
        self._tags: list[tuple[str, str]] = []
        for text in tags:
            key, sign, value = text.partition("=")
            if not key or not sign:
                raise UserError(f"--tag {text} is no tag", hint="KEY=VALUE")
            self._tags.append((key, value))
        self._places: list[str] = []
        self._asked: list[Alarm] = []

    def __bool__(self) -> bool:
        return bool(self._prefix or self._tags)

    def __call__(self, alarm: Alarm) -> bool:
        return alarm.name.startswith(self._prefix) and all(_has(alarm, *tag) for tag in self._tags)

    def note(self, seen: Seen) -> None:
        """Take account of the alarms that a place has."""
        self._places.append(f"{seen.account}/{seen.region}")
        self._asked += alarms_of(seen)

    def check(self, unread: Sequence[str]) -> None:
        """See that something was selected, of all places together.

        Args:
            unread: Places that could not be looked at, each with the reason.

        Raises:
            UserError: Nothing was. A misspelt filter looks like an account without a fault.
        """
        if not self or not self._places or any(map(self, self._asked)):
            return
        conditions = self._conditions()
        alone = {words: sum(map(fits, self._asked)) for words, (fits, _) in conditions.items()}
        tail = "".join(f"; {place}" for place in unread)
        if not self._asked:
            raise UserError(
                f"{' and '.join(conditions)} can match nothing: there are no alarms at all in {', '.join(self._places)}{tail}",
                hint="is it the right account and region? --profile and --region name others",
            )
        total = f"{len(self._asked):,} alarm{'' if len(self._asked) == 1 else 's'}"
        empty = [words for words, count in alone.items() if not count]
        if empty:
            hints = [hint for words in empty if (hint := conditions[words][1]())]
            raise UserError(f"{' and '.join(empty)} matches none of {total}{tail}", hint="; ".join(hints))
        each = ", ".join(f"{words} alone {count:,}" for words, count in alone.items())
        raise UserError(f"none of {total} has all that is asked for: {each}{tail}")

    def _conditions(self) -> dict[str, tuple[Callable[[Alarm], bool], Callable[[], str]]]:
        """Each filter in words, with what it selects, and what may have been meant."""
        found: dict[str, tuple[Callable[[Alarm], bool], Callable[[], str]]] = {}
        if self._prefix:
            found[f"--prefix {self._prefix}"] = (
                lambda alarm: alarm.name.startswith(self._prefix),
                lambda: _near_name(self._prefix, [alarm.name for alarm in self._asked]),
            )
        for key, value in self._tags:
            found[f"--tag {key}={value}"] = (
                lambda alarm, key=key, value=value: _has(alarm, key, value),  # type: ignore[misc]
                lambda key=key, value=value: _near_tag(key, value, self._asked),  # type: ignore[misc]
            )
        return found


def _has(alarm: Alarm, key: str, value: str) -> bool:
    return (alarm.tags or {}).get(key) == value


def _near_name(prefix: str, names: Sequence[str]) -> str:
    import difflib

    for name in names:
        if name.lower().startswith(prefix.lower()):
            return f"names are compared letter by letter: did you mean {name[: len(prefix)]}?"
    inside = [name for name in names if prefix in name]
    if inside:
        return f"names must begin so; {len(inside):,} {'has' if len(inside) == 1 else 'have'} it further on, such as {inside[0]}"
    heads = {name[: len(prefix)]: name for name in names}
    near = difflib.get_close_matches(prefix, heads, 1)
    return f"did you mean one such as {heads[near[0]]}?" if near else ""


def _near_tag(key: str, value: str, alarms: Sequence[Alarm]) -> str:
    keys = sorted({name for alarm in alarms for name in alarm.tags or ()})
    if not keys:
        return "no alarm there has a tag"
    if key not in keys:
        return _meant(key, keys, "keys of tags")
    values = sorted({alarm.tags[key] for alarm in alarms if alarm.tags and key in alarm.tags})
    return _meant(value, values, f"values of {key}")


def _meant(word: str, known: Sequence[str], what: str) -> str:
    import difflib

    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, 1)
    if near:
        return f"did you mean {lowered[near[0]]}?"
    more = len(known) - _LISTED
    return f"{what}: {', '.join(known[:_LISTED])}{f' and {more} more' if more > 0 else ''}"
