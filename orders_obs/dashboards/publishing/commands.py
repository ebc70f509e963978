"""What `orders-obs dashboards publish | diff | pull | annotate | provision` do."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.printable import printable
from orders_obs.errors import UserError
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from orders_obs.dashboards.publishing.plan import Choices, Plan
    from orders_obs.dashboards.publishing.prepare import Prepared
    from orders_obs.dashboards.publishing.server import Server
    from orders_obs.dashboards.publishing.targets import Settings, Target

__all__ = ["annotate", "provision", "publish", "pull"]


def publish(args: argparse.Namespace) -> int:
    """Bring dashboards to a target, or say what that would change.

    Raises:
        UserError: The input is wrong.
        EnvironmentFault: The target cannot be had.
    """
    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.plan import Choices
    from orders_obs.dashboards.publishing.publish import carry_out
    from orders_obs.dashboards.publishing.report import as_data, plan_text, result_text, summary

    if args.prune and args.files:
        raise UserError(
            "--prune deletes what is not built, and only some files are named", hint="leave the files out"
        )
    choices = Choices(
        adopt=tuple(args.adopt),
        overwrite_drift=args.overwrite_drift,
        prune=args.prune,
        send_secrets=args.send_secrets,
        force=args.force,
    )
    settings, target, prepared = _prepared(args, args.files)
    if _faulty(prepared) and not args.without_lint:
        print("refused: nothing was written; mend them, or publish with --without-lint", file=sys.stderr)
        return 1
    server, plan = _planned(settings, target, prepared, choices, alone=bool(args.files))
    only_look = args.dry_run or args.check
    if plan.refused or only_look or not plan.writes:
        _show(args, plan_text(plan), as_data(plan))
        _told(summary(plan), plan, looked=only_look)
        differs = plan.writes or (args.orphans and any(item.state == "orphan" for item in plan.items))
        return 1 if plan.refused or (args.check and differs) else 0
    audit = Audit(server, _revision(settings.file.parent), args.audit)
    audit.check()
    if not args.json:
        print(plan_text(plan), end="", flush=True)
    with _interruptible():
        result = carry_out(server, plan, settings.set, choices, audit)
    _show(args, result_text(result), as_data(plan, result))
    if result.code:
        print("not all of it was written; publish again when the cause is gone", file=sys.stderr)
    return result.code


def _told(counts: str, plan: Plan, *, looked: bool) -> None:
    print(counts or "nothing to publish", file=sys.stderr)
    if plan.refused:
        print("refused: nothing was written", file=sys.stderr)
    elif plan.writes and looked:
        print("nothing was written", file=sys.stderr)


def _faulty(prepared: Sequence[Prepared]) -> bool:
    """Whether lint finds errors, which are said."""
    from orders_obs import findings
    from orders_obs.dashboards.lint.rules import lint_dashboard

    found = [
        finding
        for dashboard in prepared
        for finding in lint_dashboard(dashboard.built, str(dashboard.source))
        if finding.level == "error"
    ]
    print(redact_text(findings.render(found, as_json=False)), end="", file=sys.stderr)
    return bool(found)


def pull(args: argparse.Namespace) -> int:
    """Write what stands in Grafana of dashboards as their builds would have.

    Raises:
        UserError: A dashboard is not there, or cannot be read.
        EnvironmentFault: The target cannot be had.
    """
    from orders_obs.dashboards.publishing.difference import lines
    from orders_obs.dashboards.publishing.plan import Choices
    from orders_obs.dashboards.publishing.pull import pulled
    from orders_obs.dashboards.publishing.report import changes_as_data

    settings, target, prepared = _prepared(args, [])
    server, plan = _planned(settings, target, prepared, Choices(), sources=False)
    there = {item.uid: item for item in plan.items if item.live is not None}
    for uid in args.uids:
        if uid not in there:
            raise UserError(
                f"{uid} is not built, or not in Grafana",
                hint=f"there are {', '.join(there) or 'none'}",
            )
    chosen = [there[uid] for uid in args.uids] or [item for item in there.values() if item.drift]
    for item in chosen:
        if item.state in ("foreign", "provisioned"):
            said = f"{item.uid}: {item.refused}; to publish it, {item.hint}"
            print(printable(redact_text(said)), file=sys.stderr)
        if item.live is not None and not item.live.converted:
            raise UserError(
                f"{item.uid}: Grafana cannot give it in the classic schema", hint="copy it by hand"
            )
        if item.live is not None and item.live.new_schema:
            print(
                f"{item.uid} was saved in Grafana's new schema: tabs and conditional sections are not in it here",
                file=sys.stderr,
            )
    found = [pulled(server, item, settings.set, args.output) for item in chosen]
    for one in found:
        if not args.dry_run:
            _write(one.file, one.text)
        if not args.json:
            by = f", saved by {one.saved_by} at {one.saved_at}" if one.saved_by else ""
            print(printable(redact_text(f"{one.uid} ({one.title}){by}")))
            told = lines(one.changes) if one.built else ["no longer built: all of it is in the file"]
            print("".join(f"    {line}\n" for line in told), end="")
        word = "would write" if args.dry_run else "wrote"
        over = ", in place of one that said something else" if one.replaces else ""
        print(f"{word} {one.file}{over}", file=sys.stderr)
    if args.json:
        data = [
            {
                "uid": one.uid,
                "title": redact_text(one.title),
                "file": str(one.file),
                "built": one.built,
                "replaces": one.replaces,
                "saved_by": one.saved_by,
                "saved_at": one.saved_at,
                "changes": changes_as_data(one.changes),
            }
            for one in found
        ]
        print(json.dumps({"target": plan.target, "pulled": data}, indent=2))
    if not found:
        print("nothing was changed in Grafana", file=sys.stderr)
    else:
        print(
            "bring the changes into the source: a build that says the same is published without a question, "
            "any other with --overwrite-drift",
            file=sys.stderr,
        )
    return 0


def annotate(args: argparse.Namespace) -> int:
    """Mark a deployment.

    Raises:
        UserError: The input is wrong.
        EnvironmentFault: The target cannot be had.
    """
    from orders_obs.dashboards.publishing import annotations
    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.server import connect

    settings = _settings(args)
    target = settings.target(args.target)
    revision = _revision(settings.file.parent)
    now = int(time.time() * 1000)
    when = now if args.time is None else annotations.moment(args.time, now)
    given = annotations.Annotation(when, args.text, _tags(args, target, revision))
    annotation = annotations.clean(given)
    if annotation != given:
        print("what looks like a secret was taken out of text and tags", file=sys.stderr)
    server = connect(target, settings.set)
    before = annotations.find(server, annotation.tags)
    if args.dry_run:
        made = args.again or not any(annotations.same(annotation, entry) for entry in before)
        word = "would be made" if made else "is there already"
    else:
        audit = Audit(server, revision, args.audit)
        audit.check()
        with _interruptible():
            made = annotations.annotate(server, annotation, audit, again=args.again)
        word = "made" if made else "is there already"
    tags = list(annotation.tags)
    if args.json:
        data = {"target": target.name, "new": made, "tags": tags, "text": annotation.text}
        there = [{"time": entry.get("time"), "text": redact_text(str(entry.get("text")))} for entry in before]
        print(json.dumps(data | {"there": there}))
    print(printable(f"{word}: {annotation.text} ({', '.join(tags)})"), file=sys.stderr)
    for entry in before:
        told = f"there with these tags: {entry.get('text')}, {_moment(entry.get('time'))}"
        print(printable(redact_text(told)), file=sys.stderr)
    if not made:
        print("--again makes one more", file=sys.stderr)
    return 0


def _tags(args: argparse.Namespace, target: Target, revision: str) -> tuple[str, ...]:
    version = args.version or revision.rstrip("+")
    if not version:
        raise UserError(
            f"a mark needs a version, and no commit was found for {target.file.parent}",
            hint="name it with --version",
        )
    tags = [tag.strip() for tag in args.tags.split(",") if tag.strip()]
    tags += [f"env:{target.environment}"] if target.environment else []
    return tuple(dict.fromkeys([*tags, f"version:{version}"]))


def _moment(value: Any) -> str:
    """A time of Grafana's for a person."""
    try:
        return f"{datetime.fromtimestamp(int(value) / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (TypeError, ValueError, OverflowError, OSError):
        return "at no time"


