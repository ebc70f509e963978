"""The commands of this room: `orders-obs resolve`, which looks up what the catalogue does not name by value, and those of `orders-obs alerts`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from orders_obs.aws.audit import cli as audit
from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import Environment
    from orders_obs.aws.resolve import Outcome, Resolution

__all__ = ["register", "register_alerts"]

_MANY = 5
"""Lookups from which on each is announced."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = subparsers.add_parser(
        "resolve", help="look up resources by tag, SSM parameter or stack output, and write the lock"
    )
    parser.add_argument("--env", required=True, help="an environment of the catalogue")
    parser.add_argument("--catalogue", help="a file or folder (default: alerts/ here, else the shipped one)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where the lock is not what AWS has"
    )
    way.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    way.add_argument(
        "--print-policy", action="store_true", help="print the IAM policy that the lookups need; asks nobody"
    )
    parser.add_argument("--json", action="store_true", help="as data")
    parser.add_argument("--profile", help="of the SDK's configuration (default: AWS_PROFILE)")
    parser.add_argument(
        "--region", help="refuse to run where the environment is in another one (default: the environment's)"
    )
    parser.set_defaults(run=_resolve)
    audit.register(subparsers)


def register_alerts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add to `orders-obs alerts` the commands that talk to AWS."""
    from orders_obs.aws import keeping_cli, manage_cli, shadow_cli
    from orders_obs.aws.importing import cli as importing

    manage_cli.register(commands)
    keeping_cli.register(commands)
    shadow_cli.register(commands)
    importing.register(commands)


def _resolve(args: argparse.Namespace) -> int:
    from orders_obs.alerts.location import load_catalogue
    from orders_obs.aws.resolve import check_lookups, policy
    from orders_obs.findings import exit_code

    catalogue = load_catalogue(args.catalogue)
    environment = catalogue.resolve(args.env).environment
    check_lookups(environment)
    if args.region and environment.region and args.region != environment.region:
        raise UserError(
            f"environment {environment.name} is in {environment.region}, and not in {args.region}",
            hint="leave --region out",
            file=environment.source.file,
            line=environment.source.line,
        )
    if args.print_policy:
        if environment.lookups:
            print(json.dumps(policy(environment), indent=2))
        else:
            print(f"{environment.name} has no lookups, which need no rights", file=sys.stderr)
        return 0
    resolution = _look_up(args, catalogue, environment)
    for outcome in resolution.outcomes:
        _tell(outcome)
    written = False
    if not (args.check or args.dry_run or resolution.findings):
        from orders_obs.alerts.lock import write_lock

        written = write_lock(catalogue.lock_path, environment.name, resolution.entries)
    _show(args, catalogue, resolution, written=written)
    return exit_code(resolution.findings) or int(args.check and resolution.differs)


def _look_up(args: argparse.Namespace, catalogue: Catalogue, environment: Environment) -> Resolution:
    from orders_obs.aws.resolve import resolve, resolve_nothing
    from orders_obs.aws.session import connect

    def progress(text: str) -> None:
        if len(environment.lookups) >= _MANY:
            print(text, file=sys.stderr)

    _, locked = catalogue.lookups(environment.name)
    if not environment.lookups:
        return resolve_nothing(environment, locked)
    again = f"orders-obs resolve --env {environment.name} --print-policy"
    aws = connect(environment.region, args.profile or "", policy=again)
    aws.require(environment)
    return resolve(environment, locked, aws, progress)


def _tell(outcome: Outcome) -> None:
    """What must not be overlooked."""
    for note in outcome.notes:
        print(f"{outcome.name}: {note}", file=sys.stderr)
    if outcome.state == "replaced" and outcome.was and outcome.found:
        print(
            f"WARNING: {outcome.name} is another resource now: it was {outcome.was.identity}, it is {outcome.found.identity}."
            " Build and apply anew; the alarms' history is that of the old one.",
            file=sys.stderr,
        )


def _show(args: argparse.Namespace, catalogue: Catalogue, resolution: Resolution, *, written: bool) -> None:
    from orders_obs.findings import render

    if args.json:
        data = {
            "environment": args.env,
            "lock": str(catalogue.lock_path),
            "written": written,
            "resources": [outcome.as_data() for outcome in resolution.outcomes],
            "findings": [asdict(finding) for finding in resolution.findings],
        }
        print(json.dumps(data, indent=2))
    else:
        for outcome in resolution.outcomes:
            print(_line(outcome))
        print(render(resolution.findings, as_json=False), end="")
    print(_ending(args, catalogue, resolution, written=written), file=sys.stderr)


def _line(outcome: Outcome) -> str:
    found, was = outcome.found, outcome.was
    text = f"{outcome.name:<16} {outcome.state:<15} "
    if found is None:
        return text + (f"{was.value} in the lock" if was else "-")
    if was is None or outcome.state in ("same", "lookup changed"):
        return text + found.value
    if outcome.state == "changed":
        return f"{text}{was.value} -> {found.value}"
    return f"{text}{found.value}: {was.identity} -> {found.identity}"


def _ending(args: argparse.Namespace, catalogue: Catalogue, resolution: Resolution, *, written: bool) -> str:
    lock = catalogue.lock_path
    if resolution.findings:
        return f"{lock} was left as it is: {len(resolution.findings)} of the lookups failed"
    if not resolution.differs and not written:
        return f"{lock} has nothing to change" if resolution.outcomes else f"{args.env} has no lookups"
    if written:
        return f"wrote {lock}: commit it"
    if args.check:
        return f"{lock} is not what AWS has: run orders-obs resolve --env {args.env}, and commit it"
    return f"{lock} would be written"
