"""`orders-obs alerts compare` and `promote`: what a new alert does beside an old alarm, and taking it out of shadow."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import AnyAlert, Environment, ResolvedCatalogue
    from orders_obs.aws.alarm_history import Past, Timeline
    from orders_obs.aws.compare import Comparison, Episode
    from orders_obs.aws.promote import Promotion
    from orders_obs.aws.session import Aws

__all__ = ["register"]

_MOST_DAYS = 30
_REASON = 110
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            # On all: with less, the history has no composite alarms (API reference, DescribeAlarmHistory).
            "Action": ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"],
            "Resource": "*",
        }
    ],
}
_KINDS = {"only old": "only the old one", "only new": "only the new one"}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to those of `orders-obs alerts`."""
    compare = commands.add_parser(
        "compare", help="when an alert and an old alarm fired over the last days, side by side"
    )
    compare.add_argument("name", metavar="NAME", help="an alert, or its full name on CloudWatch")
    compare.add_argument("--with", dest="old", metavar="OLD", help="any alarm, or another alert")
    _looking(compare)
    compare.add_argument(
        "--check", action="store_true", help="exit 1 where the old one fired and the new one did not"
    )
    compare.add_argument("--json", action="store_true", help="as data")
    compare.set_defaults(run=_compare)

    promote = commands.add_parser(
        "promote",
        help="take an alert out of shadow, in the catalogue, once it was compared with an old alarm",
    )
    promote.add_argument("name", metavar="NAME", help="an alert, or its full name on CloudWatch")
    way = promote.add_mutually_exclusive_group()
    way.add_argument("--with", dest="old", metavar="OLD", help="compare it with this alarm or alert")
    way.add_argument("--without-comparison", action="store_true", help="there is no old alarm")
    _looking(promote)
    promote.add_argument("--anyway", action="store_true", help="even if it missed what the old one found")
    promote.add_argument("--yes", action="store_true", help="do not ask")
    promote.add_argument(
        "--dry-run", action="store_true", help="print the change as a diff, and write nothing"
    )
    promote.set_defaults(run=_promote)


def _looking(parser: argparse.ArgumentParser) -> None:
    from orders_obs.aws.commands import add_connection

    add_connection(parser)
    parser.add_argument("--severity", default="", help="which one, of an alert that has several")
    parser.add_argument(
        "--days", type=int, default=14, metavar="N",
        help="so many days back (default: 14, for which CloudWatch keeps history at least)",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=int, default=10, metavar="MINUTES",
        help="by how much one may fire or end later than the other (default: 10)",
    )  # fmt: skip


def _compare(args: argparse.Namespace) -> int:
    if args.print_policy:
        return _policy()
    if not args.old:
        raise UserError("with what is it to be compared?", hint="--with OLD: any alarm, or another alert")
    comparison = _compared(args, _load(args).resolve(args.env))
    if args.json:
        print(json.dumps(comparison.as_data(), indent=2))
    else:
        print("\n".join(_text(comparison)))
    return int(args.check and comparison.outcome == "missed")


def _promote(args: argparse.Namespace) -> int:
    from orders_obs.aws.promote import prepare, write

    if args.print_policy:
        return _policy()
    if not (args.old or args.without_comparison):
        raise UserError(
            "with what is it to be compared before it tells people?",
            hint="--with OLD: the alarm that did this until now; --without-comparison where there is none",
        )
    catalogue = _own(args)
    resolved = catalogue.resolve(args.env)
    name = _alerts(resolved, args.name)[0].name if _alerts(resolved, args.name) else args.name
    promotion = prepare(catalogue, args.env, name)
    compared = ""
    if args.old:
        comparison = _compared(args, resolved)
        print("\n".join(_text(comparison)), file=sys.stderr)
        _refuse(comparison, args)
        compared = comparison.new.name
        if comparison.old.actions:
            print(
                f"{comparison.old.name} tells people too, until its actions are off or it is gone",
                file=sys.stderr,
            )
    for note in _notes(promotion, args.env, catalogue, compared):
        print(note, file=sys.stderr)
    if args.dry_run:
        print(promotion.diff(), end="")
        return 0
    if not args.yes:
        _ask(f"{promotion.file}:{promotion.line}: mode: shadow becomes mode: live")
    write(promotion)
    print(f"{promotion.file}:{promotion.line}: {name} is live in {', '.join(promotion.environments)}")
    again = [f"orders-obs alerts plan --env {each}, then apply" for each in promotion.environments]
    print(f"AWS does not know yet: {'; '.join(again)}", file=sys.stderr)
    return 0


def _policy() -> int:
    print(json.dumps(_POLICY, indent=2))
    return 0


def _load(args: argparse.Namespace) -> Catalogue:
    from orders_obs.alerts.location import load_catalogue

    if not 1 <= args.days <= _MOST_DAYS:
        raise UserError(
            f"--days {args.days}: from 1 to {_MOST_DAYS}",
            hint="CloudWatch promises no history beyond 14 days, and keeps none beyond 30",
        )
    if args.tolerance < 0:
        raise UserError(f"--tolerance {args.tolerance}: minutes are not below 0")
    return load_catalogue(args.catalogue)


