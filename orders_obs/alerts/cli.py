"""`orders-obs alerts`: show the catalogue, check it, and build what an engine takes from it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs import findings
from orders_obs.alerts.contract import cli as contract
from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import AnyAlert
    from orders_obs.findings import Finding

__all__ = ["register"]

_ENGINES = (
    "prometheus", "alertmanager", "cloudwatch", "cloudwatch-promql", "eventbridge", "sns", "logs", "aws", "cloudformation",
    "terraform",
)  # fmt: skip


def register(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """Add the command to a parser; what it returns takes further ones."""
    parser = subparsers.add_parser(
        "alerts", help="the alert catalogue: show it, check it, build rules and alarms from it"
    )
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="write what an engine takes")
    build.add_argument("--engine", required=True, choices=_ENGINES)
    build.add_argument("--env", required=True, help="an environment of the catalogue")
    build.add_argument("-o", "--output", default="-", help="a folder, or - for standard output (the default)")
    build.add_argument(
        "--import",
        dest="imports",
        action="store_true",
        help="for terraform: add blocks that import what is there already",
    )
    build.add_argument(
        "--strict", action="store_true", help="exit 1 where the output differs from what the catalogue says"
    )
    build.set_defaults(run=_build)

    show = commands.add_parser("show", help="list the alerts, every value resolved")
    show.add_argument("--env", help="only this environment")
    shape = show.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as data")
    shape.add_argument(
        "--resolved",
        action="store_true",
        help="the merged words as YAML, each with the place that it comes from",
    )
    show.set_defaults(run=_show)

    explain = commands.add_parser(
        "explain", help="one alert in words and numbers: how fast, how dear, whom it tells"
    )
    explain.add_argument("name", help="the alert's name, or its full name on CloudWatch")
    explain.add_argument(
        "--env", default="", help="an environment of the catalogue (default: production, else the first)"
    )
    explain.add_argument("--json", action="store_true", help="as data")
    explain.set_defaults(run=_explain)

    lint = commands.add_parser(
        "lint",
        help="find alerts that can never fire, hide an outage, or reach nobody: in the catalogue, or in any file",
    )
    lint.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="catalogues, Prometheus rules, alarms as boto3, CloudFormation or Terraform JSON, or folders of them"
        " (default: the catalogue)",
    )
    lint.add_argument("--env", default="", help="of the catalogue only this environment")
    lint.add_argument("--rules", action="store_true", help="list the rules, and why each is one")
    findings.add_arguments(lint)
    lint.set_defaults(run=_lint)

    check = commands.add_parser(
        "contract",
        help="whether the metrics and labels that alerts and dashboards use are those that the code emits",
    )
    contract.add_arguments(check)
    check.set_defaults(run=contract.run)

    for command in (build, show, explain, lint):
        command.add_argument(
            "--catalogue", help="a file or folder (default: alerts/ here, else the shipped one)"
        )
    return commands


def _load(args: argparse.Namespace) -> Catalogue:
    from orders_obs.alerts.location import load_catalogue

    return load_catalogue(args.catalogue)


def _lint(args: argparse.Namespace) -> int:
    from orders_obs.alerts.lint.catalogue_rules import lint_catalogue
    from orders_obs.alerts.lint.files import lint_path
    from orders_obs.alerts.lint.rules import BY_INPUT

    if args.rules:
        print(findings.list_rules(BY_INPUT, as_json=args.json), end="")
        return 0
    if args.files and (args.env or args.catalogue):
        raise UserError("--env and --catalogue do not go with files", hint="leave them or the files out")
    if not args.files:
        return findings.report(lint_catalogue(_load(args), environment=args.env), args)
    found: list[Finding] = []
    for path in args.files:
        new, read, passed = lint_path(path)
        found += new
        if path.is_dir():
            print(
                f"{path}: {len(read)} files read, {len(passed)} of other kinds passed over", file=sys.stderr
            )
    return findings.report(found, args)


def _build(args: argparse.Namespace) -> int:
    from orders_obs.alerts.compile.outputs import build

    if args.imports and args.engine != "terraform":
        raise UserError("--import goes with --engine terraform")
    files, differences = build(_load(args).resolve(args.env), args.engine, imports=args.imports)
    for difference in differences:
        print(f"difference: {difference}", file=sys.stderr)
    code = int(bool(args.strict and differences))
    if args.output == "-":
        sys.stdout.write(next(iter(files.values())))
        return code
    folder = Path(args.output)
    try:
        _write(folder, files, args.engine)
    except OSError as error:
        raise UserError(
            f"cannot be written to: {error.strerror}", hint="name another folder with -o", file=folder
        ) from None
    return code


def _write(folder: Path, files: dict[str, str], engine: str) -> None:
    """Write what was built; of the tests of alerts that are there no more, nothing stays."""
    from orders_obs.alerts.compile import promtool

    paths = {folder / name: text for name, text in files.items()}
    per_folder = Counter(path.parent for path in paths)
    for place in per_folder:
        place.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8")
        if path.parent == folder:
            print(f"wrote {path}", file=sys.stderr)
    for place, count in per_folder.items():
        if place != folder:
            print(f"wrote {count} files in {place}", file=sys.stderr)
    if engine != "prometheus":
        return
    for path in sorted((folder / promtool.folder(next(iter(files)))).glob("*")):
        if path not in paths and promtool.is_part(path):
            path.unlink()
            print(f"removed {path}: its alert is gone", file=sys.stderr)


def _show(args: argparse.Namespace) -> int:
    from orders_obs.alerts.describe import describe

    catalogue = _load(args)
    names = [args.env] if args.env else list(catalogue.environments)
    if args.resolved:
        print("\n".join(catalogue.merged_text(name) for name in names), end="")
        return 0
    alerts = [alert for name in names for alert in catalogue.resolve(name)]
    if args.json:
        print(json.dumps({"alerts": [_row(alert) for alert in alerts]}, indent=2))
        return 0
    for alert in alerts:
        severity = alert.severity
        reach = severity.topic or ("recorded" if severity.log else "-")
        shadow = ", in shadow: tells nobody" if alert.mode == "shadow" else ""
        print(f"{alert.full_name}\n    fires while {describe(alert)}")
        print(
            f"    topic {reach}{', pages' if severity.page else ''}{shadow}\n    {_evaluated(alert)}\n    {alert.source}"
        )
    return 0


def _evaluated(alert: AnyAlert) -> str:
    from orders_obs.alerts.compile.engines import evaluated_by

    engines = evaluated_by(alert)
    return f"on {', '.join(engines)}" if engines else "on no engine of this environment: it never fires here"


def _row(alert: AnyAlert) -> dict[str, Any]:
    from orders_obs.alerts.compile.engines import evaluated_by
    from orders_obs.alerts.describe import describe

    row = asdict(alert)
    signal = getattr(alert, "signal", None)
    return row | {
        "kind": type(alert).__name__.removesuffix("Alert").lower() or "sampled",
        "environment": alert.environment.name,
        "severity": alert.severity.name,
        "topic": alert.severity.topic,
        "page": alert.severity.page,
        "signal": signal.name if signal else None,
        "source": str(alert.source),
        "fires_while": describe(alert),
        "evaluated_by": evaluated_by(alert),
    }


def _explain(args: argparse.Namespace) -> int:
    from orders_obs.alerts.explain import explain
    from orders_obs.alerts.nodes import did_you_mean

    catalogue = _load(args)
    first = "production" if "production" in catalogue.environments else catalogue.environments[0]
    alerts = list(catalogue.resolve(args.env or first))
    wanted = [a for a in alerts if args.name in (a.name, a.full_name, a.alert_id, *a.was)]
    found = [explain(alert) for alert in wanted]
    if not found:
        names = dict.fromkeys(alert.name for alert in alerts)
        raise UserError(
            f"there is no alert {args.name!r} in {args.env or first}", hint=did_you_mean(args.name, names)
        )
    if args.json:
        print(json.dumps({"alerts": [explanation.as_data() for explanation in found]}, indent=2))
    else:
        print("\n".join(explanation.text() for explanation in found), end="")
    return 0
