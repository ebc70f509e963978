"""Lookups of a catalogue's environment, looked up on AWS and held against the lock.

Each resource that a lookup leads to is looked at itself: the index of tags lists some that are deleted, a parameter may outlive
what it names, and only the resource tells whether it is the one that the lock was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.alerts.compile.names import arn as arn_of
from orders_obs.alerts.lock import Locked
from orders_obs.alerts.nodes import did_you_mean
from orders_obs.aws.kinds import KINDS, Target, parse_arn
from orders_obs.errors import UserError
from orders_obs.findings import Finding
from orders_obs.redact import REDACTED, is_secret_name, redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orders_obs.alerts.model import Environment, Lookup
    from orders_obs.aws.kinds import Arn, Kind
    from orders_obs.aws.session import Aws

__all__ = ["Outcome", "Resolution", "State", "check_lookups", "policy", "resolve", "resolve_nothing"]

State = Literal["same", "new", "changed", "replaced", "lookup changed", "unused", "vanished", "failed"]

_SHOWN = 100
_MANY = 10
"""Resources of the same tags beyond which it is plain that the tags do not tell them apart: they are not looked at."""
# What a stack in these states has for outputs is not there, or will not be (API reference of CloudFormation, Stack).
_GOING = ("CREATE_FAILED", "DELETE_", "REVIEW_IN_PROGRESS", "ROLLBACK_")
_SHAKY = ("_IN_PROGRESS", "_FAILED")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one lookup, or of an entry of the lock.

    Attributes:
        name: The placeholder.
        state: `same`; `new`; `changed`, another value; `replaced`, another resource of the same name; `lookup changed`, found by
            another lookup; `unused`, in the lock and not looked up any more; `vanished`, in the lock and not there any more;
            `failed`, not found.
        found: What the lock shall have; None where there is nothing.
        was: What the lock has.
        notes: What a person should know.
    """

    name: str
    state: State
    found: Locked | None
    was: Locked | None
    notes: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """As `--json` has it."""
        return {
            "name": self.name,
            "state": self.state,
            "found": _entry(self.found),
            "was": _entry(self.was),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of an environment's lookups.

    Attributes:
        outcomes: By lookup, in the catalogue's order, then what the lock has besides.
        findings: Why lookups failed; nothing may be written where there are any.
    """

    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]

    @property
    def entries(self) -> dict[str, Locked]:
        """What the lock shall have for the environment."""
        return {outcome.name: outcome.found for outcome in self.outcomes if outcome.found is not None}

    @property
    def differs(self) -> bool:
        """Whether the lock is not what it shall be."""
        return any(outcome.state != "same" for outcome in self.outcomes)


class _Refused(Exception):  # noqa: N818  # becomes a finding, is no error of the program
    """A lookup that leads to nothing that will do."""

    def __init__(self, rule: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Text:
    """What a parameter or an output holds.

    Attributes:
        value: The text.
        origin: Where it is, in words.
        identity: ARN of the parameter, or of the stack with the key.
        secret: Whether its name says that it is secret.
        notes: What a person should know.
    """

    value: str
    origin: str
    identity: str
    secret: bool
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """As a message may have it."""
        return REDACTED if self.secret else repr(redact_text(self.value)[:_SHOWN])


def check_lookups(environment: Environment) -> None:
    """See to it that an environment's lookups can be looked up, before AWS is asked.

    Raises:
        UserError: It has no account or region; or tags cannot find what a placeholder stands for.
    """
    if environment.lookups and not (environment.account and environment.region):
        raise UserError(
            f"environment {environment.name} has lookups, and no account and region to look in",
            hint="add account and region",
            file=environment.source.file,
            line=environment.source.line,
        )
    for name, lookup in environment.lookups.items():
        if lookup.tags and name not in KINDS:
            raise UserError(
                f"{name}: tags do not say what kind of resource it is",
                hint=f"{did_you_mean(name, KINDS)}; for anything else write the value, or ssm or stack",
                file=lookup.source.file,
                line=lookup.source.line,
            )


def resolve(
    environment: Environment,
    locked: Mapping[str, Locked],
    aws: Aws,
    progress: Callable[[str], None] = lambda _text: None,
) -> Resolution:
    """Look the lookups of an environment up.

    Args:
        environment: The environment.
        locked: What the lock has for it.
        aws: In the environment's account and region.
        progress: Told of each lookup before it is looked up.

    Raises:
        EnvironmentFault: AWS cannot be asked.
    """
    outcomes: dict[str, Outcome] = {}
    findings: list[Finding] = []
    # A service is asked for with its cluster, so the cluster is found first.
    order = sorted(environment.lookups, key=lambda name: name != "cluster")
    cluster = "" if "cluster" in environment.lookups else environment.resources.get("cluster", "")
    for number, name in enumerate(order, 1):
        lookup, was = environment.lookups[name], locked.get(name)
        progress(f"{number} of {len(order)}: {name}, by {_words(lookup)}")
        try:
            found, notes = _look_up(aws, name, lookup, cluster)
        except _Refused as refused:
            vanished = (
                refused.rule == "resource-missing" and was is not None and was.lookup == lookup.as_data()
            )
            state: State = "vanished" if vanished else "failed"
            had = f"; the lock has {was.value} ({was.identity})" if was is not None and vanished else ""
            findings.append(
                Finding(
                    "resource-vanished" if vanished else refused.rule,
                    "error",
                    str(lookup.source),
                    f"{name}: {refused.message}{had}",
                    refused.hint,
                )
            )
            outcomes[name] = Outcome(name, state, None, was)
            continue
        outcomes[name] = Outcome(name, _state(name, found, was), found, was, notes)
        if name == "cluster":
            cluster = found.value
    ordered = (outcomes[name] for name in environment.lookups)
    return Resolution((*ordered, *_unused(environment, locked)), tuple(findings))


def resolve_nothing(environment: Environment, locked: Mapping[str, Locked]) -> Resolution:
    """The resolution of an environment that looks nothing up, for which AWS need not be asked."""
    return Resolution(tuple(_unused(environment, locked)), ())


def _unused(environment: Environment, locked: Mapping[str, Locked]) -> Iterator[Outcome]:
    for name, was in sorted(locked.items()):
        if name not in environment.lookups:
            yield Outcome(name, "unused", None, was)


def policy(environment: Environment) -> dict[str, Any]:
    """The least IAM policy with which the lookups of an environment can be looked up.

    `sts:GetCallerIdentity`, which is called too, needs no right. What is allowed on `*` has no resources (Service Authorization
    Reference).

    Raises:
        UserError: As `check_lookups`.
    """
    check_lookups(environment)
    needed: dict[str, set[str]] = {}
    for name, lookup in environment.lookups.items():
        for action, on in _rights(environment, name, lookup):
            needed.setdefault(action, set()).add(on)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": action, "Resource": sorted(on)}
            for action, on in sorted(needed.items())
        ],
    }


def _rights(environment: Environment, name: str, lookup: Lookup) -> Iterator[tuple[str, str]]:
    if lookup.tags:
        yield "tag:GetResources", "*"
    elif lookup.ssm:
        own = arn_of(environment, "ssm", f"parameter/{lookup.ssm.removeprefix('/')}")
        yield "ssm:GetParameter", lookup.ssm if lookup.ssm.startswith("arn:") else own
    else:
        own = arn_of(environment, "cloudformation", f"stack/{lookup.stack}/*")
        yield "cloudformation:DescribeStacks", lookup.stack if lookup.stack.startswith("arn:") else own
    if name in KINDS:
        kind = KINDS[name]
        yield (
            kind.action,
            "*" if kind.scope == "*" else arn_of(environment, kind.service, kind.scope),
        )


def _look_up(aws: Aws, name: str, lookup: Lookup, cluster: str) -> tuple[Locked, tuple[str, ...]]:
    about = f"{lookup.source}: {name}, by {_words(lookup)}"
    kind = KINDS.get(name)
    if kind is not None and lookup.tags:
        value, identity = _by_tags(aws, kind, lookup, cluster, about)
        return Locked(lookup.as_data(), value, identity), ()
    text = _parameter(aws, lookup, about) if lookup.ssm else _output(aws, lookup, about)
    if kind is None:
        return Locked(lookup.as_data(), _plain(text), text.identity), text.notes
    target, note = _target(aws, kind, text)
    found = _look_at(aws, kind, target, cluster, about)
    if found is None:
        raise _Refused(
            "resource-missing",
            f"there is no {kind.what} {text.shown}, which {text.origin} names",
            "see whether it was deleted, and what writes the value",
        )
    return Locked(lookup.as_data(), found.value, found.identity), (*text.notes, *note)


def _by_tags(aws: Aws, kind: Kind, lookup: Lookup, cluster: str, about: str) -> tuple[str, str]:
    pages = aws.pages(
        "resourcegroupstaggingapi",
        "get_resources",
        about=about,
        ResourceTypeFilters=[f"{kind.service}:{kind.type}"],
        TagFilters=[{"Key": key, "Values": [value]} for key, value in lookup.tags],
    )
    listed = sorted({mapping["ResourceARN"] for page in pages for mapping in page["ResourceTagMappingList"]})
    targets = {text: target for text in listed if (target := _own(kind, parse_arn(text)))}
    others = [text for text in listed if text not in targets]
    if len(targets) > _MANY:
        raise _several(kind, lookup, list(targets))
    found = {
        text: there
        for text, target in targets.items()
        if (there := _look_at(aws, kind, target, cluster, about)) is not None
    }
    if len(found) > 1:
        raise _several(kind, lookup, list(found))
    if not found:
        gone = [f"{text} is deleted, and its tags are still listed" for text in targets]
        wrong = [f"{text} is of another kind" for text in others]
        raise _Refused(
            "resource-missing",
            "; ".join((f"no {kind.what} has the {_words(lookup)}", *gone, *wrong)),
            f"tag it so, or see whether it is in {aws.region}; a new tag is listed after a while",
        )
    (there,) = found.values()
    return there.value, there.identity


def _several(kind: Kind, lookup: Lookup, arns: list[str]) -> _Refused:
    shown = ", ".join(arns[:_MANY]) + (", …" if len(arns) > _MANY else "")
    return _Refused(
        "resource-ambiguous",
        f"{len(arns)} {kind.what}s have the {_words(lookup)}: {shown}",
        "add a tag that only one of them has, or write the value itself",
    )


def _own(kind: Kind, arn: Arn | None) -> Target | None:
    return kind.target(arn) if arn else None


def _look_at(aws: Aws, kind: Kind, target: Target, cluster: str, about: str) -> Any:
    """The resource itself; None where it is not there."""
    if kind is KINDS["ecs_service"]:
        if not cluster:
            raise _Refused(
                "resource-no-cluster",
                "the environment does not say in which cluster it is, or the cluster was not found",
                "add cluster to its resources",
            )
        if target.cluster not in ("", cluster):
            raise _Refused(
                "resource-elsewhere",
                f"the service {target.value} is in cluster {target.cluster}, and the environment's cluster is {cluster}",
                "the two go together: both are dimensions of the same metrics",
            )
        target = Target(target.value, cluster)
    found = kind.find(aws, target, about)
    if found is not None and found.fault:
        raise _Refused(
            "resource-form", f"{found.value} {found.fault}", "name another, or write its alerts raw"
        )
    return found


def _parameter(aws: Aws, lookup: Lookup, about: str) -> _Text:
    answer = aws.call("ssm", "get_parameter", about=about, absent="ParameterNotFound", Name=lookup.ssm)
    if answer is None:
        raise _Refused(
            "resource-missing",
            f"there is no {_words(lookup)}",
            f"see its name, and whether it is in {aws.region}",
        )
    parameter = answer["Parameter"]
    if parameter["Type"] != "String":
        secure = parameter["Type"] == "SecureString"
        raise _Refused(
            "resource-secret" if secure else "resource-form",
            f"{_words(lookup)} is a {parameter['Type']}"
            + (", and its value would stand in a committed file" if secure else ", and one value is wanted"),
            "name a parameter of type String",
        )
    return _Text(parameter["Value"].strip(), _words(lookup), parameter["ARN"], secret=_is_secret(lookup.ssm))


def _output(aws: Aws, lookup: Lookup, about: str) -> _Text:
    answer = aws.call(
        "cloudformation", "describe_stacks", about=about, absent="ValidationError", StackName=lookup.stack
    )
    stacks = (answer or {}).get("Stacks") or []
    if not stacks:
        raise _Refused(
            "resource-missing",
            f"there is no stack {lookup.stack}",
            f"see its name, and whether it is in {aws.region}",
        )
    stack = stacks[0]
    status = stack["StackStatus"]
    if status.startswith(_GOING):
        why = stack.get("StackStatusReason")
        raise _Refused(
            "resource-stack",
            f"stack {lookup.stack} is {status}{f' ({redact_text(why)})' if why else ''}: its outputs name what is not there, or not for long",
            "see to the stack first",
        )
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    if lookup.output not in outputs:
        raise _Refused(
            "resource-missing",
            f"stack {lookup.stack} has no output {lookup.output}",
            did_you_mean(lookup.output, outputs) if outputs else "it has no outputs at all",
        )
    shaky = status.endswith(_SHAKY)
    return _Text(
        outputs[lookup.output].strip(),
        _words(lookup),
        f"{stack['StackId']} {lookup.output}",
        secret=_is_secret(lookup.output),
        notes=(f"stack {lookup.stack} is {status}: its outputs may change",) if shaky else (),
    )


def _plain(text: _Text) -> str:
    """The value of a placeholder that is no resource of AWS."""
    if not text.value or len(text.value.splitlines()) > 1:
        raise _Refused(
            "resource-form", f"{text.origin} is empty, or has several lines", "one value is wanted"
        )
    if text.secret or redact_text(text.value) != text.value:
        raise _Refused(
            "resource-secret",
            f"{text.origin} has the name or the form of a secret, and its value would stand in a committed file",
            "name another parameter or output",
        )
    return text.value


def _target(aws: Aws, kind: Kind, text: _Text) -> tuple[Target, tuple[str, ...]]:
    """What a text points at, and a note where it says so in another form than CloudWatch's."""
    arn = parse_arn(text.value)
    if arn is None:
        if kind.fits(text.value):
            return Target(text.value), ()
        raise _Refused(
            "resource-form",
            f"{text.origin} has {text.shown}, which does not say which {kind.what} it is",
            f"right is {kind.form}, or its ARN",
        )
    target = kind.target(arn)
    if target is None:
        raise _Refused(
            "resource-form",
            f"{text.origin} has {text.shown}, and what is wanted is the {kind.what}",
            f"right is {kind.form}, or its ARN",
        )
    if (arn.region, arn.account) != (aws.region, aws.account):
        raise _Refused(
            "resource-elsewhere",
            f"{text.origin} has {text.shown}, which is in {arn.region} of {arn.account}, and not in {aws.region} of {aws.account}",
            "CloudWatch has its metrics there",
        )
    return target, (f"{text.origin} has an ARN; CloudWatch's name of it is {target.value}",)


def _state(name: str, found: Locked, was: Locked | None) -> State:
    if was is None:
        return "new"
    if (found.value, found.identity) == (was.value, was.identity):
        return "same" if found.lookup == was.lookup else "lookup changed"
    kind = KINDS.get(name)
    title = kind.title if kind is not None and kind.fits(was.value) else str
    return "replaced" if title(found.value) == title(was.value) else "changed"


def _entry(entry: Locked | None) -> dict[str, Any] | None:
    return {"from": entry.lookup, "value": entry.value, "identity": entry.identity} if entry else None


def _is_secret(name: str) -> bool:
    return is_secret_name(name) or is_secret_name(name.rpartition("/")[2])


def _words(lookup: Lookup) -> str:
    """A lookup in words."""
    if lookup.tags:
        pairs = ", ".join(f"{key}={value}" for key, value in lookup.tags)
        return f"tag{'s' if len(lookup.tags) > 1 else ''} {pairs}"
    return f"parameter {lookup.ssm}" if lookup.ssm else f"output {lookup.output} of stack {lookup.stack}"
