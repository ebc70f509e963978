"""`orders-obs alerts release`, `hold`, `record`: what is let go, what is kept as it is, and who did what."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orders_obs.aws.commands import add_connection, carry_out, connected, desired_of, print_policy
from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse

__all__ = ["register"]


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `orders-obs alerts`."""
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


def _release(args: argparse.Namespace) -> int:
    from orders_obs.aws.release import release_plan

    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "apply")
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
    return carry_out(args, managed, plan, live, None, sure=args.yes, what="release")


def _hold(args: argparse.Namespace) -> int:
    from orders_obs.aws.release import hold_alarms

    if bool(args.until) == args.off or (args.until and not args.reason):
        raise UserError(
            "a hold has a last day and a reason, or is taken off",
            hint="--until 2026-12-31 --reason TEXT, or --off",
        )
    if args.until and args.until < datetime.now(tz=UTC).date():
        raise UserError(f"{args.until} has passed", hint="name a day to come")
    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "apply")
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
    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "plan")
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


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day, such as 2026-12-31") from None
