"""The files that travel beside the code: configuration, catalogue, dashboards, examples."""

from __future__ import annotations

from pathlib import Path

from orders_obs.errors import EnvironmentFault

_PACKAGE = Path(__file__).resolve().parent


def resource_path(name: str) -> Path:
    """Where a shipped file or folder is: the checkout's own when run from one, else the copy in the wheel.

    Args:
        name: A path relative to the root of the repository, such as `collector` or `alerts/service.yaml`.

    Raises:
        EnvironmentFault: The installation does not carry it.
    """
    checkout = _PACKAGE.parent
    for root in (checkout, _PACKAGE / "_data"):
        if root == checkout and not (checkout / "pyproject.toml").is_file():
            continue
        candidate = root / name
        if candidate.exists():
            return candidate
    raise EnvironmentFault(
        f"{name} is not part of this installation", hint="install orders-obs again, or run from a checkout"
    )
