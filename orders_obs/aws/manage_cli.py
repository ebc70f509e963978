"""`orders-obs alerts plan`, `apply`, `drift`, `destroy`: the catalogue and what AWS has of it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.aws.commands import (
    add_connection,
    carry_out,
    connected,
    desired_of,
    own_catalogue,
    print_policy,
)
from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.management import Options
    from orders_obs.aws.plan import Change

__all__ = ["register"]

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

    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "plan")
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
    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "apply")
    own_catalogue(args, desired)
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
    return carry_out(args, managed, plan, live, options, sure=bool(args.yes or args.plan))


def _drift(args: argparse.Namespace) -> int:
    from orders_obs.aws.plan_text import plan_data, plan_text

    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "plan")
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
    desired = desired_of(args)
    if args.print_policy:
        return print_policy(desired, "destroy")
    own_catalogue(args, desired)
    managed = connected(args, desired)
    options = _asked(args, destroy=True, prune=True, allow=("deletions", "empty", "older", *args.allow))
    plan, live = managed.plan(options)
    return carry_out(args, managed, plan, live, options, sure=args.yes, what="destroy")


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


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
    print(f"wrote {path}", file=sys.stderr)
