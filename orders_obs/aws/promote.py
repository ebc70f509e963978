"""Taking an alert out of shadow where the catalogue says so: one word of one file changes, and only if nothing else would.

`mode: shadow` becomes `mode: live` in its place. Nothing is taken out, so that comments, anchors and line endings stay, and a mode
of a layer below does not come up.
"""

from __future__ import annotations

import difflib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from orders_obs.alerts.catalogue import Catalogue
from orders_obs.alerts.model import PACKAGES
from orders_obs.alerts.nodes import Node, compose, did_you_mean, read
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orders_obs.alerts.model import ResolvedCatalogue

__all__ = ["Promotion", "prepare", "write"]

_SHADOW, _LIVE = "shadow", "live"
_FORMS = (_SHADOW, f"'{_SHADOW}'", f'"{_SHADOW}"')


@dataclass(frozen=True, slots=True)
class Promotion:
    """The change of a file that takes an alert out of shadow.

    Attributes:
        name: The alert.
        file: The file.
        line: Where its mode stands, from 1.
        before: The file's content.
        after: What it becomes.
        environments: Those in which the alert becomes live, in the order of the catalogue.
        included: Whether the file is a part, which other catalogues may include too.
    """

    name: str
    file: Path
    line: int
    before: bytes
    after: bytes
    environments: tuple[str, ...]
    included: bool

    def diff(self) -> str:
        """The change as a unified diff."""
        before, after = (_lines(content.decode("utf-8")) for content in (self.before, self.after))
        changed = difflib.unified_diff(before, after, f"a/{self.file.name}", f"b/{self.file.name}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in changed
        )


@dataclass(frozen=True, slots=True)
class _Mode:
    """Where a file says the mode of an alert."""

    file: Path
    value: Any
    line: int
    path: tuple[tuple[Any, Any], ...]
    """Keys and values on the way to it."""

    @property
    def place(self) -> tuple[Path, int]:
        return self.file, self.value.start_mark.index


class _Files:
    """The catalogue's file and the parts that it includes, as text and as YAML."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.contents: dict[Path, bytes] = {}
        self._roots: dict[Path, Any] = {}
        self.parts = tuple(self._included())

    def text(self, file: Path) -> str:
        """As it is written, line endings and all."""
        if file not in self.contents:
            try:
                self.contents[file] = file.read_bytes()
            except OSError as error:
                raise UserError(f"cannot be read: {error.strerror}", file=file) from None
        return self.contents[file].decode("utf-8")

    def root(self, file: Path) -> Any:
        """Its YAML, whose marks count the characters of its text."""
        if file not in self._roots:
            # The loader in C counts otherwise where there are line endings of other systems.
            self._roots[file] = yaml.compose(self.text(file), Loader=yaml.SafeLoader)
        return self._roots[file]

    def _included(self) -> Sequence[Path]:
        found = _get(self.root(self.path), "include")
        parts = []
        for item in found[1].value if found else ():
            package, file = _get(item, "package"), _get(item, "file")
            text = str(item.value).strip() if isinstance(item, yaml.ScalarNode) else ""
            if package or text.startswith("package:"):
                name = package[1].value.strip() if package else text.partition(":")[2]
                parts.append(PACKAGES / f"{name}.yaml")
            else:
                parts.append(self.path.parent / (file[1].value.strip() if file else text))
        return parts

    def mode(self, name: str, environment: str) -> _Mode | None:
        """The mode of an alert that counts in an environment: its own, else the catalogue's, else that of the last part."""
        for file, way in (
            (self.path, ("environments", environment, "alerts", name, "mode")),
            (self.path, ("alerts", name, "mode")),
            *((part, ("alerts", name, "mode")) for part in reversed(self.parts)),
        ):
            node, path = self.root(file), []
            for word in way:
                found = _get(node, word)
                if found is None:
                    break
                path.append(found)
                node = found[1]
            else:
                key, value = path[-1]
                return _Mode(file, value, key.start_mark.line + 1, tuple(path))
        return None


def prepare(catalogue: Catalogue, environment: str, name: str) -> Promotion:
    """Work out the change that takes an alert out of shadow in an environment.

    Args:
        catalogue: As it is.
        environment: Where the alert is in shadow.
        name: As in the catalogue.

    Returns:
        The change, of which was seen that it makes this alert live and alters nothing else in any environment.

    Raises:
        UserError: There is no such alert, or it is not in shadow; its mode stands where or as it cannot be changed alone.
    """
    before = {each: catalogue.resolve(each) for each in catalogue.environments}
    if environment not in before:
        raise UserError(
            f"there is no environment {environment!r} in the catalogue",
            hint=did_you_mean(environment, before),
        )
    files = _Files(catalogue.path)
    mode = files.mode(name, environment)
    _check_shadow(catalogue, before[environment], name, mode)
    assert mode is not None  # noqa: S101  # else it is live
    if mode.file.parent == PACKAGES:
        raise UserError(
            f"{name} is in shadow by package:{mode.file.stem}, which is not the team's to change",
            hint=f"write into {catalogue.path}: alerts: {{{name}: {{mode: live}}}}, or for {environment} alone"
            f" environments: {{{environment}: {{alerts: {{{name}: {{mode: live}}}}}}}}",
        )
    text = files.text(mode.file)
    start, end = mode.value.start_mark.index, mode.value.end_mark.index
    _check_aliases(mode, text)
    if text[start:end] not in _FORMS:
        raise UserError(
            f"the mode of {name} is written in a way that is not changed here",
            hint="write mode: live there by hand",
            file=mode.file,
            line=mode.line,
        )
    changed = text[:start] + text[start:end].replace(_SHADOW, _LIVE) + text[end:]
    meant = [
        each
        for each in before
        if (nearest := files.mode(name, each)) is not None and nearest.place == mode.place
    ]
    after = _loaded(catalogue.path, mode.file, changed)
    for each, resolved in before.items():
        wanted = _made_live(resolved, name) if each in meant else resolved
        if after.resolve(each) != wanted:
            raise UserError(
                f"to change the mode of {name} here would change more in {each} than that",
                hint="write mode: live by hand, and look at `orders-obs alerts plan`",
                file=mode.file,
                line=mode.line,
            )
    return Promotion(
        name,
        mode.file,
        mode.line,
        files.contents[mode.file],
        changed.encode("utf-8"),
        tuple(each for each in meant if before[each] != after.resolve(each)),
        mode.file != catalogue.path,
    )


