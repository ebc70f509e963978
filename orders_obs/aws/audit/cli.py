"""`orders-obs audit`: what is wrong with the alarms of live accounts and the rules of a live Prometheus. It only reads."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from orders_obs.aws.audit.model import Issue, Result
    from orders_obs.aws.audit.resume import Answers
    from orders_obs.aws.audit.selection import Selection

__all__ = ["register"]

_POLICY = "orders-obs audit --print-policy"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    from orders_obs.findings import add_arguments

    parser = subparsers.add_parser(
        "audit", help="which alarms of an account can never fire, reach nobody, hide an outage; read-only"
    )
    parser.add_argument(
        "--profile", action="append", metavar="NAME", help="of the SDK's configuration; may be repeated"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--region", action="append", metavar="REGION", help="may be repeated (default: the SDK's)"
    )
    where.add_argument("--all-regions", action="store_true", help="every region that the account has enabled")
    parser.add_argument("--prefix", metavar="TEXT", help="only alarms whose names begin so")
    parser.add_argument(
        "--tag", action="append", metavar="KEY=VALUE", help="only alarms with the tag; may be repeated"
    )
    parser.add_argument(
        "--history", action="store_true", help="read the history of a week too: flapping, actions that failed"
    )
    parser.add_argument("--prometheus", metavar="URL", help="look at the rules of this Prometheus too")
    parser.add_argument("--no-aws", action="store_true", help="with --prometheus: nothing else")
    parser.add_argument(
        "--resume", metavar="FILE", help="keep what is read in this file, and go on where it ends"
    )
    parser.add_argument("--html", metavar="FILE", help="write a report that is one file")
    parser.add_argument(
        "--all", action="store_true", help="list what is only worth knowing too, and every alarm"
    )
    parser.add_argument("--rules", action="store_true", help="list the rules, and why each is one")
    parser.add_argument(
        "--print-policy", action="store_true", help="print the IAM policy that it needs; asks nobody"
    )
    add_arguments(parser)
    parser.set_defaults(run=_audit)


def _audit(args: argparse.Namespace) -> int:
    if args.rules:
        from orders_obs.aws.audit.rules import BY_INPUT
        from orders_obs.findings import list_rules

        print(list_rules(BY_INPUT, as_json=args.json), end="")
        return 0
    if args.print_policy:
        from orders_obs.aws.audit.reading import policy

        print(json.dumps(policy(history=args.history, all_regions=args.all_regions), indent=2))
        return 0
    from orders_obs.aws.audit.selection import Selection

    if args.no_aws and not args.prometheus:
        raise UserError("--no-aws leaves nothing to look at", hint="add --prometheus URL")
    selection = Selection(args.prefix or "", args.tag or ())
    now = datetime.now(UTC)
    results = [] if args.no_aws else list(_accounts(args, now, selection))
    selection.check(
        [f"{result.place}: could not be looked at: {result.fault}" for result in results if result.fault]
    )
    if args.prometheus:
        from orders_obs.aws.audit.prometheus import audit_prometheus

        results.append(audit_prometheus(args.prometheus, now))
    if all(result.fault for result in results):
        raise EnvironmentFault("; ".join(f"{result.place}: {result.fault}" for result in results))
    return _report(args, results, now)


def _accounts(args: argparse.Namespace, now: datetime, selection: Selection) -> Iterator[Result]:
    from orders_obs.aws import session
    from orders_obs.aws.audit.account import read_account
    from orders_obs.aws.audit.audit import audit, everything
    from orders_obs.aws.audit.model import Result
    from orders_obs.aws.audit.progress import Progress
    from orders_obs.aws.audit.resume import Answers

    seen: set[str] = set()
    selected = selection or everything
    with Answers(Path(args.resume) if args.resume else None) as answers, Progress(sys.stderr) as progress:
        if len(answers):
            print(
                f"{args.resume} has {len(answers)} answers of an earlier run; delete it to read anew",
                file=sys.stderr,
            )
        for profile in args.profile or [""]:
            for region in _regions(args, profile, answers):
                place = f"{profile or 'default'}/{region}"
                try:
                    aws = session.connect(region, profile, policy=_POLICY)
                    place = f"{aws.account}/{aws.region}"
                    if place in seen:
                        continue
                    seen.add(place)
                    read = read_account(
                        aws, answers, progress.of(place), now=now, selected=selected, history=args.history
                    )  # fmt: skip
                except EnvironmentFault as fault:
                    yield Result(place, fault=str(fault))
                    continue
                except KeyboardInterrupt:
                    kept = f"goes on from {args.resume}" if args.resume else "with --resume FILE could go on"
                    print(f"\nthe same command {kept}", file=sys.stderr)
                    raise
                if args.tag and read.alarms and read.tags is None:
                    raise EnvironmentFault(
                        f"{place}: the tags of the alarms could not be read", hint="leave --tag out"
                    )
                selection.note(read)
                yield audit(read, now, selected)


def _regions(args: argparse.Namespace, profile: str, answers: Answers) -> Sequence[str]:
    if args.region:
        return list(dict.fromkeys(args.region))
    region = _default_region(profile)
    if args.all_regions:
        return _enabled(region or "us-east-1", profile, answers)
    if not region:
        raise UserError(
            f"there is no region{f' in profile {profile}' if profile else ''}",
            hint="--region eu-west-1, --all-regions, or AWS_DEFAULT_REGION",
        )
    return [region]


def _default_region(profile: str) -> str:
    try:
        import botocore.session
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise EnvironmentFault("boto3 is not installed", hint="pip install 'orders-obs[aws]'") from None
    try:
        return str(botocore.session.Session(profile=profile or None).get_config_variable("region") or "")
    except BotoCoreError:
        # What is wrong with the configuration is said where it is used.
        return "us-east-1"


def _enabled(region: str, profile: str, answers: Answers) -> list[str]:
    from orders_obs.aws import session
    from orders_obs.aws.audit.reading import Reader

    aws = session.connect(region, profile, policy=f"{_POLICY} --all-regions")
    reader = Reader(aws, answers, lambda _about: None)
    found = reader.call(
        "ec2", "describe_regions", about="the regions of the account",
        keep=lambda answer: {"names": [one["RegionName"] for one in answer.get("Regions") or ()]},
    )  # fmt: skip
    if not isinstance(found, dict):
        why = "; ".join(
            f"{gap.why} to {gap.action}" if gap.why == "no right" else gap.said for gap in reader.gaps
        )
        raise EnvironmentFault(
            f"the regions of {aws.account} cannot be read: {why}", hint="name them with --region"
        )
    return sorted(found["names"])


def _report(args: argparse.Namespace, results: Sequence[Result], now: datetime) -> int:
    from orders_obs.aws.audit import html, report
    from orders_obs.aws.audit.audit import worst_first
    from orders_obs.findings import exit_code, known, read_baseline, write_baseline

    issues = sorted((issue for result in results for issue in result.issues), key=worst_first)
    if args.write_baseline:
        write_baseline([issue.finding for issue in issues], args.write_baseline)
        print(f"wrote {len(issues)} findings to {args.write_baseline}", file=sys.stderr)
        return 0
    kept: list[Issue] = []
    if args.baseline:
        baseline = read_baseline(args.baseline)
        new = [issue for issue in issues if known([issue.finding], baseline)[0]]
        kept, issues = [issue for issue in issues if issue not in new], new
    if args.strict:
        issues = _stricter(issues)
    at = now.isoformat(timespec="seconds")
    if args.html:
        _write(Path(args.html), html.page(results, issues, at, kept))
    if args.json:
        print(json.dumps(report.as_data(results, issues, at, kept), indent=2))
    else:
        print(report.text(results, issues, kept, everything=args.all), end="")
    print(report.by_level(issues) + (f", {len(kept)} in the baseline" if kept else ""), file=sys.stderr)
    if args.html:
        print(f"wrote {args.html}", file=sys.stderr)
    return exit_code([issue.finding for issue in issues])


def _stricter(issues: Sequence[Issue]) -> list[Issue]:
    from dataclasses import replace

    return [replace(issue, level="error") if issue.level == "warning" else issue for issue in issues]


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=path) from None