def provision(args: argparse.Namespace) -> int:
    """Write the files for Grafana's file provisioning, or compare them.

    Raises:
        UserError: A file cannot be written, or was not made by this command.
    """
    from orders_obs.alerts.nodes import read_text
    from orders_obs.dashboards.publishing.provisioning import HEADER, provisioning

    target = _settings(args).target(args.target) if args.target else None
    files = {args.output / name: text for name, text in provisioning(target, path=args.path or "").items()}
    for file, text in files.items():
        theirs = file.is_file() and not read_text(file).startswith(HEADER)
        if theirs and not args.check and not args.force and not _same(file, text):
            raise UserError(
                "stands there and was not made by this command; nothing was written",
                hint="write to another folder, or replace it with --force",
                file=file,
            )
    different = 0
    for file, text in files.items():
        same = _same(file, text)
        different += not same
        if not args.check and not same:
            _write(file, text)
        word = "unchanged" if same else "says something else" if args.check else "wrote"
        print(f"{word}: {file}", file=sys.stderr)
    return 1 if args.check and different else 0


def _same(file: Path, text: str) -> bool:
    """Whether a file says the same; comments and the order of keys aside."""
    from orders_obs.alerts.nodes import Node, compose, read_text

    if not file.is_file():
        return False
    there, ours = compose(read_text(file), file), compose(text, file)
    return (
        there is not None
        and ours is not None
        and Node(file, there, "it").data() == Node(file, ours, "it").data()
    )


