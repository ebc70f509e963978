"""The lock is whole at every moment, and says what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orders_obs.alerts.lock import Locked, read_lock, write_lock
from orders_obs.errors import UserError

ENTRY = Locked({"ssm": "/shop/db"}, "shop", "db-A")


def test_what_is_written_is_read_and_the_same_again_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert write_lock(path, "b", {"y": ENTRY, "x": ENTRY})
    assert write_lock(path, "a", {"z": ENTRY})
    assert read_lock(path) == {"a": {"z": ENTRY}, "b": {"x": ENTRY, "y": ENTRY}}
    assert not write_lock(path, "b", {"x": ENTRY, "y": ENTRY})
    assert write_lock(path, "b", {})
    assert read_lock(path) == {"a": {"z": ENTRY}}


def test_nothing_to_lock_makes_no_file(tmp_path: Path) -> None:
    assert not write_lock(tmp_path / "lock", "a", {})
    assert list(tmp_path.iterdir()) == []


def test_what_another_run_wrote_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    write_lock(path, "a", {"x": ENTRY})
    before = read_lock(path)
    write_lock(path, "b", {"x": ENTRY})
    write_lock(path, "a", before["a"] | {"y": ENTRY})
    assert set(read_lock(path)) == {"a", "b"}


def test_a_write_that_fails_leaves_the_old_lock_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    write_lock(path, "a", {"x": ENTRY})
    before = path.read_bytes()

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="cannot be written: No space left on device; it is as it was"):
        write_lock(path, "a", {"y": ENTRY})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_that_is_a_link_stays_one(tmp_path: Path) -> None:
    path, real = tmp_path / "lock", tmp_path / "real"
    path.symlink_to(real)
    assert write_lock(path, "a", {"x": ENTRY})
    assert path.is_symlink()
    assert read_lock(real) == {"a": {"x": ENTRY}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD\n", "is no lock of resources; restore it"),
        ("[]", "is no lock of resources"),
        ('{"version": 1, "environments": {"a": {"x": {"value": "shop"}}}}', "is no lock of resources"),
        ('{"version": 2, "environments": {}}', "is version 2 of the lock, and this package reads 1"),
    ],
)
def test_what_is_no_lock_is_refused_and_kept(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lock"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        write_lock(path, "a", {"x": ENTRY})
    assert path.read_text() == text
