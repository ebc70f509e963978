"""What of a subscription's attributes is compared: what keeps messages of ours from it, and how SNS tries again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.aws.things import Thing

__all__ = ["delivery_of_others", "subscription_settings"]

_POLICY = "DeliveryPolicy"
_RETRIES = "healthyRetryPolicy"
_OF_OTHERS = ("throttlePolicy", "requestPolicy")


def subscription_settings(attributes: Mapping[str, str], wanted: Thing | None) -> dict[str, Any]:
    """The settings of a subscription that is confirmed.

    Args:
        attributes: As SNS gives them; a delivery policy with fields that nobody set, filled with nulls and defaults.
        wanted: As it should be: of the delivery policy only the retries' fields that it has are looked at.
    """
    settings: dict[str, Any] = {}
    rules = _document(attributes.get("FilterPolicy"))
    if rules:
        settings["FilterPolicy"] = rules
    if attributes.get("RawMessageDelivery") == "true":
        settings["RawMessageDelivery"] = True
    asked = wanted.settings.get(_POLICY, {}).get(_RETRIES, {}) if wanted else {}
    retries = _document(attributes.get(_POLICY)).get(_RETRIES)
    if asked and isinstance(retries, dict):
        settings[_POLICY] = {_RETRIES: {name: retries[name] for name in asked if name in retries}}
    return settings


def delivery_of_others(attributes: Mapping[str, str]) -> dict[str, Any]:
    """What a delivery policy says beside the retries, which is others' to say."""
    policy = _document(attributes.get(_POLICY))
    return {name: policy[name] for name in _OF_OTHERS if policy.get(name)}


def _document(text: str | None) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
