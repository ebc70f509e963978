"""Where the native programs come from."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orders_obs.cli import main
from orders_obs.sandbox import programs
from orders_obs.sandbox.programs import PROGRAMS


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mirror of release archives on loopback, an empty cache, and nothing on PATH."""
    folder = tmp_path / "releases"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ORDERS_OBS_SANDBOX_RELEASE_BASE", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("ORDERS_OBS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    yield folder
    server.shutdown()
    server.server_close()


def publish(folder: Path, name: str, *, member: str | None = None, corrupt: bool = False) -> None:
    program = PROGRAMS[name]
    archive = folder / program.archive.format(os="linux", arch="amd64")
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        content = b"#!/bin/sh\necho hello\n"
        info = tarfile.TarInfo(f"{name}-dir/{member or program.member}")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if corrupt:
        archive.write_bytes(archive.read_bytes() + b"x")
    (folder / program.checksums).write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {archive.name}\n")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_taken_from_its_release_archive_and_found_afterwards(releases: Path, name: str) -> None:
    publish(releases, name)
    assert programs.locate(name) is None
    assert programs.install([name]) == []
    path = programs.locate(name)
    assert path is not None
    assert os.access(path, os.X_OK)
    assert path.read_bytes() == b"#!/bin/sh\necho hello\n"


def test_an_archive_with_another_checksum_is_refused_and_leaves_nothing(
    releases: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    publish(releases, "prometheus", corrupt=True)
    assert programs.install(["prometheus"]) == [PROGRAMS["prometheus"]]
    error = capsys.readouterr().err
    assert "is not the one that the release publishes" in error
    assert "without it: no metrics, no PromQL, no alerts" in error
    assert not list((tmp_path / "cache").glob("bin/*"))


def test_an_archive_without_the_program_is_said(releases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(releases, "amtool", member="other")
    assert programs.install(["amtool"])
    assert "holds no amtool" in capsys.readouterr().err


def test_what_could_not_be_had_is_exit_code_3_and_each_reason_is_said(
    releases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sandbox", "install"]) == 3
    error = capsys.readouterr().err
    for program in PROGRAMS.values():
        assert f"without it: {program.cost}" in error
    assert "cannot be fetched" in error
    assert "no `go` on PATH" in error


def put_on_path(tmp_path: Path, name: str, says: str) -> Path:
    path = tmp_path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_program_on_path_is_used_when_it_is_new_enough(releases: Path, tmp_path: Path) -> None:
    path = put_on_path(tmp_path, "prometheus", "prometheus, version 3.9.1 (branch: HEAD)")
    assert programs.locate("prometheus") == path


@pytest.mark.parametrize("says", ["prometheus, version 2.42.0", "nonsense"])
def test_a_program_on_path_that_is_too_old_or_unknown_is_not(
    releases: Path, tmp_path: Path, says: str
) -> None:
    put_on_path(tmp_path, "prometheus", says)
    assert programs.locate("prometheus") is None


def test_another_pin_is_another_file_in_the_cache(
    releases: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = programs._cached(PROGRAMS["otelcol"])
    module = tmp_path / "collector/native/otelcol"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module other\n")
    monkeypatch.setattr(programs, "resource_path", lambda name: tmp_path / name)
    assert programs._cached(PROGRAMS["otelcol"]) != before