def _own(args: argparse.Namespace) -> Catalogue:
    """The team's catalogue: the shipped one is not written to."""
    from pathlib import Path

    if not args.catalogue and not Path("alerts").is_dir():
        raise UserError("there is no folder alerts here", hint="name the catalogue with --catalogue")
    return _load(args)


def _compared(args: argparse.Namespace, resolved: ResolvedCatalogue) -> Comparison:
    from orders_obs.aws import session
    from orders_obs.aws.compare import compare

    environment = resolved.environment
    _check_environment(args, environment)
    alert = _alert(resolved, args.name, args.severity)
    aws = session.connect(
        environment.region, args.profile or "", policy=f"orders-obs alerts compare {args.name} --env {args.env} --print-policy"
    )  # fmt: skip
    aws.require(environment)
    now = datetime.now(UTC)
    start = now - timedelta(days=args.days)
    old = _old(aws, resolved, args.old, alert, start)
    new = _past(aws, alert.full_name, start)
    if new is None:
        raise UserError(
            f"there is no alarm {alert.full_name} in {aws.account}, {aws.region}, and was none",
            hint=f"in shadow it tells nobody: orders-obs alerts apply --env {environment.name}",
            file=alert.source.file,
            line=alert.source.line,
        )
    for was in alert.was:
        print(f"{alert.name} was called {was}: what it did under that name is not counted", file=sys.stderr)
    return compare(old, new, start, now, timedelta(minutes=args.tolerance))


def _check_environment(args: argparse.Namespace, environment: Environment) -> None:
    place: dict[str, Any] = {"file": environment.source.file, "line": environment.source.line}
    if not (environment.account and environment.region):
        raise UserError(
            f"environment {environment.name} has no account and region, and so no alarms on CloudWatch",
            hint="--env names another one; promote takes --without-comparison",
            **place,
        )
    if args.region and args.region != environment.region:
        raise UserError(
            f"environment {environment.name} is in {environment.region}, and not in {args.region}",
            hint="leave --region out",
            **place,
        )


def _alerts(resolved: ResolvedCatalogue, name: str) -> list[AnyAlert]:
    alerts = list(resolved)
    exact = [alert for alert in alerts if alert.full_name == name]
    return exact or [alert for alert in alerts if name in (alert.name, alert.alert_id)]


def _alert(resolved: ResolvedCatalogue, name: str, severity: str) -> AnyAlert:
    """The one alert, of one severity, that is meant, and that has an alarm."""
    from orders_obs.alerts.compile.engines import evaluated_by
    from orders_obs.alerts.model import EventAlert
    from orders_obs.alerts.nodes import did_you_mean

    environment = resolved.environment.name
    named = _alerts(resolved, name)
    if not named:
        names = dict.fromkeys(alert.name for alert in resolved)
        raise UserError(f"there is no alert {name!r} in {environment}", hint=did_you_mean(name, names))
    found = [alert for alert in named if severity in ("", alert.severity.name)]
    severities = [alert.severity.name for alert in named]
    if not found:
        raise UserError(
            f"{named[0].name} has no severity {severity!r} in {environment}", hint=f"it has {' and '.join(severities)}"
        )  # fmt: skip
    if len(found) > 1:
        raise UserError(
            f"{named[0].name} is an alarm of each severity: {' and '.join(severities)}",
            hint="say which is compared with --severity",
        )
    alert = found[0]
    place: dict[str, Any] = {"file": alert.source.file, "line": alert.source.line}
    if isinstance(alert, EventAlert):
        raise UserError(f"{alert.name} is an announcement, which has no states to compare", **place)
    if not {"cloudwatch", "cloudwatch-promql"} & set(evaluated_by(alert)):
        raise UserError(f"{alert.name} is on no engine of CloudWatch in {environment}", **place)
    return alert


def _old(aws: Aws, resolved: ResolvedCatalogue, name: str, new: AnyAlert, start: datetime) -> Past:
    """The old alarm: the one of that name, else that of the alert of that name."""
    names = [name]
    same = [alert for alert in _alerts(resolved, name) if alert.full_name != name]
    of_severity = [alert for alert in same if alert.severity.name == new.severity.name]
    if len(same) == 1 or of_severity:
        names.append((of_severity or same)[0].full_name)
    if new.full_name in names:
        raise UserError(f"{name} is the alert itself", hint="--with OLD: another alarm, or another alert")
    for each in names:
        past = _past(aws, each, start)
        if past is not None:
            if past.alarm is None:
                print(f"{each} is not there any more; its history is", file=sys.stderr)
            return past
    raise UserError(
        f"there is no alarm {' or '.join(names)} in {aws.account}, {aws.region}, and was none in these days",
        hint="names are compared letter by letter; one that was renamed is another alarm",
    )


def _past(aws: Aws, name: str, start: datetime) -> Past | None:
    from orders_obs.aws.alarm_history import read_past

    print(f"reading the history of {name}", file=sys.stderr)
    return read_past(aws, name, start)


