"""`orders-obs alerts plan`, `apply`, `drift`, `destroy`, `hold`, `release`, `record`: the catalogue and what AWS has of it."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentTypeError
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live
    from orders_obs.aws.management import Applied, Management, Options
    from orders_obs.aws.plan import Change, Plan

__all__ = ["add_connection", "connected", "register"]

_ALLOW = ("deletions", "empty", "older", "firing")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `orders-obs alerts`."""
    plan = commands.add_parser("plan", help="what would change on AWS, setting by setting; changes nothing")
    _options(plan)
    plan.add_argument("-o", "--output", metavar="FILE", help="save it, for `apply --plan FILE`")
    plan.add_argument("--check", action="store_true", help="exit 1 where something would change")
    plan.add_argument("--full", action="store_true", help="every setting of what is made anew")
    plan.add_argument("--json", action="store_true", help="as data")
    plan.set_defaults(run=_plan)

    apply = commands.add_parser(
        "apply", help="make AWS what the catalogue says; touches nothing that is not ours"
    )
    _options(apply)
    apply.add_argument(
        "--plan",
        metavar="FILE",
        help="a saved plan: applied only if what is there is still what it was made from",
    )
    apply.add_argument("--yes", action="store_true", help="do not ask")
    apply.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    apply.add_argument("--break-lock", action="store_true", help="take the lock from whoever has it")
    apply.add_argument("--json", action="store_true", help="the record of it as data")
    apply.set_defaults(run=_apply)

    drift = commands.add_parser(
        "drift", help="what somebody changed by hand since the last apply; exit 1 where there is any"
    )
    add_connection(drift)
    drift.add_argument("--json", action="store_true", help="as data")
    drift.set_defaults(run=_drift)

    destroy = commands.add_parser("destroy", help="take away what is ours in an environment; logs stay")
    add_connection(destroy)
    destroy.add_argument("--yes", action="store_true", help="do not ask")
    destroy.add_argument("--dry-run", action="store_true", help="show what would go")
    destroy.add_argument(
        "--allow", action="append", default=[], choices=("firing",), help="what the guards let through"
    )
    destroy.add_argument("--break-lock", action="store_true", help="take the lock from whoever has it")
    destroy.add_argument("--json", action="store_true", help="the record of it as data")
    destroy.set_defaults(run=_destroy)

    release = commands.add_parser("release", help="take our tags off alarms, and leave them as they are")
    release.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="alerts, or names of things on AWS (default: all that is ours)",
    )
    add_connection(release)
    release.add_argument("--yes", action="store_true", help="do not ask")
    release.add_argument("--dry-run", action="store_true", help="show what would be released")
    release.add_argument("--break-lock", action="store_true", help="take the lock from whoever has it")
    release.add_argument("--json", action="store_true", help="the record of it as data")
    release.set_defaults(run=_release)

    hold = commands.add_parser("hold", help="keep an alarm as it is until a day: no apply changes it")
    hold.add_argument("name", metavar="NAME", help="an alert, or the name of an alarm on AWS")
    hold.add_argument("--until", metavar="DATE", type=_day, help="the last day, such as 2026-12-31")
    hold.add_argument("--reason", default="", help="why")
    hold.add_argument("--off", action="store_true", help="end the hold")
    add_connection(hold)
    hold.add_argument("--dry-run", action="store_true", help="show which alarms are meant")
    hold.set_defaults(run=_hold)

    record = commands.add_parser("record", help="who applied what, and when")
    add_connection(record)
    record.add_argument("--last", type=int, default=20, metavar="N", help="so many (default: 20)")
    record.add_argument("--json", action="store_true", help="as data, every change")
    record.set_defaults(run=_record)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add what every command that talks to AWS about a catalogue takes."""
    parser.add_argument("--env", required=True, help="an environment of the catalogue")
    parser.add_argument("--catalogue", help="a file or folder (default: alerts/ here, else the shipped one)")
    parser.add_argument("--profile", help="of the SDK's configuration (default: AWS_PROFILE)")
    parser.add_argument(
        "--region", help="refuse to run where the environment is in another one (default: the environment's)"
    )
    parser.add_argument(
        "--print-policy", action="store_true", help="print the IAM policy that this needs, and ask nobody"
    )


def _options(parser: argparse.ArgumentParser) -> None:
    add_connection(parser)
    parser.add_argument(
        "--prune", action="store_true", help="take away what is ours and not in the catalogue any more"
    )
    parser.add_argument(
        "--adopt",
        action="append",
        default=[],
        metavar="NAME",
        help="take over a thing that is there and nobody's",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=_ALLOW,
        help="what the guards let through: see docs/apply.md",
    )


def _plan(args: argparse.Namespace) -> int:
    from orders_obs.aws.plan_text import plan_data, plan_text

    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "plan")
    managed = connected(args, desired)
    options = _asked(args)
    plan, live = managed.plan(options)
    data = plan_data(plan, desired, live, options)
    if args.output:
        _write(Path(args.output), json.dumps(data, indent=2) + "\n")
    print(
        json.dumps(data, indent=2) if args.json else plan_text(plan, desired, live, full=args.full),
        end="\n" if args.json else "",
    )
    return int(bool(plan.refusals) or (args.check and bool(plan.changes)))


def _apply(args: argparse.Namespace) -> int:
    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "apply")
    _own_catalogue(args, desired)
    saved = _saved(args, desired) if args.plan else None
    managed = connected(args, desired)
    options = _asked(args)
    if saved is not None:
        options = _with_saved(options, saved["options"])
    plan, live = managed.plan(options)
    if saved is not None and saved["fingerprint"] != plan.fingerprint:
        raise UserError(
            "nothing was applied: what is there, the catalogue or the options are not those that the plan was made from",
            hint="plan again, and look at it",
            file=args.plan,
        )
    return _carry_out(args, managed, plan, live, options, sure=bool(args.yes or args.plan))


def _drift(args: argparse.Namespace) -> int:
    from orders_obs.aws.plan_text import plan_data, plan_text

    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "plan")
    managed = connected(args, desired)
    plan, live = managed.plan()
    made = managed.record.state()
    waiting = [change for change in plan.changes if not _drifted(change, made)]
    plan.changes = [
        replace(change, note="it was there at the end of the last apply")
        if change.action == "create"
        else change
        for change in plan.changes
        if _drifted(change, made)
    ]
    plan.refusals = [finding for finding in plan.refusals if finding.where in made]
    if args.json:
        print(json.dumps(plan_data(plan, desired, live), indent=2))
    elif plan.changes or plan.held or plan.refusals:
        print(plan_text(plan, desired, live), end="")
    if waiting:
        print(
            f"{len(waiting)} changes of the catalogue are not applied yet: `orders-obs alerts plan` shows them",
            file=sys.stderr,
        )
    if not made:
        print("nothing was applied yet, so that nothing can have drifted", file=sys.stderr)
    elif not (plan.changes or plan.refusals or plan.held):
        print("no drift: nobody changed what was applied", file=sys.stderr)
    return int(bool(plan.changes or plan.refusals))


def _drifted(change: Change, made: set[str]) -> bool:
    """Whether somebody changed or deleted what was applied: not what the catalogue will change, nor what was never there."""
    from orders_obs.aws.things import SOURCE_TAG

    if change.action == "create":
        return change.identity in made
    if change.cause in ("by hand", "interrupted"):
        return True
    same_words = change.live is not None and change.live.tags.get(SOURCE_TAG) == change.thing.tags.get(
        SOURCE_TAG
    )
    return change.action == "tag" and change.cause == "catalogue" and same_words


def _destroy(args: argparse.Namespace) -> int:
    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "destroy")
    _own_catalogue(args, desired)
    managed = connected(args, desired)
    options = _asked(args, destroy=True, prune=True, allow=("deletions", "empty", "older", *args.allow))
    plan, live = managed.plan(options)
    return _carry_out(args, managed, plan, live, options, sure=args.yes, what="destroy")


def _release(args: argparse.Namespace) -> int:
    from orders_obs.aws.release import release_plan

    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "apply")
    managed = connected(args, desired)
    _, live = managed.plan()
    plan = release_plan(desired, live, args.names, managed.aws)
    wanted = [change.thing.name for change in plan.changes if change.identity in desired.things]
    if wanted:
        print(
            f"{len(wanted)} of these are still in the catalogue: until they are taken out of it, or adopted again,"
            " each plan of this environment is refused",
            file=sys.stderr,
        )
    return _carry_out(args, managed, plan, live, None, sure=args.yes, what="release")


def _hold(args: argparse.Namespace) -> int:
    from orders_obs.aws.release import hold_alarms

    if bool(args.until) == args.off or (args.until and not args.reason):
        raise UserError(
            "a hold has a last day and a reason, or is taken off",
            hint="--until 2026-12-31 --reason TEXT, or --off",
        )
    if args.until and args.until < datetime.now(tz=UTC).date():
        raise UserError(f"{args.until} has passed", hint="name a day to come")
    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "apply")
    managed = connected(args, desired)
    names = hold_alarms(managed, args.name, args.until, args.reason, dry_run=args.dry_run)
    for name in names:
        print(name)
    verb = "would be" if args.dry_run else "are"
    print(
        f"{len(names)} alarms {verb} {'free again' if args.off else f'on hold until {args.until}'}",
        file=sys.stderr,
    )
    return 0


def _record(args: argparse.Namespace) -> int:
    desired = _desired(args)
    if args.print_policy:
        return _policy(desired, "plan")
    record = connected(args, desired).record
    entries = list(record.entries(0 if args.json else args.last))
    if args.json:
        print(json.dumps({"record": record.group, "entries": entries}, indent=2))
        return 0
    for entry in entries:
        done = f"{entry['done']} done, {entry['failed']} not" if "done" in entry else ""
        if "changes" in entry:
            done = f"of {entry['changes']} changes"
        revision = str(entry.get("revision", ""))
        short = f"{revision[:12]}{'+' if revision.endswith('+') else ''}" or "no revision"
        what = f"{entry.get('what', '')} {entry.get('event')}".strip()
        print(f"{entry.get('at')}  {what:<24} {done:<18} {short:<14} {entry.get('by')}")
    if not entries:
        print("nothing was applied yet", file=sys.stderr)
    return 0


def _carry_out(
    args: argparse.Namespace,
    managed: Management,
    plan: Plan,
    live: Live,
    options: Options | None,
    *,
    sure: bool,
    what: str = "apply",
) -> int:
    from orders_obs.aws.management import Options, refuse
    from orders_obs.aws.plan_text import plan_data, plan_text, summary
    from orders_obs.aws.verify import look_again
    from orders_obs.findings import exit_code, render

    text = plan_text(plan, managed.desired, live)
    if args.dry_run or plan.refusals or not plan.changes:
        data = plan_data(plan, managed.desired, live)
        print(json.dumps(data, indent=2) if args.json else text, end="\n" if args.json else "")
        if args.dry_run or plan.refusals:
            if not args.dry_run:
                refuse(plan)
            return int(bool(plan.refusals))
        # Nothing to change is not all well: who does not hear is said each time.
        found = look_again(managed.desired, live) if options is not None and not options.destroy else []
        print(render(found, as_json=False), end="", file=sys.stderr)
        return exit_code(found)
    print(text, end="", file=sys.stderr)
    if not sure:
        _ask(f"{summary(plan)}: do it?")
    try:
        with _stoppable():
            applied = managed.apply(plan, options or Options(), again=options is not None, what=what)
    except KeyboardInterrupt:
        print(
            f"stopped: what was done is in the record (`orders-obs alerts record --env {args.env}`), and the next {what} goes on",
            file=sys.stderr,
        )
        raise
    return _told(args, applied)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Stop as by Ctrl-C where a pipeline is cancelled: what is done is recorded, and the lock given back."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(args: argparse.Namespace, applied: Applied) -> int:
    from orders_obs.aws.plan_text import done_text
    from orders_obs.findings import exit_code, render

    sys.stderr.write(done_text(applied.done))
    if applied.unread:
        print(f"what was applied could not be looked at: {applied.unread}", file=sys.stderr)
    left = applied.left.changes if applied.left else []
    for change in left:
        paths = ", ".join(field.path for field in change.fields[:5])
        print(
            f"what is there is not what was asked: {change.identity}{f' ({paths})' if paths else ''}",
            file=sys.stderr,
        )
    print(render(applied.findings, as_json=False), end="", file=sys.stderr)
    if args.json:
        print(json.dumps(applied.record, indent=2))
    else:
        record = applied.record
        print(
            f"{record['event']}: {len(applied.done) - len(applied.failed)} of {len(applied.done)} changes, run {record['run']}, by {record['by']}"
        )
        print(f"revision {record['revision'] or '-'}, {record['at']} to {record['ended']}")
    return int(not applied.complete) or exit_code(applied.findings)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UserError(
            "nobody is there to be asked", hint="--yes, or --plan FILE with a plan that was looked at"
        )
    print(f"{question} Only `yes` does it: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != "yes":
        raise UserError("nothing was done")


def _desired(args: argparse.Namespace) -> Desired:
    from orders_obs.alerts.location import load_catalogue
    from orders_obs.aws.desired import Desired

    desired = Desired(load_catalogue(args.catalogue), args.env)
    environment = desired.environment
    if args.region and args.region != environment.region:
        raise UserError(
            f"environment {environment.name} is in {environment.region}, and not in {args.region}",
            hint="leave --region out",
            file=environment.source.file,
            line=environment.source.line,
        )
    for difference in desired.differences:
        print(f"difference: {difference}", file=sys.stderr)
    return desired


def connected(args: argparse.Namespace, desired: Desired) -> Management:
    """The environment on AWS, with the credentials that the arguments name.

    Raises:
        UserError: They are another account's.
        EnvironmentFault: AWS cannot be asked.
    """
    from orders_obs.aws import session
    from orders_obs.aws.guards import revision_of
    from orders_obs.aws.management import Management

    again = f"orders-obs alerts apply --env {args.env} --print-policy"
    aws = session.connect(desired.environment.region, args.profile or "", policy=again)
    folder = Path(desired.path).parent
    return Management(aws, desired, revision_of(folder), progress=_progress())


def _progress() -> Callable[[str], None]:
    def say(text: str) -> None:
        print(text, file=sys.stderr)

    return say


def _asked(args: argparse.Namespace, **more: Any) -> Options:
    from orders_obs.aws.management import Options

    given = {
        name: getattr(args, name) for name in ("prune", "adopt", "allow", "break_lock") if hasattr(args, name)
    } | more
    return Options(
        prune=given.get("prune", False),
        adopt=tuple(given.get("adopt", ())),
        allow=tuple(given.get("allow", ())),
        break_lock=given.get("break_lock", False),
        destroy=given.get("destroy", False),
    )


def _policy(desired: Desired, what: Any) -> int:
    from orders_obs.aws.rights import rights

    print(json.dumps(rights(desired, what), indent=2))
    return 0


def _saved(args: argparse.Namespace, desired: Desired) -> dict[str, Any]:
    path = Path(args.plan)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        wanted = (content["service"], content["environment"])
        str(content["fingerprint"])
        dict(content["options"])
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    except (ValueError, KeyError, TypeError):
        raise UserError(
            "is no plan", hint="make one with `orders-obs alerts plan -o FILE`", file=path
        ) from None
    if wanted != (desired.owner.service, desired.owner.environment):
        raise UserError(
            f"is a plan for {wanted[0]} in {wanted[1]}", hint="name the environment of the plan", file=path
        )
    if content.get("refusals"):
        raise UserError("is a plan that was refused", hint="see what it says", file=path)
    found: dict[str, Any] = content
    return found


def _with_saved(options: Options, saved: dict[str, Any]) -> Options:
    """The options with those that a plan was made with."""
    return replace(
        options,
        prune=options.prune or bool(saved.get("prune")),
        adopt=tuple(dict.fromkeys((*options.adopt, *saved.get("adopt", ())))),
        allow=tuple(dict.fromkeys((*options.allow, *saved.get("allow", ())))),
    )


def _own_catalogue(args: argparse.Namespace, desired: Desired) -> None:
    """See to it that nobody writes from the example that the package ships, for want of a catalogue where the command runs."""
    if not args.catalogue and not Path(desired.path).resolve().is_relative_to(Path.cwd().resolve()):
        raise UserError(
            "there is no catalogue here, and what the package ships is an example",
            hint="go where alerts/ is, or name one with --catalogue",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
    print(f"wrote {path}", file=sys.stderr)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day, such as 2026-12-31") from None
