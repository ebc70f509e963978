"""What the commands that talk to AWS about a catalogue have in common: the session, the question, the report."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orders_obs.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from orders_obs.aws.desired import Desired
    from orders_obs.aws.live import Live
    from orders_obs.aws.management import Applied, Management, Options
    from orders_obs.aws.plan import Plan
    from orders_obs.aws.rights import For

__all__ = ["add_connection", "carry_out", "connected", "desired_of", "own_catalogue", "print_policy"]


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add what every command that talks to AWS about a catalogue takes."""
    parser.add_argument("--env", required=True, help="an environment of the catalogue")
    parser.add_argument("--catalogue", help="a file or folder (default: alerts/ here, else the shipped one)")
    parser.add_argument("--profile", help="of the SDK's configuration (default: AWS_PROFILE)")
    parser.add_argument(
        "--region", help="refuse to run where the environment is in another one (default: the environment's)"
    )
    parser.add_argument(
        "--print-policy", action="store_true", help="print the IAM policy that this needs, and ask nobody"
    )


def desired_of(args: argparse.Namespace) -> Desired:
    """What the catalogue that the arguments name wants of AWS.

    Raises:
        UserError: It is wrong, or the environment is in another region than the arguments say.
    """
    from orders_obs.alerts.location import load_catalogue
    from orders_obs.aws.desired import Desired

    desired = Desired(load_catalogue(args.catalogue), args.env)
    environment = desired.environment
    if args.region and args.region != environment.region:
        raise UserError(
            f"environment {environment.name} is in {environment.region}, and not in {args.region}",
            hint="leave --region out",
            file=environment.source.file,
            line=environment.source.line,
        )
    for difference in desired.differences:
        print(f"difference: {difference}", file=sys.stderr)
    return desired


def connected(args: argparse.Namespace, desired: Desired) -> Management:
    """The environment on AWS, with the credentials that the arguments name.

    Raises:
        UserError: They are another account's.
        EnvironmentFault: AWS cannot be asked.
    """
    from orders_obs.aws import session
    from orders_obs.aws.guards import revision_of
    from orders_obs.aws.management import Management

    again = f"orders-obs alerts apply --env {args.env} --print-policy"
    aws = session.connect(desired.environment.region, args.profile or "", policy=again)
    folder = Path(desired.path).parent
    return Management(aws, desired, revision_of(folder), progress=_say)


def own_catalogue(args: argparse.Namespace, desired: Desired) -> None:
    """See to it that nobody writes from the example that the package ships, for want of a catalogue where the command runs."""
    if not args.catalogue and not Path(desired.path).resolve().is_relative_to(Path.cwd().resolve()):
        raise UserError(
            "there is no catalogue here, and what the package ships is an example",
            hint="go where alerts/ is, or name one with --catalogue",
        )


def print_policy(desired: Desired, what: For) -> int:
    """Print the least IAM policy; the exit code."""
    from orders_obs.aws.rights import rights

    print(json.dumps(rights(desired, what), indent=2))
    return 0


def carry_out(
    args: argparse.Namespace,
    managed: Management,
    plan: Plan,
    live: Live,
    options: Options | None,
    *,
    sure: bool,
    what: str = "apply",
) -> int:
    """Show a plan, ask, do it, and say what became of it; the exit code.

    Args:
        args: Of the command.
        managed: The environment.
        plan: What to do.
        live: What is there.
        options: With which the plan was made; None where it follows from no catalogue.
        sure: Whether nobody is asked.
        what: What the record calls it.

    Raises:
        UserError: The plan is refused, or nobody says yes.
    """
    from orders_obs.aws.management import Options, refuse
    from orders_obs.aws.plan_text import plan_data, plan_text, summary
    from orders_obs.aws.verify import look_again
    from orders_obs.findings import exit_code, render

    text = plan_text(plan, managed.desired, live)
    if args.dry_run or plan.refusals or not plan.changes:
        data = plan_data(plan, managed.desired, live)
        print(json.dumps(data, indent=2) if args.json else text, end="\n" if args.json else "")
        if args.dry_run or plan.refusals:
            if not args.dry_run:
                refuse(plan)
            return int(bool(plan.refusals))
        # Nothing to change is not all well: who does not hear is said each time.
        found = look_again(managed.desired, live) if options is not None and not options.destroy else []
        print(render(found, as_json=False), end="", file=sys.stderr)
        return exit_code(found)
    print(text, end="", file=sys.stderr)
    if not sure:
        _ask(f"{summary(plan)}: do it?")
    try:
        with _stoppable():
            applied = managed.apply(plan, options or Options(), again=options is not None, what=what)
    except KeyboardInterrupt:
        print(
            f"stopped: what was done is in the record (`orders-obs alerts record --env {args.env}`), and the next {what} goes on",
            file=sys.stderr,
        )
        raise
    return _told(args, applied)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Stop as by Ctrl-C where a pipeline is cancelled: what is done is recorded, and the lock given back."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(args: argparse.Namespace, applied: Applied) -> int:
    from orders_obs.aws.plan_text import done_text
    from orders_obs.findings import exit_code, render

    sys.stderr.write(done_text(applied.done))
    if applied.unread:
        print(f"what was applied could not be looked at: {applied.unread}", file=sys.stderr)
    left = applied.left.changes if applied.left else []
    for change in left:
        paths = ", ".join(field.path for field in change.fields[:5])
        print(
            f"what is there is not what was asked: {change.identity}{f' ({paths})' if paths else ''}",
            file=sys.stderr,
        )
    print(render(applied.findings, as_json=False), end="", file=sys.stderr)
    if args.json:
        print(json.dumps(applied.record, indent=2))
    else:
        record = applied.record
        print(
            f"{record['event']}: {len(applied.done) - len(applied.failed)} of {len(applied.done)} changes, run {record['run']}, by {record['by']}"
        )
        print(f"revision {record['revision'] or '-'}, {record['at']} to {record['ended']}")
    return int(not applied.complete) or exit_code(applied.findings)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise UserError(
            "nobody is there to be asked", hint="--yes, or --plan FILE with a plan that was looked at"
        )
    print(f"{question} Only `yes` does it: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != "yes":
        raise UserError("nothing was done")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
