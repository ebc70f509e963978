"""Terraform's states: which alarms they have, and at which address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read_state"]

_TYPES = ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
_STATE_VERSION = 4


def read_state(text: str, path: Path) -> dict[str, tuple[str, str]]:
    """The alarms of a Terraform state: address and ARN by the alarm's name.

    Args:
        text: What `terraform show -json` prints, or the state itself (version 4).
        path: Its name.

    Raises:
        UserError: It is neither.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    found: dict[str, tuple[str, str]] = {}
    if isinstance(data, dict) and isinstance(data.get("values"), dict):
        resources = _shown(data["values"].get("root_module"))
    elif (
        isinstance(data, dict)
        and data.get("version") == _STATE_VERSION
        and isinstance(data.get("resources"), list)
    ):
        resources = _kept(data["resources"])
    elif isinstance(data, dict) and "format_version" in data:
        # Of an empty state.
        resources = iter(())
    else:
        raise UserError(
            "is no Terraform state",
            hint="give what `terraform show -json` prints, or `terraform state pull`",
            file=path,
        )
    for address, values in resources:
        if isinstance(values, dict) and isinstance(values.get("alarm_name"), str):
            found[values["alarm_name"]] = (address, str(values.get("arn") or ""))
    return found


def _shown(module: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(module, dict):
        return
    for made in module.get("resources") or ():
        if isinstance(made, dict) and made.get("type") in _TYPES and made.get("mode", "managed") == "managed":
            yield str(made.get("address")), made.get("values")
    for child in module.get("child_modules") or ():
        yield from _shown(child)


def _kept(resources: list[Any]) -> Iterator[tuple[str, Any]]:
    for made in resources:
        if not isinstance(made, dict) or made.get("type") not in _TYPES or made.get("mode") != "managed":
            continue
        base = f"{made['module']}." if made.get("module") else ""
        for instance in made.get("instances") or ():
            if isinstance(instance, dict):
                key = instance.get("index_key")
                index = f"[{json.dumps(key)}]" if key is not None else ""
                yield f"{base}{made['type']}.{made.get('name')}{index}", instance.get("attributes")
