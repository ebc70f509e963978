"""The native programs: where they are, and how one that is missing is had.

In this order: on PATH, where the version will do; in the cache; the project's official release archive, checked against the checksums
that the release publishes; built from the pinned Go modules under `collector/native`, whose every hash is in a committed `go.sum`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs._resources import resource_path
from orders_obs.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["PROGRAMS", "Program", "cache_folder", "install", "locate", "missing"]

_RELEASES = "https://github.com"
_CONNECT_TIMEOUT = 10.0
_BUILD_TIMEOUT = 1800.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the sandbox.

    Attributes:
        name: Of the executable.
        version: That the configuration is checked with.
        purpose: What it is for.
        cost: What is not there without it.
        module: Folder under `collector/native` that builds it.
        package: Go package to build, relative to the module or by import path.
        archive: Path of the release archive under the base address; `{os}` and `{arch}` are filled in.
        checksums: Path of the release's own list of SHA-256 sums.
        member: The executable's name in the archive.
        oldest: First version on PATH that will do.
        build: More arguments for `go build`.
    """

    name: str
    version: str
    purpose: str
    cost: str
    module: str
    package: str
    archive: str
    checksums: str
    member: str
    oldest: tuple[int, int]
    build: tuple[str, ...] = ()


_COLLECTOR = "open-telemetry/opentelemetry-collector-releases/releases/download/v0.159.0"
_JAEGER = "jaegertracing/jaeger/releases/download/v1.76.0"


def _of_prometheus(
    project: str, version: str, oldest: tuple[int, int], name: str, purpose: str, cost: str, *build: str
) -> Program:
    """A program of the Prometheus project, whose releases are all made alike."""
    release = f"prometheus/{project}/releases/download/v{version}"
    return Program(
        name,
        version,
        purpose,
        cost,
        module=project,
        package=f"github.com/prometheus/{project}/cmd/{name}",
        archive=f"{release}/{project}-{version}.{{os}}-{{arch}}.tar.gz",
        checksums=f"{release}/sha256sums.txt",
        member=name,
        oldest=oldest,
        build=("-ldflags", f"-s -w -X github.com/prometheus/common/version.Version={version}", *build),
    )


# Without service discovery of clouds: files and static targets are all that is used.
_NO_CLOUDS = ("-tags", "remove_all_sd")
_prometheus = partial(_of_prometheus, "prometheus", "3.14.0", (3, 5))
_alertmanager = partial(_of_prometheus, "alertmanager", "0.31.1", (0, 27))

PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        Program(
            "otelcol",
            "0.159.0",
            "the OpenTelemetry Collector: takes traces from applications",
            "no traces",
            module="otelcol",
            package=".",
            archive=f"{_COLLECTOR}/otelcol-contrib_0.159.0_{{os}}_{{arch}}.tar.gz",
            checksums=f"{_COLLECTOR}/opentelemetry-collector-releases_otelcol-contrib_checksums.txt",
            member="otelcol-contrib",
            oldest=(0, 120),
            build=("-ldflags", "-s -w"),
        ),
        Program(
            "jaeger",
            "2.13.0",
            "Jaeger: keeps traces and shows them",
            "no traces",
            module="jaeger",
            package="github.com/jaegertracing/jaeger/cmd/jaeger",
            archive=f"{_JAEGER}/jaeger-2.13.0-{{os}}-{{arch}}.tar.gz",
            checksums=f"{_JAEGER}/jaeger-2.13.0.sha256sum.txt",
            member="jaeger",
            oldest=(2, 4),
            build=(
                "-ldflags",
                "-s -w -X github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0",
            ),
        ),
        _prometheus(
            "prometheus",
            "Prometheus: metrics and alert rules",
            "no metrics, no PromQL, no alerts",
            *_NO_CLOUDS,
        ),
        _prometheus(
            "promtool", "checks and tests of Prometheus rules", "rules cannot be checked here", *_NO_CLOUDS
        ),
        _alertmanager("alertmanager", "Alertmanager: routes alerts", "alerts reach nobody"),
        _alertmanager(
            "amtool", "checks of Alertmanager's configuration", "its configuration cannot be checked here"
        ),
    )
}


def cache_folder() -> Path:
    """Where programs are kept: `ORDERS_OBS_CACHE_DIR`, else the user's cache folder."""
    own = os.environ.get("ORDERS_OBS_CACHE_DIR")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orders-obs"


def locate(name: str) -> Path | None:
    """The program's executable on PATH or in the cache, None where it is in neither."""
    program = PROGRAMS[name]
    found = shutil.which(name)
    if found and _will_do(program, Path(found)):
        return Path(found)
    cached = _cached(program)
    return cached if cached.is_file() else None


def missing(names: Iterable[str] = PROGRAMS) -> list[Program]:
    """Those of the programs that are neither on PATH nor in the cache."""
    return [PROGRAMS[name] for name in names if locate(name) is None]


