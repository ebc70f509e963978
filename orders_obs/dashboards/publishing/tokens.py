"""Secrets from the environment or AWS Secrets Manager; their values go into requests and nowhere else."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orders_obs.dashboards.publishing.targets import SecretSource

__all__ = ["read"]


def read(
    source: SecretSource,
    what: str,
    *,
    env: Mapping[str, str] = os.environ,
    read_secret: Callable[[str], str] | None = None,
) -> str:
    """A secret.

    Args:
        source: Where it is.
        what: What it is, for the message of a failure, such as `the token of target staging`.
        env: The environment.
        read_secret: Reads a secret of Secrets Manager by its name; with the credentials that the SDK finds when None.

    Raises:
        UserError: The variable is not set, or the secret is not fit for a header.
        EnvironmentFault: Secrets Manager does not give it.
    """
    if source.store == "env":
        text = env.get(source.name, "")
        if not text.strip():
            raise UserError(
                f"{what} is not there: the environment variable {source.name} is empty",
                hint=f"set {source.name}, or name another place in the settings file",
            )
    else:
        text = _member((read_secret or _read_secret)(source.name), source, what)
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise UserError(f"{what} ({source}) is empty, or holds characters that a header cannot")
    return text


def _read_secret(name: str) -> str:
    from orders_obs.relay.addresses import read_secret

    return read_secret(name)


def _member(text: str, source: SecretSource, what: str) -> str:
    """The value in a secret that may be a JSON object."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    texts = {key: value for key, value in found.items() if isinstance(value, str)}
    if source.key in texts:
        return texts[source.key]
    if not source.key and len(texts) == 1:
        return next(iter(texts.values()))
    raise EnvironmentFault(
        f"{what} is not found in secret {source.name}, a JSON object",
        hint=f"name its key behind the name: {source.name}#KEY",
    )