def _settings(args: argparse.Namespace) -> Settings:
    from orders_obs.dashboards.publishing.targets import DEFAULT_FILE, read_settings

    return read_settings(args.targets or DEFAULT_FILE)


def _prepared(args: argparse.Namespace, files: list[Path]) -> tuple[Settings, Target, list[Prepared]]:
    from orders_obs.dashboards.publishing.prepare import built_for, outside, prepare

    settings = _settings(args)
    target = settings.target(args.target)
    built = built_for(target, files)
    return settings, target, prepare(built, target, settings.set, outside(built, target) if files else ())


def _planned(
    settings: Settings,
    target: Target,
    prepared: list[Prepared],
    choices: Choices,
    *,
    sources: bool = True,
    alone: bool = False,
) -> tuple[Server, Plan]:
    """Compare with the target, its data sources too where `sources`; `alone` where only some files were named."""
    from orders_obs.dashboards.publishing.plan import make_plan
    from orders_obs.dashboards.publishing.prepare import built_for
    from orders_obs.dashboards.publishing.server import connect

    server = connect(target, settings.set)
    print(f"comparing {len(prepared)} dashboards with {target.name}", file=sys.stderr)
    looking = server if sources else replace(server, target=replace(target, datasources={}))

    def built() -> set[str]:
        """What every file of the folder builds, for this target or for another."""
        every = built_for(replace(target, dashboards=()), [])
        return {str(dashboard.get("uid")) for dashboard in every.values()}

    return server, make_plan(looking, prepared, settings.set, choices, built=None if alone else built)


def _show(args: argparse.Namespace, text: str, data: dict[str, Any]) -> None:
    print(json.dumps(data, indent=2) + "\n" if args.json else text, end="", flush=True)


def _write(file: Path, text: str) -> None:

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=file) from None


def _revision(folder: Path) -> str:
    """The commit of the folder's repository, with a `+` where files of the folder differ from it; empty where it is in none."""
    from orders_obs.aws.guards import revision_of

    return str(revision_of(folder))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a SIGTERM end the work as Ctrl-C does, so that what was written is said."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
