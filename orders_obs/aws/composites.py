"""What composite alarms refer to, and the orders that follow from it: children are made first, and go last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.composites import named_alarms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orders_obs.aws.things import Thing

__all__ = ["children", "cycle", "parents_first"]


def children(settings: Mapping[str, Any]) -> set[str]:
    """Names of the alarms that a composite depends on, its suppressor among them; of an ARN, the name in it."""
    return set(named_alarms(settings))


def parents_first(composites: Iterable[Thing]) -> tuple[list[Thing], list[Thing]]:
    """Composites so that none comes after one that it depends on.

    Returns:
        The order, and those of them whose rule must be made independent first, since they are part of a cycle.
    """
    left = {thing.name: thing for thing in composites}
    order: list[Thing] = []
    cut: list[Thing] = []
    while left:
        needed = {
            name
            for thing in left.values()
            if thing not in cut
            for name in children(thing.settings) & set(left)
        }
        free = sorted(name for name in left if name not in needed)
        if not free:
            uncut = {name: thing.settings for name, thing in left.items() if thing not in cut}
            broken = left[cycle(uncut)[0]]
            cut.append(broken)
            continue
        order += [left.pop(name) for name in free]
    return order, cut


def cycle(composites: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of composites that depend on each other in a circle; empty where none do.

    Args:
        composites: Settings by name.
    """
    left = dict(composites)
    while True:
        free = [name for name, settings in left.items() if not (children(settings) & set(left))]
        if not free:
            return sorted(left)
        for name in free:
            del left[name]
