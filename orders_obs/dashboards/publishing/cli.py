"""`orders-obs dashboards publish | diff | pull | annotate | provision`."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from orders_obs.dashboards.publishing.plan import Choices, Plan
    from orders_obs.dashboards.publishing.server import Server
    from orders_obs.dashboards.publishing.targets import Settings

__all__ = ["register"]


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `orders-obs dashboards`."""
    publish = commands.add_parser("publish", help="bring the dashboards of this folder to Grafana")
    _add_common(publish)
    _add_files(publish)
    publish.add_argument(
        "--dry-run", action="store_true", help="show what would be written, and write nothing"
    )
    publish.add_argument(
        "--check", action="store_true", help="as --dry-run; exit 1 if anything would be written"
    )
    publish.add_argument(
        "--prune", action="store_true", help="delete dashboards of the set that are no longer built"
    )
    publish.add_argument(
        "--adopt",
        metavar="UID",
        action="append",
        default=[],
        help="take over a dashboard that is not ours; repeatable",
    )
    publish.add_argument(
        "--overwrite-drift", action="store_true", help="throw away what people changed in Grafana"
    )
    publish.add_argument(
        "--send-secrets",
        action="store_true",
        help="send the secrets of data sources again, as after a change",
    )
    publish.add_argument(
        "--audit", type=Path, metavar="FILE", help="add a line for each write to FILE (default: stderr)"
    )
    publish.set_defaults(run=_publish, orphans=False)

    diff = commands.add_parser(
        "diff", help="what differs between the dashboards and Grafana; exit 1 if anything does"
    )
    _add_common(diff)
    _add_files(diff)
    diff.set_defaults(
        run=_publish,
        check=True,
        dry_run=True,
        orphans=True,
        prune=False,
        adopt=[],
        overwrite_drift=False,
        send_secrets=False,
        audit=None,
    )

    pull = commands.add_parser("pull", help="bring what somebody changed in Grafana back to the code")
    _add_common(pull)
    pull.add_argument("uids", nargs="*", metavar="UID", help="dashboards (default: those changed in Grafana)")
    pull.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where to (default: beside each source)"
    )
    pull.add_argument("--dry-run", action="store_true", help="show what differs, and write no file")
    pull.set_defaults(run=_pull)

    annotate = commands.add_parser("annotate", help="mark a deployment on the graphs")
    _add_common(annotate)
    annotate.add_argument("--text", required=True, help="what it says, such as `orders-api 1.4.2`")
    annotate.add_argument(
        "--tags", default="deploy", help="by which graphs find it, with commas (default: deploy)"
    )
    annotate.add_argument(
        "--version", metavar="V", help="a mark with these tags and this version is made once"
    )
    annotate.add_argument("--time", type=int, metavar="MS", help="milliseconds of the epoch (default: now)")
    annotate.add_argument("--dry-run", action="store_true", help="say whether it is there, and write nothing")
    annotate.add_argument(
        "--audit", type=Path, metavar="FILE", help="add a line for each write to FILE (default: stderr)"
    )
    annotate.set_defaults(run=_annotate)

    provision = commands.add_parser("provision", help="write the files from which Grafana provisions itself")
    provision.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", required=True, help="Grafana's folder `provisioning`"
    )
    provision.add_argument(
        "--target", default="", help="with the data sources of a target (default: the sandbox's)"
    )
    provision.add_argument(
        "--targets", type=Path, metavar="FILE", help="settings file (default: dashboards/targets.yaml)"
    )
    provision.add_argument("--path", help="where Grafana finds the built dashboards")
    provision.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file says something else"
    )
    provision.set_defaults(run=_provision)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", default="", help="name of the target (default: the only one)")
    parser.add_argument(
        "--targets", type=Path, metavar="FILE", help="settings file (default: dashboards/targets.yaml)"
    )
    parser.add_argument("--json", action="store_true", help="as data")


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", type=Path, help="dashboards, as code or as JSON (default: those of the target)"
    )


def _publish(args: argparse.Namespace) -> int:
    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.plan import Choices
    from orders_obs.dashboards.publishing.publish import carry_out
    from orders_obs.dashboards.publishing.report import as_data, plan_text, result_text, summary
    from orders_obs.errors import UserError

    if args.prune and args.files:
        raise UserError(
            "--prune deletes what is not built, and only some files are named", hint="leave the files out"
        )
    choices = Choices(
        adopt=tuple(args.adopt),
        overwrite_drift=args.overwrite_drift,
        prune=args.prune,
        send_secrets=args.send_secrets,
    )
    settings, server, plan = _planned(args, args.files, choices)
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


