"""An account in memory: answers calls, records them, and fails, dies or changes under the caller where a test says so."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.aws.fake.alarms import Alarms
from tests.aws.fake.base import Call, Clock, Killed, Refused, Service
from tests.aws.fake.event_rules import EventRules
from tests.aws.fake.logs import Logs
from tests.aws.fake.seeded import SEEDED, Sts, Tagging
from tests.aws.fake.topics import Topics
from tests.aws.fake.wire import connect, refuse_broken

__all__ = ["FakeAccount"]

# Calls a second: alarms from AWS's quotas page of CloudWatch, the others from the texts of botocore's models.
RATES = {
    "cloudwatch.put_metric_alarm": 3,
    "cloudwatch.put_composite_alarm": 3,
    "cloudwatch.delete_alarms": 3,
    "cloudwatch.set_alarm_state": 3,
    "cloudwatch.enable_alarm_actions": 3,
    "cloudwatch.disable_alarm_actions": 3,
    "cloudwatch.describe_alarm_history": 3,
    "cloudwatch.describe_alarms": 9,
    "cloudwatch.describe_alarms_for_metric": 9,
    "sns.subscribe": 100,
    "sns.unsubscribe": 100,
    "sns.list_topics": 30,
    "sns.list_subscriptions_by_topic": 30,
    "sns.tag_resource": 10,
    "sns.untag_resource": 10,
    "sns.list_tags_for_resource": 10,
    "logs.create_log_stream": 50,
    "logs.describe_log_streams": 25,
}
_THROTTLED = {"cloudwatch": "Throttling", "sns": "Throttled"}
_UNKNOWN = {
    "cloudwatch": "InvalidAction",
    "sns": "InvalidAction",
    "sts": "InvalidAction",
    "autoscaling": "InvalidAction",
}
# One second of a window, without what float arithmetic adds to or takes from a third of it.
_WINDOW = 1.0 - 1e-6


@dataclass(slots=True)
class _Failure:
    code: str
    times: int
    status: int
    message: str


class FakeAccount:
    """One AWS account in one region.

    Args:
        account: Twelve digits.
        region: The only one that its clients may be in.
        clock: Virtual time; accounts may share one.

    Attributes:
        calls: Every call of a client, in order, also those that failed.
        clock: Virtual time: `clock()` is in seconds, and may be handed to callers.
        latency: Seconds that each call takes.
        strict_rate: Whether calls above AWS's rate are refused.
        fills_defaults: Whether an alarm comes back with the defaults that AWS documents where the caller left them out
            (TreatMissingData, DatapointsToAlarm, ReturnData). AWS does not document that it does, so callers must bear both.
        shuffles: Whether sets that AWS does not promise to keep in order come back in another order.
    """

    def __init__(
        self, account: str = "111122223333", region: str = "eu-west-1", clock: Clock | None = None
    ) -> None:
        self.account, self.region = account, region
        self.clock = clock or Clock()
        self.latency = 0.0
        self.strict_rate = False
        self.fills_defaults = False
        self.shuffles = False
        self.calls: list[Call] = []
        self.alarms, self.topics, self.events, self.logs = (
            Alarms(self),
            Topics(self),
            EventRules(self),
            Logs(self),
        )
        services: list[Service] = [self.alarms, self.topics, self.events, self.logs, Sts(self), Tagging(self)]
        services += [kind(self) for kind in SEEDED]
        self.services: dict[str, Service] = {service.name: service for service in services}
        self._failures: dict[str, list[_Failure]] = defaultdict(list)
        self._partial: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._without: set[str] = set()
        self._hooks: dict[str, list[Callable[[], object]]] = defaultdict(list)
        self._aside = 0
        self._sessions = self._dead = 0
        self._life: tuple[int, bool] | None = None

    # --- clients

    def session(self) -> Any:
        """A boto3 session of a new process: a kill ends those that there are, and not the ones that come after."""
        self._sessions += 1
        number = self._sessions

        def handle(service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
            if number <= self._dead:
                raise Killed("this process was killed before")
            return self._handle(service, operation, arguments)

        return connect(handle, self.account, self.region)

    @property
    def writes(self) -> list[Call]:
        """The calls that change something, also those that failed."""
        return [call for call in self.calls if call.write]

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.sleep(seconds)

    # --- faults

    def die_after(self, n: int, *, before: bool = False) -> None:
        """Kill the caller once the n-th write from now on took effect (or just before it does)."""
        done = sum(not call.error for call in self.writes)
        self._life = (done + n, before)

    def fail(
        self, operation: str, code: str, *, times: int = 1, status: int = 400, message: str = ""
    ) -> None:
        """Refuse the next calls of an operation, `put_rule` or `sns.tag_resource`. The SDK's own retries are behind that."""
        self._know(operation)
        self._failures[operation].append(
            _Failure(code, times, status, message or f"{code} as the test asked")
        )

    def partial(
        self, operation: str, *, code: str = "ConcurrentModificationException", message: str = "busy"
    ) -> None:
        """Of the next `put_targets` or `remove_targets` the first entry fails, in an answer that says 200."""
        assert operation in ("put_targets", "remove_targets"), operation
        self._partial[operation].append((code, message))

    def partly(self, operation: str) -> tuple[str, str] | None:
        """The failure that `partial` asked for, once."""
        asked = self._partial[operation]
        return asked.pop(0) if asked else None

    def without(self, operation: str) -> None:
        """This region, or emulator, does not know an operation."""
        self._know(operation)
        self._without.add(operation)

    def before(self, operation: str, hook: Callable[[], object]) -> None:
        """Run something once before the next call of an operation is answered: somebody else was faster.

        What the hook calls is neither recorded nor made to fail.
        """
        self._know(operation)
        self._hooks[operation].append(hook)

    # --- what happens by itself, and what is looked at

    def put_metric(self, namespace: str, name: str, dimensions: dict[str, str] | None = None) -> None:
        """A metric got a data point."""
        self.alarms.metrics.put(namespace, name, dimensions or {})

    def confirm(self, topic_arn: str, endpoint: str) -> None:
        """A person follows the link in the confirmation."""
        self.topics.confirm(topic_arn, endpoint)

    def set_state(self, name: str, state: str, *, reason: str = "", evaluation: str | None = None) -> None:
        """An alarm was evaluated; `evaluation` is its EvaluationState, such as `EVALUATION_ERROR`, empty for none."""
        self.alarms.become(name, state, reason or f"as the test says: {state}", evaluation)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """All that is kept, without the server's times."""
        kept: dict[str, dict[str, Any]] = {}
        for service in self.services.values():
            kept |= service.kept()
        return copy.deepcopy(kept)

    def rate_report(self) -> dict[str, int]:
        """For each write operation (`put_rule`, or `sns.tag_resource`) the most calls within any second."""
        moments: dict[str, list[float]] = defaultdict(list)
        for call in self.writes:
            name = call.operation
            moments[name if "tag" not in name else f"{call.service}.{name}"].append(call.at)
        return {
            name: max(sum(start <= at < start + _WINDOW for at in times) for start in times)
            for name, times in moments.items()
        }

    def __getattr__(self, name: str) -> Any:
        """`seed_service`, `seed_secret` and so on: what other people made."""
        if name.startswith("seed_"):
            for service in self.__dict__.get("services", {}).values():
                if hasattr(service, name):
                    return getattr(service, name)
        raise AttributeError(name)

    def _know(self, operation: str) -> None:
        """See to it that a fault is one of an operation that there is."""
        service, _, name = operation.rpartition(".")
        asked = [self.services[service]] if service else list(self.services.values())
        if not any(hasattr(getattr(one, name, None), "writes") for one in asked):
            raise NotImplementedError(f"the fake has no {operation}")

    # --- one call

    def _handle(self, service: str, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        known = self.services.get(service)
        method = getattr(known, operation, None)
        if known is None or not hasattr(method, "writes"):
            raise NotImplementedError(f"the fake has no {service}.{operation}")
        assert method is not None
        if self._aside:
            answer: dict[str, Any] = method(refuse_broken(service, arguments))
            return answer
        names = (operation, f"{service}.{operation}")
        for name in names:
            while self._hooks[name]:
                hook = self._hooks[name].pop(0)
                self._aside += 1
                try:
                    hook()
                finally:
                    self._aside -= 1
        self.clock.seconds += self.latency
        sent = {key: value for key, value in arguments.items() if not key.startswith("$")}
        call = Call(service, operation, copy.deepcopy(sent), self.clock(), bool(method.writes))
        self.calls.append(call)
        try:
            self._maybe_kill(call, before=True)
            self._maybe_refuse(call, names)
            answer = method(refuse_broken(service, arguments))
        except Refused as refused:
            call.error = refused.code
            raise
        except Killed:
            call.error = "Killed"
            raise
        self._maybe_kill(call, before=False)
        return answer

    def _maybe_kill(self, call: Call, *, before: bool) -> None:
        if self._life is None or not call.write or self._life[1] != before:
            return
        # The call itself is recorded already, and counts once it took effect.
        if sum(not made.error for made in self.writes) >= self._life[0]:
            self._life = None
            self._dead = self._sessions
            raise Killed(f"{'before' if before else 'after'} {call.service}.{call.operation}")

    def _maybe_refuse(self, call: Call, names: tuple[str, str]) -> None:
        if self._without & set(names):
            raise Refused(
                _UNKNOWN.get(call.service, "UnknownOperationException"), f"unknown: {call.operation}"
            )
        for name in names:
            for failure in self._failures[name]:
                if failure.times > 0:
                    failure.times -= 1
                    raise Refused(failure.code, failure.message, failure.status)
        limit = RATES.get(names[1])
        if self.strict_rate and limit is not None:
            since = call.at - _WINDOW
            made = sum(
                (one.service, one.operation) == (call.service, call.operation)
                and one.at > since
                and not one.error
                for one in self.calls
                if one is not call
            )
            if made >= limit:
                raise Refused(_THROTTLED.get(call.service, "ThrottlingException"), "Rate exceeded")
