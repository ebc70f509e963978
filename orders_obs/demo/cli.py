"""`orders-obs demo`, and `orders-obs sandbox verify`, which is the same look at a sandbox that runs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

__all__ = ["register", "register_verify"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = subparsers.add_parser(
        "demo", help="an instrumented orders API, traffic, and one request on every screen"
    )
    parser.add_argument(
        "--backend",
        choices=("auto", "docker", "embedded", "native"),
        default="auto",
        help="auto: a sandbox that runs, else native programs that are installed, else Docker, else in memory",
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="the report as data")
    parser.set_defaults(run=_demo)


def register_verify(commands: Any) -> None:
    """Add `verify` to the sub-commands of `sandbox`."""
    verify = commands.add_parser("verify", help="send traffic and follow every link of the running sandbox")
    verify.add_argument("--json", action="store_true", help="the report as data")
    verify.set_defaults(run=_verify)


def _demo(args: argparse.Namespace) -> int:
    return _run(args.backend, keep=args.keep, as_json=args.json, need_running=False)


def _verify(args: argparse.Namespace) -> int:
    return _run("auto", keep=False, as_json=args.json, need_running=True)


def _run(wanted: str, *, keep: bool, as_json: bool, need_running: bool) -> int:
    try:
        from orders_obs.demo.report import render
        from orders_obs.demo.run import demonstrate
    except ImportError as error:
        from orders_obs.errors import EnvironmentFault

        raise EnvironmentFault(
            f"{error.name} is not installed", hint="pip install 'orders-obs[demo]'"
        ) from None

    def show(report: Any) -> None:
        if as_json:
            print(json.dumps(report.as_data(), indent=2, default=str))
        else:
            print(
                render(report, color=sys.stdout.isatty() and not os.environ.get("NO_COLOR")),
                end="",
                flush=True,
            )

    report = demonstrate(wanted, keep=show if keep else None, need_running=need_running)
    if not keep:
        show(report)
    return 1 if report.missing() else 0
