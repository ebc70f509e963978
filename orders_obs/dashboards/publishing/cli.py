"""`orders-obs dashboards publish | diff | pull | annotate | provision`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.dashboards.publishing import commands as run

if TYPE_CHECKING:
    import argparse

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
        help="take over a dashboard or a data source that is not ours; repeatable",
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
        "--without-lint", action="store_true", help="publish though lint finds errors in the dashboards"
    )
    publish.add_argument(
        "--force", action="store_true", help="publish though a data source that is only used is not there"
    )
    publish.add_argument(
        "--audit", type=Path, metavar="FILE", help="add a line for each write to FILE (default: stderr)"
    )
    publish.set_defaults(run=run.publish, orphans=False)

    diff = commands.add_parser(
        "diff", help="what differs between the dashboards and Grafana; exit 1 if anything does"
    )
    _add_common(diff)
    _add_files(diff)
    diff.set_defaults(
        run=run.publish,
        check=True,
        dry_run=True,
        orphans=True,
        prune=False,
        adopt=[],
        overwrite_drift=False,
        send_secrets=False,
        without_lint=True,
        force=False,
        audit=None,
    )

    pull = commands.add_parser("pull", help="bring what somebody changed in Grafana back to the code")
    _add_common(pull)
    pull.add_argument("uids", nargs="*", metavar="UID", help="dashboards (default: those changed in Grafana)")
    pull.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where to (default: beside each source)"
    )
    pull.add_argument("--dry-run", action="store_true", help="show what differs, and write no file")
    pull.set_defaults(run=run.pull)

    annotate = commands.add_parser("annotate", help="mark a deployment on the graphs")
    _add_common(annotate)
    annotate.add_argument("--text", required=True, help="what it says, such as `orders-api 1.4.2`")
    annotate.add_argument(
        "--tags", default="deploy", help="by which graphs find it, with commas (default: deploy)"
    )
    annotate.add_argument(
        "--version", metavar="V", help="a mark with these tags, text and version is made once"
    )
    annotate.add_argument("--time", type=int, metavar="MS", help="milliseconds of the epoch (default: now)")
    annotate.add_argument("--again", action="store_true", help="make it though the same one is there")
    annotate.add_argument("--dry-run", action="store_true", help="say whether it is there, and write nothing")
    annotate.add_argument(
        "--audit", type=Path, metavar="FILE", help="add a line for each write to FILE (default: stderr)"
    )
    annotate.set_defaults(run=run.annotate)

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
    provision.add_argument(
        "--force", action="store_true", help="replace a file that this command did not make"
    )
    provision.set_defaults(run=run.provision)


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
