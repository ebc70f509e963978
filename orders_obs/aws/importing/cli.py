"""`orders-obs alerts import`: alarms and rules that are there already, as words of the catalogue."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import Environment
    from orders_obs.aws.importing.existing import Found
    from orders_obs.aws.importing.importer import Importer, Result
    from orders_obs.aws.importing.reading import Selection
    from orders_obs.aws.session import Aws

    Adopt = Callable[[Aws, Catalogue, str, Sequence[tuple[str, str]]], None]

__all__ = ["register"]

_STDOUT = "-"
_VIRTUAL = "imported.yaml"


def register(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], adopt: Adopt | None = None
) -> None:
    """Add the command to the commands of `orders-obs alerts`.

    Args:
        commands: The subparsers.
        adopt: Given session, catalogue, environment, and name and ARN of each alarm, makes alarms the catalogue's on AWS; called once
            the catalogue includes what was written. None where that is left to `apply --adopt`.
    """
    parser = commands.add_parser(
        "import",
        help="write alarms and rules that are there already as a part of the catalogue, and change none",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of an alarm")
    parser.add_argument("--env", required=True, help="an environment of the catalogue")
    parser.add_argument("--catalogue", help="a file or folder (default: alerts/ here, else the shipped one)")
    parser.add_argument("--prefix", help="alarms whose names begin so; '' for all of the account and region")
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only those with this tag; may be given again",
    )
    parser.add_argument(
        "--rules-file", "--file", dest="file", type=Path, metavar="FILE",
        help="read a file in place of AWS: rules of Prometheus, the output of describe-alarms, boto3's arguments, a CloudFormation"
        " template, Terraform JSON",
    )  # fmt: skip
    parser.add_argument("--severity", default="", help="of all of which neither topic nor tag says it")
    parser.add_argument(
        "--severity-of",
        action="append",
        default=[],
        metavar="ALARM=SEVERITY",
        help="of one; may be given again",
    )
    parser.add_argument(
        "--terraform-state", action="append", default=[], type=Path, metavar="FILE",
        help="refuse what this state has: what `terraform show -json` or `terraform state pull` prints; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "-o",
        "--output",
        default=_STDOUT,
        metavar="FILE",
        help="the part to write, or - for standard output (the default)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite what an earlier import wrote")
    parser.add_argument(
        "--skip-refused",
        action="store_true",
        help="import the others where one is refused (default: write nothing)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be written, and write nothing"
    )
    parser.add_argument("--json", action="store_true", help="as data")
    parser.add_argument(
        "--print-policy", action="store_true", help="print the IAM policy that this needs, and ask nobody"
    )
    parser.add_argument("--profile", help="of the SDK's configuration (default: AWS_PROFILE)")
    parser.add_argument(
        "--region", help="refuse to run where the environment is in another one (default: the environment's)"
    )
    parser.set_defaults(run=lambda args: _import(args, adopt))


def _import(args: argparse.Namespace, adopt: Adopt | None) -> int:
    from orders_obs.alerts.location import load_catalogue
    from orders_obs.alerts.nodes import read_text
    from orders_obs.aws.importing.importer import Importer
    from orders_obs.aws.importing.owners import stack_of
    from orders_obs.aws.importing.reading import Selection
    from orders_obs.aws.importing.states import read_state
    from orders_obs.aws.importing.target import check_lost, check_target, write_part

    selection = Selection(tuple(args.names), args.prefix, tuple(_pair(text, "--tag") for text in args.tag))
    catalogue = load_catalogue(args.catalogue)
    environment = catalogue.resolve(args.env).environment
    if args.region and environment.region and args.region != environment.region:
        raise UserError(
            f"environment {environment.name} is in {environment.region}, and not in {args.region}",
            hint="leave --region out",
            file=environment.source.file,
            line=environment.source.line,
        )
    if args.print_policy:
        print(json.dumps(_policy(environment), indent=2))
        return 0
    if selection.empty and args.file is None:
        raise UserError(
            "nothing says which alarms are meant",
            hint="give names, --prefix, --tag or --rules-file; --prefix '' is all of them",
        )
    shown_only = args.output == _STDOUT
    target = catalogue.path.parent / _VIRTUAL if shown_only else Path(args.output)
    if not shown_only:
        check_target(target, catalogue.path, force=args.force)
    states = {
        name: at for path in args.terraform_state for name, at in read_state(read_text(path), path).items()
    }
    severities = dict(_pair(text, "--severity-of") for text in args.severity_of)
    importer = Importer(
        catalogue, args.env, target, states, severities, args.severity, skip_refused=args.skip_refused
    )
    found, aws = _read(args, importer, selection)
    if aws is not None:
        importer = replace(importer, stack=partial(stack_of, aws))
    when = f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}" if aws is not None else ""
    result = importer.run(found, when)
    _tell(result)
    good = bool(result.entries) and not result.proof.differences
    if good and not shown_only:
        check_lost(target, [entry.name for entry in result.entries])
    written = good and not shown_only and not args.dry_run
    if written:
        write_part(target, result.text)
    if args.json:
        data = {
            "environment": args.env,
            "file": None if shown_only else str(target),
            "written": written,
            **result.as_data(),
            "adopt": [{"name": name, "arn": address} for name, address in (result.adopted if good else [])],
            "text": result.text if good else "",
        }
        print(json.dumps(data, indent=2, ensure_ascii=False))
    elif good and (shown_only or args.dry_run):
        print(result.text, end="")
    _end(args, catalogue, target, result, written=written)
    if written and adopt is not None and aws is not None:
        _adopt(args, adopt, aws, result)
    if not good:
        return int(bool(result.refused or result.proof.differences))
    return 0


def _read(args: argparse.Namespace, importer: Importer, selection: Selection) -> tuple[Found, Aws | None]:
    environment = importer.catalogue.resolve(args.env).environment
    if args.file is not None:
        from orders_obs.aws.importing.files import read_file

        found = read_file(args.file, environment)
        selection.check([thing.name for thing in found.things], str(args.file))
        found.things = [
            thing for thing in found.things if selection.by_name(thing.name) and selection.by_tags(thing.tags)
        ]
        return found, None
    from orders_obs.alerts.compile.names import account
    from orders_obs.aws.importing.reading import read_alarms
    from orders_obs.aws.session import connect

    _, region = account(environment)
    again = f"orders-obs alerts import --env {args.env} --print-policy"
    aws = connect(region, args.profile or "", policy=again)
    aws.require(environment)
    return read_alarms(aws, selection, lambda text: print(text, file=sys.stderr)), aws


def _tell(result: Result) -> None:
    """What must not be overlooked."""
    for refusal in result.refused:
        print(f"refused: {refusal.text()}", file=sys.stderr)
    for note in result.notes:
        print(f"note: {note}", file=sys.stderr)
    for also in result.proof.also:
        print(f"note: with the import {also}, which plan will show", file=sys.stderr)
    for entry in result.entries:
        for finding in entry.findings:
            print(f"lint: {entry.thing.name}: {finding}", file=sys.stderr)
    for difference in result.proof.differences:
        print(f"difference: {difference}", file=sys.stderr)


def _end(
    args: argparse.Namespace, catalogue: Catalogue, target: Path, result: Result, *, written: bool
) -> None:
    from orders_obs.alerts.catalogue import load

    count = len(result.entries)
    if result.proof.differences:
        print("nothing was written: what the catalogue would make is not what is there", file=sys.stderr)
        return
    if not result.entries:
        why = (
            f"{len(result.refused)} refused (--skip-refused imports the others)"
            if result.refused
            else "nothing found"
        )
        print(f"nothing was written: {why}", file=sys.stderr)
        return
    refused = f", {len(result.refused)} refused" if result.refused else ""
    print(f"{count} imported{refused}, and each is as it was, field by field", file=sys.stderr)
    if not written:
        return
    print(f"wrote {target}", file=sys.stderr)
    included = {entry.name for entry in result.entries} <= load(catalogue.path).alert_names
    if not included:
        print(
            f"add it to the include of {catalogue.path}, as its first lines say, and commit both",
            file=sys.stderr,
        )
    if result.adopted:
        print("to make these alarms the catalogue's on AWS, once it includes the file:", file=sys.stderr)
        for name, address in result.adopted:
            print(f"  {name}    {address}".rstrip(), file=sys.stderr)
        flags = " ".join(f"--adopt {shlex.quote(name)}" for name, _ in result.adopted)
        print(f"orders-obs alerts apply --env {args.env} {flags}", file=sys.stderr)


def _policy(environment: Environment) -> dict[str, Any]:
    """The least IAM policy; none of these actions but the second goes by resource (Service Authorization Reference)."""
    from orders_obs.alerts.compile.names import arn

    anywhere = ["cloudformation:DescribeStackResources", "cloudwatch:DescribeAlarms", "tag:GetResources"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": anywhere, "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": "cloudwatch:ListTagsForResource",
                "Resource": arn(environment, "cloudwatch", "alarm:*"),
            },
        ],
    }


def _adopt(args: argparse.Namespace, adopt: Adopt, aws: Aws, result: Result) -> None:
    """Make the alarms the catalogue's, if it has them: one that is the catalogue's by its tags alone would be deleted."""
    from orders_obs.alerts.location import load_catalogue

    catalogue = load_catalogue(args.catalogue)
    made = {alert.full_name for alert in catalogue.resolve(args.env)}
    mine = [(name, address) for name, address in result.adopted if name in made]
    if mine:
        adopt(aws, catalogue, args.env, mine)


def _pair(text: str, option: str) -> tuple[str, str]:
    key, equals, value = text.rpartition("=") if option == "--severity-of" else text.partition("=")
    if not equals or not key:
        raise UserError(f"{option} {text!r} is no pair", hint=f"such as {option} {'cpu-high=critical' if option == '--severity-of' else 'team=orders'}")  # fmt: skip
    return key, value
