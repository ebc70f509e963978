"""`orders-obs sandbox`: the real servers on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

    from orders_obs.sandbox.state import State

__all__ = ["register"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> Any:
    """Add the command to a parser; returns its own sub-commands, to which the demo adds `verify`."""
    parser = subparsers.add_parser(
        "sandbox", help="collector, Prometheus, Alertmanager, Jaeger and Grafana on this machine"
    )
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    install = commands.add_parser(
        "install", help="get the native programs: release archives, else built from Go modules"
    )
    install.set_defaults(run=_install)

    up = commands.add_parser("up", help="start what does not run")
    up.add_argument("--backend", choices=("auto", "docker", "native"), default="auto")
    up.set_defaults(run=_up)

    status = commands.add_parser("status", help="what runs, and where")
    status.add_argument("--json", action="store_true", help="as data")
    status.set_defaults(run=_status)

    logs = commands.add_parser("logs", help="what the programs wrote")
    logs.add_argument("name", nargs="?", help="one of them")
    logs.set_defaults(run=_logs)

    down = commands.add_parser("down", help="end it, and take away everything that it made")
    down.set_defaults(run=_down)
    return commands


def _install(_args: argparse.Namespace) -> int:
    from orders_obs.sandbox import programs

    failed = programs.install()
    print(
        "Grafana runs in Docker only (`sandbox up` with an engine); dashboards are built and checked without it.",
        file=sys.stderr,
    )
    return 3 if failed else 0


def _up(args: argparse.Namespace) -> int:
    from orders_obs.sandbox import control

    _print(control.up(args.backend))
    return 0


def _status(args: argparse.Namespace) -> int:
    from orders_obs.sandbox import control

    current = control.present()
    if args.json:
        running = [] if current is None else [s.name for s in current.services if s.process()]
        print(
            json.dumps(
                {
                    "backend": None if current is None else current.backend,
                    "urls": {} if current is None else current.urls,
                    "running": running,
                    "stopped": []
                    if current is None
                    else [s.name for s in current.services if s.name not in running],
                }
            )
        )
    elif current is None:
        print("no sandbox runs", file=sys.stderr)
    else:
        _print(current)
    return 0 if current is not None else 3


def _print(current: State) -> None:
    print(f"backend: {current.backend}")
    for name, url in current.urls.items():
        print(f"{name:14} {url}")
    for service in current.services:
        process = service.process()
        print(f"{service.name:14} {'runs, process ' + str(service.pid) if process else 'has stopped'}")


def _logs(args: argparse.Namespace) -> int:
    from orders_obs.errors import EnvironmentFault, UserError
    from orders_obs.sandbox import control, docker, state

    current = control.present()
    if current is None:
        raise EnvironmentFault("no sandbox runs", hint="`orders-obs sandbox up` starts one")
    if current.backend == "docker":
        return docker.compose(current, "logs", *([args.name] if args.name else [])).returncode
    names = [service.name for service in current.services]
    if args.name and args.name not in names:
        raise UserError(f"the sandbox has no {args.name}", hint=f"it has {', '.join(names)}")
    for name in [args.name] if args.name else names:
        file = state.state_folder() / "logs" / f"{name}.log"
        for line in file.read_text(errors="replace").splitlines():
            print(f"{name} | {line}")
    return 0


def _down(_args: argparse.Namespace) -> int:
    from orders_obs.sandbox import control

    print("ended" if control.down() else "no sandbox was running", file=sys.stderr)
    return 0
