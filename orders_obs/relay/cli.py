"""`orders-obs relay`: the server, a check of its settings, and what the Lambda function is made of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    import argparse

    from orders_obs.relay.envelope import TopicArn
    from orders_obs.relay.infrastructure import Deployment
    from orders_obs.relay.settings import RelaySettings

__all__ = ["register"]

# What `template` takes in place of variables.
_WORDS = {
    "TOPICS": "--topic",
    "SLACK_SECRET": "--secret",
    "SLACK_WEBHOOK": "--secret",
    "WEBHOOK_SECRET": "--webhook-secret",
    "ROUTES": "--secret or --webhook-secret",
    "LOG_GROUPS": "--log-group",
    "RUNBOOK_BASE": "--runbook-base",
}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = subparsers.add_parser(
        "relay",
        help="tell Slack what SNS says: a local server, and the Lambda function's code and template",
        description="Without a further word: the server. Settings are ORDERS_OBS_RELAY_*, see docs/relay.md.",
    )
    parser.add_argument("--bind", help="the address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port, 0 for a free one (default: 9098)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="look at the settings and read the addresses, tell nobody, and end",
    )
    parser.add_argument("--json", action="store_true", help="with --check: as data")
    parser.set_defaults(run=_run)
    parts = parser.add_subparsers(dest="relay_command", metavar="")
    package = parts.add_parser(
        "package", help="the Lambda function's code as a zip, the same bytes each time"
    )
    package.add_argument("-o", "--output", required=True, help="the zip to write")
    package.add_argument("--dry-run", action="store_true", help="list what would be in it, and write nothing")
    package.set_defaults(run=_package)
    _template_words(
        parts.add_parser(
            "template", help="the function and all around it, as CloudFormation or Terraform JSON"
        )
    )


def _template_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=("cloudformation", "terraform"), required=True)
    parser.add_argument("--env-name", required=True, help="the environment, such as production")
    parser.add_argument(
        "--topic",
        action="append",
        required=True,
        metavar="ARN",
        help="a topic whose messages it takes; several times",
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="[TOPIC=]NAME",
        help="the secret with Slack's address, for all or for the topic of that name; several times",
    )
    parser.add_argument(
        "--webhook-secret",
        action="append",
        default=[],
        metavar="[TOPIC=]NAME",
        help="the secret with the address of a receiver of JSON",
    )
    parser.add_argument(
        "--alarms-topic",
        metavar="ARN",
        help="where alarms on the relay itself go, by a second path (default: the one topic that is named critical)",
    )
    parser.add_argument(
        "--kms-key", metavar="ARN", default="", help="the key that encrypts the secrets, where it is your own"
    )
    parser.add_argument(
        "--concurrency",
        type=int,
        default=5,
        help="instances that are reserved for the function, 0 for none (default: 5; Slack takes about one message a second)",
    )
    parser.add_argument("--name", help="of the function (default: orders-alert-relay-ENV)")
    parser.add_argument(
        "--log-group", action="append", default=[], metavar="NAME", help="linked to in each message"
    )
    parser.add_argument(
        "--runbook-base", default="", metavar="URL", help="for EventBridge's events, which name no runbook"
    )
    parser.add_argument("-o", "--output", default="-", help="a file, or - for standard output (the default)")
    parser.set_defaults(run=_template)


def _run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from orders_obs.relay.settings import RelaySettings

    settings = RelaySettings.load()
    if args.port is not None and not 0 <= args.port <= 65_535:
        raise UserError("--port must be from 0 to 65535")
    settings = replace(
        settings,
        bind=args.bind or settings.bind,
        port=settings.port if args.port is None else args.port,
    )
    return _check(settings, as_json=args.json) if args.check else _serve(settings)


def _check(settings: RelaySettings, *, as_json: bool) -> int:
    """Whether it could start, and read where to tell; the addresses themselves are not shown."""
    import json

    from orders_obs.relay.addresses import Addresses
    from orders_obs.relay.signature import Verifier

    Verifier(settings.emulator)
    addresses = Addresses(settings.secret_ttl)
    found: dict[str, str] = {}
    for source in settings.sources:
        try:
            addresses.get(source)
        except EnvironmentFault as fault:
            found[str(source)] = str(fault)
        else:
            found[str(source)] = "ok"
    if as_json:
        topics = [str(topic) for topic in settings.topics]
        print(
            json.dumps(
                {"topics": topics, "receivers": found, "emulator": settings.emulator or None}, indent=2
            )
        )
    else:
        for topic in settings.topics:
            print(f"topic     {topic}")
        for receiver, state in found.items():
            print(f"receiver  {receiver}: {state}")
    _warn(settings)
    wrong = [receiver for receiver, state in found.items() if state != "ok"]
    if wrong:
        raise EnvironmentFault(f"cannot tell {', '.join(wrong)}", hint="the lines above say why")
    return 0


def _serve(settings: RelaySettings) -> int:
    import signal
    import threading

    from orders_obs.relay.deadletters import DeadLetters
    from orders_obs.relay.log import Log
    from orders_obs.relay.relay import Relay
    from orders_obs.relay.server import Server
    from orders_obs.relay.signature import Verifier

    verifier = Verifier(settings.emulator)
    log = Log()
    server = Server(Relay(settings, log, dead_letters=DeadLetters(settings.dead_letters)), verifier)
    _warn(settings)
    print(
        f"listening on {server.url}: {', '.join(topic.name for topic in settings.topics)}",
        file=sys.stderr,
        flush=True,
    )

    def stop(*_: object) -> None:
        # Not in this thread: it is the one that serves.
        threading.Thread(target=server.shutdown, daemon=True).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)
    print("stopped", file=sys.stderr)
    return 0


def _warn(settings: RelaySettings) -> None:
    if settings.emulator:
        print(
            f"WARNING: {settings.emulator} is trusted as SNS is: whoever answers there can tell anything to your receivers."
            " Never set ORDERS_OBS_RELAY_EMULATOR where messages come from AWS.",
            file=sys.stderr,
        )
    if not settings.seen_file:
        print(
            "ids of messages are kept in memory only: what is sent again after a restart is told again"
            " (ORDERS_OBS_RELAY_SEEN_FILE keeps them)",
            file=sys.stderr,
        )
    if not settings.dead_letters:
        print(
            "what cannot be delivered is only logged, and tried again as SNS's delivery policy says (ORDERS_OBS_RELAY_DEAD_LETTERS keeps it)",
            file=sys.stderr,
        )


def _package(args: argparse.Namespace) -> int:
    from pathlib import Path

    from orders_obs.relay import package

    content = package.build()
    for name in package.MODULES:
        print(f"orders_obs/{name}")
    if args.dry_run:
        print(f"{args.output} would be written, {len(content)} bytes", file=sys.stderr)
        return 0
    try:
        Path(args.output).write_bytes(content)
    except OSError as error:
        raise EnvironmentFault(f"{args.output} cannot be written: {error.strerror}") from None
    print(f"wrote {args.output}, {len(content)} bytes; its handler is {package.HANDLER}", file=sys.stderr)
    return 0


def _template(args: argparse.Namespace) -> int:
    import json
    from pathlib import Path

    from orders_obs.relay import infrastructure

    deployment = _deployment(args)
    made = infrastructure.cloudformation if args.engine == "cloudformation" else infrastructure.terraform
    text = json.dumps(made(deployment), indent=2) + "\n"
    if args.output == "-":
        print(text, end="")
        return 0
    try:
        Path(args.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"{args.output} cannot be written: {error.strerror}") from None
    print(f"wrote {args.output}", file=sys.stderr)
    return 0


def _deployment(args: argparse.Namespace) -> Deployment:
    import re

    from orders_obs.relay.infrastructure import Deployment
    from orders_obs.relay.settings import RelaySettings

    variables = _variables(args)
    # Read as the function will read them: what it would refuse is refused here.
    settings = RelaySettings.load(variables, _WORDS)
    topics = settings.topics
    if len({(topic.partition, topic.region, topic.account) for topic in topics}) != 1:
        raise UserError("the topics are not all of one account and region", hint="a function for each")
    name = args.name or f"orders-alert-relay-{args.env_name}"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
        raise UserError(
            f"{name!r} cannot be the name of the function",
            hint="up to 60 letters, digits, - and _; --name sets it",
        )
    if not 0 <= args.concurrency <= 1000:
        raise UserError("--concurrency must be from 0 to 1000")
    if args.kms_key and not re.fullmatch(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", args.kms_key
    ):
        raise UserError("--kms-key is no ARN of a key", hint="an alias has no ARN that a policy could name")
    return Deployment(
        name=name,
        environment=args.env_name,
        topics=topics,
        alarms_topic=_alarms_topic(args.alarms_topic, topics),
        secrets=tuple(dict.fromkeys(source.name for source in settings.sources)),
        variables=tuple(sorted(variables.items())),
        key=args.kms_key,
        concurrent=args.concurrency,
    )


def _variables(args: argparse.Namespace) -> dict[str, str]:
    import json

    from orders_obs.relay.settings import PREFIX

    names = {arn.rpartition(":")[2] for arn in args.topic}
    routes: dict[str, dict[str, str]] = {}
    variables = {f"{PREFIX}TOPICS": ",".join(args.topic)}
    for kind, given in (("slack", args.secret), ("webhook", args.webhook_secret)):
        for text in given:
            topic, equals, secret = text.partition("=")
            if equals and topic in names:
                routes.setdefault(topic, {})[kind] = f"secret:{secret}"
            elif f"{PREFIX}{kind.upper()}_SECRET" in variables:
                raise UserError(
                    "two secrets are for all topics", hint="say for which topic each is: TOPIC=NAME"
                )
            else:
                variables[f"{PREFIX}{kind.upper()}_SECRET"] = text
    if routes:
        variables[f"{PREFIX}ROUTES"] = json.dumps(routes, sort_keys=True)
    if args.log_group:
        variables[f"{PREFIX}LOG_GROUPS"] = ",".join(args.log_group)
    if args.runbook_base:
        variables[f"{PREFIX}RUNBOOK_BASE"] = args.runbook_base
    return variables


def _alarms_topic(named: str | None, topics: tuple[TopicArn, ...]) -> TopicArn:
    from orders_obs.relay.envelope import parse_topic

    if named:
        topic = parse_topic(named)
        if topic is None:
            raise UserError("--alarms-topic is no ARN of a topic")
        return topic
    critical = [topic for topic in topics if "critical" in topic.name]
    if len(critical) != 1:
        raise UserError(
            "where do alarms on the relay itself go?",
            hint="--alarms-topic names a topic that pages by a path which does not pass the relay",
        )
    return critical[0]