def install(names: Iterable[str] = PROGRAMS) -> list[Program]:
    """Get what is missing, saying on standard error what happens; returns what could not be had."""
    failed = []
    with _lock():
        for name in names:
            program = PROGRAMS[name]
            found = locate(name)
            if found is not None:
                _say(f"{name} {program.version}: there already ({found})")
                continue
            reasons = _get(program)
            if reasons:
                failed.append(program)
                _say(f"{name} {program.version}: could not be had: {'; '.join(reasons)}")
                _say(f"  without it: {program.cost}")
    return failed


def _get(program: Program) -> list[str]:
    """Try the archive, then Go; the reasons where both failed."""
    reasons = []
    for way, get in (("release archive", _from_archive), ("Go modules", _from_go)):
        start = time.monotonic()
        try:
            get(program)
        except EnvironmentFault as fault:
            reasons.append(f"{way}: {fault}")
        else:
            _say(
                f"{program.name} {program.version}: installed from its {way} in {time.monotonic() - start:.0f} s"
            )
            return []
    return reasons


def _cached(program: Program) -> Path:
    return cache_folder() / "bin" / f"{program.name}-{program.version}-{_fingerprint(program)}"


def _fingerprint(program: Program) -> str:
    """Of what it is built from: another pin is another file in the cache."""
    digest = hashlib.sha256("\0".join((program.package, *program.build)).encode())
    folder = resource_path(f"collector/native/{program.module}")
    for file in sorted(folder.iterdir()):
        if file.suffix in (".mod", ".sum", ".go"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _will_do(program: Program, path: Path) -> bool:
    argument = "version" if program.name == "jaeger" else "--version"
    try:
        done = subprocess.run([path, argument], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    match = re.search(r"v?(\d+)\.(\d+)\.\d+", done.stdout + done.stderr)
    return match is not None and (int(match[1]), int(match[2])) >= program.oldest


def _from_archive(program: Program) -> None:
    system, machine = platform.system().lower(), platform.machine().lower()
    arch = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(machine)
    if system not in ("linux", "darwin") or arch is None:
        raise EnvironmentFault(f"there is none for {system} on {machine}")
    base = os.environ.get("ORDERS_OBS_SANDBOX_RELEASE_BASE", _RELEASES).rstrip("/")
    path = program.archive.format(os=system, arch=arch)
    wanted = _published_sum(
        _download(f"{base}/{program.checksums}").decode("utf-8", "replace"), Path(path).name
    )
    _say(f"{program.name} {program.version}: downloading {Path(path).name}")
    content = _download(f"{base}/{path}")
    if hashlib.sha256(content).hexdigest() != wanted:
        raise EnvironmentFault(f"the checksum of {Path(path).name} is not the one that the release publishes")
    with _new_file(_cached(program)) as target, tempfile.NamedTemporaryFile() as archive:
        archive.write(content)
        archive.flush()
        with tarfile.open(archive.name) as tar:
            member = next((m for m in tar if m.isfile() and Path(m.name).name == program.member), None)
            source = None if member is None else tar.extractfile(member)
            if source is None:
                raise EnvironmentFault(f"{Path(path).name} holds no {program.member}")
            with target.open("wb") as out:
                shutil.copyfileobj(source, out)


def _published_sum(text: str, name: str) -> str:
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].lstrip("*./") == name and re.fullmatch(r"[0-9a-f]{64}", words[0]):
            return words[0]
    raise EnvironmentFault(f"the release publishes no checksum of {name}")


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_TIMEOUT) as response:  # noqa: S310  # the base address is the user's own choice
            content: bytes = response.read()
            return content
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise EnvironmentFault(f"cannot be fetched ({reason})") from None


def _from_go(program: Program) -> None:
    go = shutil.which("go")
    if go is None:
        raise EnvironmentFault("no `go` on PATH")
    folder = resource_path(f"collector/native/{program.module}")
    _say(
        f"{program.name} {program.version}: building it from Go modules, a few minutes when nothing is cached"
    )
    with _new_file(_cached(program)) as target:
        command = [
            go,
            "build",
            "-mod=readonly",
            "-trimpath",
            *program.build,
            "-o",
            str(target),
            program.package,
        ]
        log = cache_folder() / f"{program.name}.build.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
            _wait_for_build(process, program)
        if process.returncode != 0:
            lines = log.read_text(errors="replace").splitlines()
            tail = next((line for line in reversed(lines) if not line.startswith("go: downloading")), "")
            raise EnvironmentFault(f"go build failed ({tail[:300]}); the whole of it: {log}")
        log.unlink(missing_ok=True)


def _wait_for_build(process: subprocess.Popen[bytes], program: Program) -> None:
    start = time.monotonic()
    while True:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - start
            if elapsed > _BUILD_TIMEOUT:
                process.kill()
                process.wait()
                raise EnvironmentFault(f"go build took longer than {_BUILD_TIMEOUT:.0f} s") from None
            _say(f"  {program.name}: still building, {elapsed:.0f} s")
        except BaseException:
            process.kill()
            process.wait()
            raise
        else:
            return


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A file that is in its place only when it is whole, and executable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _lock() -> Iterator[None]:
    """One installation at a time."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"{folder} cannot be made: {error.strerror}", hint="set ORDERS_OBS_CACHE_DIR"
        ) from None
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another installation is running; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
