"""Names of alerts made from those of alarms: the same for the same alarms, and none twice."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["alert_names", "word"]

_LENGTH = 63
"""Of a name in the language."""
_HASH = 6
_SMALL_TO_LARGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_END_OF_CAPITALS = re.compile(r"(?<=[A-Z])(?=[A-Z][a-z])")
_OTHERS = re.compile(r"[^a-z0-9]+")


def word(name: str) -> str:
    """The name in the language's letters: `HighCPU prod-1` is `high_cpu_prod_1`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = _END_OF_CAPITALS.sub("_", _SMALL_TO_LARGE.sub("_", plain))
    found = _OTHERS.sub("_", parted.lower()).strip("_")
    if not found[:1].isalpha():
        found = f"alarm_{found}".rstrip("_")
    return found


def alert_names(things: Sequence[tuple[str, str]], taken: Collection[str]) -> list[str]:
    """A name for each thing.

    A name that two would have, that is taken, or that is cut because it is long, has a hash of what tells the thing from others.

    Args:
        things: The name of each, and a text that no other has.
        taken: Names that the catalogue has already.
    """
    words = [word(name) for name, _ in things]
    counts = Counter(words)
    used = set(taken)
    found = []
    for plain, (name, identity) in zip(words, things, strict=True):
        lost = plain == "alarm" and name.lower() != "alarm"
        if counts[plain] == 1 and plain not in used and len(plain) <= _LENGTH and not lost:
            found.append(plain)
        else:
            found.append(_hashed(plain, identity, used))
        used.add(found[-1])
    return found


def _hashed(plain: str, identity: str, used: Collection[str]) -> str:
    digest = hashlib.sha256(identity.encode()).hexdigest()
    for length in range(_HASH, len(digest)):
        name = f"{plain[: _LENGTH - length - 1].rstrip('_')}_{digest[:length]}"
        if name not in used:
            return name
    raise AssertionError(f"no name is left for {plain}")
