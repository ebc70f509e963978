"""The command `orders-obs`: parses, hands over to the part that does the work, turns what went wrong into an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

from orders_obs._version import __version__
from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Sequence

# The parts that add commands, in the order of `--help`. Each module has `register(subparsers)`; what it needs to do the work it
# imports when the command runs.
_PARTS: tuple[str, ...] = ("demo", "alerts", "aws", "relay", "dashboards", "sandbox")

# What a command may lack, and the extra that brings it.
_EXTRAS = {
    "attr": "dashboards",
    "boto3": "aws",
    "botocore": "aws",
    "cryptography": "relay",
    "grafanalib": "dashboards",
    "promql_parser": "alerts",
    "psutil": "sandbox",
    "yaml": "alerts",
}

EXIT_OK, EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_FAULT, EXIT_INTERRUPTED = 0, 2, 3, 70, 130


def build_parser(parts: Sequence[str] = _PARTS) -> argparse.ArgumentParser:
    """The parser of `orders-obs`, with the commands of the named parts."""
    parser = argparse.ArgumentParser(
        prog="orders-obs",
        description="Observability and alerting for Python services.",
        epilog="Exit codes: 0 ok, 1 findings or changes, 2 wrong input, 3 something could not be reached, 70 a fault of ours.",
    )
    parser.add_argument("--version", action="version", version=f"orders-obs {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of what went wrong")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {part: import_module(f"orders_obs.{part}.cli") for part in parts}
    added = {part: module.register(subparsers) for part, module in modules.items()}
    if "alerts" in modules and "aws" in modules:
        # A catalogue stands below the room that talks to AWS.
        modules["aws"].register_alerts(added["alerts"])
    if "demo" in modules and "sandbox" in modules:
        # The check of a sandbox is the demonstration's, which stands above it.
        modules["demo"].register_verify(added["sandbox"])
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: The words after the program's name; those of the process when None.
    """
    args = build_parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except UserError as error:
        return _failed(error, EXIT_USAGE, debug=args.debug)
    except EnvironmentFault as error:
        return _failed(error, EXIT_ENVIRONMENT, debug=args.debug)
    except KeyboardInterrupt:
        print("orders-obs: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left (`| head`); what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            return _failed(error, EXIT_FAULT, debug=args.debug)
        hint = f"pip install 'orders-obs[{extra}]'"
        return _failed(
            EnvironmentFault(f"{error.name} is not installed", hint=hint), EXIT_ENVIRONMENT, debug=args.debug
        )
    except Exception as error:
        return _failed(error, EXIT_FAULT, debug=args.debug)
    return code


def run_part(part: str) -> int:
    """`python -m orders_obs.PART …`: the same command under the module's name."""
    return main([part, *sys.argv[1:]])


def _failed(error: Exception, code: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if code == EXIT_FAULT:
        text = f"internal error: {type(error).__name__}: {error} (this is a fault of orders-obs; --debug shows where)"
    else:
        text = str(error)
    print(f"orders-obs: {redact_text(text)}", file=sys.stderr)
    return code