def _pull(args: argparse.Namespace) -> int:
    from orders_obs.dashboards.printable import printable
    from orders_obs.dashboards.publishing.difference import lines
    from orders_obs.dashboards.publishing.plan import Choices
    from orders_obs.dashboards.publishing.pull import pulled
    from orders_obs.dashboards.publishing.report import changes_as_data
    from orders_obs.errors import UserError
    from orders_obs.redact import redact_text

    settings, server, plan = _planned(args, [], Choices(), sources=False)
    there = {item.uid: item for item in plan.items if item.live is not None}
    for uid in args.uids:
        if uid not in there:
            raise UserError(
                f"{uid} is not built, or not in Grafana", hint=f"there are {', '.join(there) or 'none'}"
            )
    chosen = [there[uid] for uid in args.uids] or [item for item in there.values() if item.state == "drifted"]
    for item in chosen:
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
            print("".join(f"    {line}\n" for line in lines(one.changes)), end="")
        print(f"{'would write' if args.dry_run else 'wrote'} {one.file}", file=sys.stderr)
    if args.json:
        data = [
            {
                "uid": one.uid,
                "title": redact_text(one.title),
                "file": str(one.file),
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
        print("bring the changes into the source, then publish with --overwrite-drift", file=sys.stderr)
    return 0


def _annotate(args: argparse.Namespace) -> int:
    from orders_obs.dashboards.printable import printable
    from orders_obs.dashboards.publishing.annotations import Annotation, annotate, find
    from orders_obs.dashboards.publishing.audit import Audit
    from orders_obs.dashboards.publishing.server import connect
    from orders_obs.errors import UserError

    settings = _settings(args)
    target = settings.target(args.target)
    revision = _revision(settings.file.parent)
    version = args.version or revision.rstrip("+")
    if not version:
        raise UserError("a mark needs a version, so that it is made once", hint="name it with --version")
    tags = [tag.strip() for tag in args.tags.split(",") if tag.strip()]
    tags += [f"env:{target.environment}"] if target.environment else []
    tags = list(dict.fromkeys([*tags, f"version:{version}"]))
    when = int(time.time() * 1000) if args.time is None else args.time
    annotation = Annotation(when, args.text, tuple(tags))
    server = connect(target, settings.set)
    if args.dry_run:
        made = find(server, annotation.tags) is None
        word = "would be made" if made else "is there already"
    else:
        audit = Audit(server, revision, args.audit)
        audit.check()
        with _interruptible():
            made = annotate(server, annotation, audit)
        word = "made" if made else "is there already"
    if args.json:
        print(json.dumps({"target": target.name, "new": made, "tags": tags, "text": args.text}))
    print(printable(f"{word}: {args.text} ({', '.join(tags)})"), file=sys.stderr)
    return 0


def _provision(args: argparse.Namespace) -> int:
    from orders_obs.dashboards.publishing.provisioning import provisioning

    target = _settings(args).target(args.target) if args.target else None
    different = 0
    for name, text in provisioning(target, path=args.path or "").items():
        file = args.output / name
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


def _planned(
    args: argparse.Namespace, files: list[Path], choices: Choices, *, sources: bool = True
) -> tuple[Settings, Server, Plan]:
    from dataclasses import replace

    from orders_obs.dashboards.publishing.plan import make_plan
    from orders_obs.dashboards.publishing.prepare import built_for, prepare
    from orders_obs.dashboards.publishing.server import connect

    settings = _settings(args)
    target = settings.target(args.target)
    prepared = prepare(built_for(target, files), target, settings.set)
    server = connect(target, settings.set)
    print(f"comparing {len(prepared)} dashboards with {target.name}", file=sys.stderr)
    looking = server if sources else replace(server, target=replace(target, datasources={}))

    def built() -> set[str]:
        """What every file of the folder builds, for this target or for another."""
        every = built_for(replace(target, dashboards=()), [])
        return {str(dashboard.get("uid")) for dashboard in every.values()}

    plan = make_plan(looking, prepared, settings.set, choices, built=None if files else built)
    return settings, server, plan


def _show(args: argparse.Namespace, text: str, data: dict[str, Any]) -> None:
    print(json.dumps(data, indent=2) + "\n" if args.json else text, end="", flush=True)


def _write(file: Path, text: str) -> None:
    from orders_obs.errors import UserError

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