def _refuse(comparison: Comparison, args: argparse.Namespace) -> None:
    if args.anyway or comparison.outcome not in ("missed", "nothing"):
        return
    raise UserError(
        f"{args.name} stays in shadow: {comparison.verdict()}",
        hint="--anyway if that is as it should be; nothing was written",
    )


def _notes(promotion: Promotion, environment: str, catalogue: Catalogue, compared: str) -> Iterator[str]:
    """What else follows from it."""
    where = ", ".join(promotion.environments)
    yield f"{promotion.name} becomes live in {where}"
    others = [each for each in promotion.environments if each != environment]
    if others:
        yield (
            f"    its mode stands on the alert, so also in {', '.join(others)}; for {environment} alone write by hand"
            f" environments: {{{environment}: {{alerts: {{{promotion.name}: {{mode: live}}}}}}}}"
        )
    if promotion.included:
        yield f"    {promotion.file} is a part: where other catalogues include it, it becomes live there too"
    alerts = [alert for alert in catalogue.resolve(environment) if alert.name == promotion.name]
    rest = [alert.severity.name for alert in alerts if alert.full_name != compared]
    if compared and rest:
        yield f"    all severities of it become live, also what was not compared: {', '.join(rest)}"
    for alert in alerts:
        if (getattr(alert, "cloudwatch", None) or {}).get("ActionsEnabled") is False:
            yield "    its raw form says ActionsEnabled: false, so it tells nobody all the same"


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UserError("nobody is there to be asked", hint="--yes; --dry-run shows what would be written")
    print(f"{question}. Only `yes` does it: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != "yes":
        raise UserError("nothing was written")


def _text(comparison: Comparison) -> Iterator[str]:
    old, new = comparison.old, comparison.new
    yield f"old  {_described(old)}"
    yield f"new  {_described(new)}"
    yield f"from {_at(comparison.start)} to {_at(comparison.until)} UTC"
    since = comparison.since
    if since and since > comparison.start:
        later = max((old, new), key=lambda line: line.created or comparison.start)
        made = f": {later.name} was made then" if later.created == since else ""
        yield f"both can be looked at since {_at(since)}{made}; what was before counts for neither"
    for line in (old, new):
        for note in line.notes:
            yield f"{line.name}: {note}"
    yield ""
    if comparison.episodes:
        yield f"{'begin':<17} {'end':<17} {'minutes':>8}  {'fired':<17} {'new at begin':<13} new at end"
    for episode in comparison.episodes:
        yield from _row(episode)
    if comparison.episodes:
        yield ""
    yield f"{'':<8} {'firings':>8} {'minutes':>9} {'flaps':>6} {'minutes of INSUFFICIENT_DATA':>29}"
    met, minutes = comparison.met, _minutes
    news = sum(len(each.new) for each in comparison.episodes if each.kind in ("both", "only new"))
    for word, count, length, flaps, blind in (
        (
            "old",
            met + len(comparison.missed),
            comparison.only_old,
            comparison.flaps_old,
            comparison.blind_old,
        ),
        ("new", news, comparison.only_new, comparison.flaps_new, comparison.blind_new),
    ):
        total = minutes(comparison.both + length)
        yield f"{word:<8} {count:>8} {total:>9} {flaps:>6} {minutes(blind):>29}"
    share = comparison.share
    covered = "" if share is None else f"; the new one fired in {share:.0%} of the old one's minutes"
    yield (
        f"both {minutes(comparison.both)} minutes, only the old one {minutes(comparison.only_old)},"
        f" only the new one {minutes(comparison.only_new)}{covered}"
    )
    yield ""
    yield comparison.verdict()


def _row(episode: Episode) -> Iterator[str]:
    firings = (*episode.old, *episode.new)
    before = "" if all(f.begun for f in firings if f.begin == episode.begin) else "<"
    after = "" if all(f.ended for f in firings if f.end == episode.end) else ">"
    kind = _KINDS.get(episode.kind, episode.kind)
    later = (
        (_later(episode.later_at_begin), _later(episode.later_at_end)) if episode.kind == "both" else ("", "")
    )
    yield (
        f"{before + _at(episode.begin):<17} {_at(episode.end) + after:<17} {_minutes(episode.end - episode.begin):>8}"
        f"  {kind:<17} {later[0]:<13} {later[1]}"
    ).rstrip()
    if episode.kind != "both":
        other = "new" if episode.old else "old"
        yield f"    meanwhile the {other} one was {', '.join(map(_state, episode.meanwhile))}"
        if episode.kind == "only old" and episode.reason:
            yield f"    {episode.reason[:_REASON]}"


def _state(state: str) -> str:
    return {"ABSENT": "not there", "UNKNOWN": "in a state that nobody knows any more"}.get(state, state)


def _described(line: Timeline) -> str:
    if line.actions is None:
        return f"{line.name}: not there any more"
    told = "its actions are on" if line.actions else "its actions are off, it tells nobody"
    return f"{line.name}: {line.state}, {told}"


def _later(by: timedelta | None) -> str:
    if by is None:
        return "-"
    minutes = _minutes(by)
    return "same minute" if not minutes else f"{abs(minutes)} min {'later' if minutes > 0 else 'earlier'}"


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