def write(promotion: Promotion) -> None:
    """Write the change. The file is whole at every moment, and keeps its rights; a symbolic link stays one.

    Raises:
        UserError: It cannot be written, or is not what it was when the change was worked out.
    """
    place = promotion.file.resolve()
    partial = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        if not os.access(place, os.W_OK):
            raise PermissionError(13, "it is read-only")
        with partial.open("wb") as file:
            file.write(promotion.after)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(place, partial)
        if place.read_bytes() != promotion.before:
            raise UserError("was changed meanwhile", hint="run it again", file=promotion.file)
        partial.replace(place)
    except OSError as error:
        raise UserError(
            f"cannot be written: {error.strerror}; it is as it was",
            hint="look at the rights of the file and its folder",
            file=promotion.file,
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _lines(text: str) -> list[str]:
    """With their endings; only a line feed ends one, as diff and patch see it."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _check_shadow(catalogue: Catalogue, resolved: ResolvedCatalogue, name: str, mode: _Mode | None) -> None:
    """See that the alert is there, and in shadow."""
    environment = resolved.environment.name
    said = str(mode.value.value).strip() if mode else _LIVE
    where = {"file": mode.file, "line": mode.line} if mode else {"file": catalogue.path}
    if not any(alert.name == name for alert in resolved):
        if said == "disabled":
            raise UserError(
                f"{name} is disabled in {environment}, and not in shadow",
                hint="write mode: shadow there first, and apply",
                **where,
            )
        names = dict.fromkeys(alert.name for alert in resolved)
        raise UserError(f"there is no alert {name!r} in {environment}", hint=did_you_mean(name, names))
    if said != _SHADOW:
        raise UserError(
            f"{name} is not in shadow in {environment}: it is {said}",
            hint="`orders-obs alerts plan` says whether AWS has it so",
            **where,
        )


def _check_aliases(mode: _Mode, text: str) -> None:
    """See that nothing on the way to the mode is an alias, or has a name by which it stands in other places too."""
    anchors: dict[int, str] = {}
    aliases: dict[str, int] = {}
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            aliases.setdefault(str(event.anchor), mark.line + 1)
        elif isinstance(event, yaml.NodeEvent) and event.anchor:
            anchors[mark.index] = event.anchor
    for key, value in mode.path:
        line = key.start_mark.line + 1
        # What stands before its own key stands there under another one.
        if value.start_mark.index < key.start_mark.index:
            raise UserError(
                f"{key.value}: stands on line {value.start_mark.line + 1}, and here is only an alias of it",
                hint="write it out here, and run it again",
                file=mode.file,
                line=line,
            )
        anchor = anchors.get(value.start_mark.index, "")
        if anchor in aliases:
            raise UserError(
                f"{key.value}: has the anchor &{anchor}, and is line {aliases[anchor]} too",
                hint=f"write it out in place of *{anchor}, and run it again",
                file=mode.file,
                line=line,
            )


def _loaded(path: Path, file: Path, text: str) -> Catalogue:
    """The catalogue as it would be."""
    # As a file is read: of each line ending, one.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if file != path:
        return Catalogue(read(path), path, {file.resolve(): text})
    composed = compose(text, path)
    assert composed is not None  # noqa: S101  # it has an alert
    return Catalogue(Node(path, composed, "the file"), path)


def _made_live(resolved: ResolvedCatalogue, name: str) -> ResolvedCatalogue:
    def live(alerts: Any) -> Any:
        return tuple(replace(alert, mode=_LIVE) if alert.name == name else alert for alert in alerts)

    return replace(
        resolved,
        alerts=live(resolved.alerts),
        burns=live(resolved.burns),
        events=live(resolved.events),
        raws=live(resolved.raws),
    )


def _get(node: Any, word: str) -> tuple[Any, Any] | None:
    """A key of a mapping and its value."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next(
        (
            (key, value)
            for key, value in node.value
            if isinstance(key, yaml.ScalarNode) and str(key.value).strip() == word
        ),
        None,
    )
