"""Topics that alarms tell: whether what is sent there arrives, said once for a topic and not once for each alarm."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from orders_obs.aws.audit.alarms import is_paging
from orders_obs.aws.audit.model import ABSENT
from orders_obs.aws.audit.reach import CLOUDWATCH, Sender, hearers
from orders_obs.aws.audit.read_reach import is_own
from orders_obs.aws.audit.read_times import DAYS
from orders_obs.aws.audit.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Issue
    from orders_obs.aws.audit.reach import Heard, Reach
    from orders_obs.aws.audit.view import View

__all__ = ["told", "topics"]

_MAIL = ("email", "email-json")


def told(view: View) -> dict[str, list[Alarm]]:
    """Topics of the account and region, each with the alarms that tell it of ALARM or OK."""
    found: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in view.alarms:
        arns = {action.arn for key in ("AlarmActions", "OKActions") for action in alarm.actions(key)}
        for arn in sorted(arns):
            if is_own(arn, "sns", view.seen):
                found[arn].append(alarm)
    return dict(sorted(found.items()))


def topics(view: View, reach: Reach) -> Iterator[Issue]:
    """What is wrong with the topics that alarms tell."""
    for arn, alarms in told(view).items():
        name, names = arn.rpartition(":")[2], [alarm.name for alarm in alarms]
        if view.seen.topics.get(arn) == ABSENT:
            yield view.issue("topic-missing", "topic", name, "is not there, and alarms tell it", alarms=names)
            continue
        yield from _let_in(view, reach, arn, alarms)
        yield from _subscribed(view, reach, arn, alarms)
        counted = view.seen.deliveries.get(arn)
        if counted is not None and counted.failed > 0:
            all_of_them = counted.delivered == 0
            yield view.issue(
                "delivery-failing", "topic", name,
                "none of its notifications arrived" if all_of_them else "some of its notifications did not arrive",
                f"In {DAYS} days {counted.failed:.0f} failed and {counted.delivered:.0f} arrived. {RULES['delivery-failing'].remedy}",
                level="error" if all_of_them else None, alarms=names,
            )  # fmt: skip


def _let_in(view: View, reach: Reach, arn: str, alarms: Sequence[Alarm]) -> Iterator[Issue]:
    name = arn.rpartition(":")[2]
    shut: dict[str, list[str]] = defaultdict(list)
    locked: dict[str, list[str]] = defaultdict(list)
    for alarm in alarms:
        sender = Sender(CLOUDWATCH, alarm.arn)
        for said, found in ((reach.topic_policy(arn, sender), shut), (reach.topic_key(arn, sender), locked)):
            if said.answer == "no":
                found[said.why].append(alarm.name)
    for why, names in shut.items():
        yield view.issue(
            "topic-policy-forbids", "topic", name, f"its policy does not let CloudWatch publish: {why}", alarms=names
        )  # fmt: skip
    for why, names in locked.items():
        if why == "alias/aws/sns":
            rule, message = (
                "topic-key-of-aws",
                "is encrypted with AWS's own key alias/aws/sns, which no alarm may use",
            )
        elif why.startswith("key "):
            rule, message = "topic-key-unusable", f"cannot be encrypted: {why}"
        else:
            rule, message = (
                "topic-key-forbids",
                f"the policy of its key does not let CloudWatch use it: {why}",
            )
        yield view.issue(rule, "topic", name, message, alarms=names)


def _subscribed(view: View, reach: Reach, arn: str, alarms: Sequence[Alarm]) -> Iterator[Issue]:
    listed = view.seen.subscriptions.get(arn)
    if listed is None:
        return
    name, names = arn.rpartition(":")[2], [alarm.name for alarm in alarms]
    judged = [(one, [reach.heard(one, arn, alarm) for alarm in alarms]) for one in listed]
    anyone = any(said.answer != "no" for _, heard in judged for said in heard)
    own = [issue for one, heard in judged for issue in _one(view, name, one, heard, names, alone=not anyone)]
    pending = [one for one, heard in judged if heard and heard[0].why == "pending"]
    # Where each subscription has a finding of its own, the topic needs none.
    if not anyone and (not own or pending):
        waiting = (
            f": {hearers(pending)} {'has' if len(pending) == 1 else 'have'} not confirmed" if pending else ""
        )
        yield view.issue(
            "topic-unheard", "topic", name, f"has no confirmed subscription{waiting}", alarms=names
        )  # fmt: skip
    elif pending:
        yield view.issue(
            "subscription-pending", "topic", name, f"{hearers(pending)} {'has' if len(pending) == 1 else 'have'} not confirmed",
            alarms=names,
        )  # fmt: skip
    yield from own
    working = [one for one, heard in judged if any(said.answer != "no" for said in heard)]
    paging = [alarm.name for alarm in alarms if is_paging(alarm)]
    if working and paging and all(one["protocol"] in _MAIL for one in working):
        yield view.issue(
            "page-by-email-only",
            "topic",
            name,
            "alarms that page tell it, and it only sends e-mail",
            alarms=paging,
        )


def _one(
    view: View, topic: str, one: dict[str, Any], heard: Sequence[Heard], names: Sequence[str], *, alone: bool
) -> Iterator[Issue]:
    """What is wrong with one subscription."""
    first = heard[0] if heard else None
    if first is not None and first.why == "slack":
        yield view.issue(
            "subscription-slack", "topic", topic, "a Slack webhook is subscribed, and nothing ever arrives there", alarms=names
        )  # fmt: skip
        return
    if first is not None and first.answer == "no" and first.why == "function":
        yield view.issue(
            "subscription-function-fails", "topic", topic, f"{hearers([one])} receives nothing: {first.said}", alarms=names
        )  # fmt: skip
        return
    if not one["confirmed"] or one.get("deleted"):
        return
    dropped = [alarm for alarm, said in zip(names, heard, strict=True) if said.why == "filter"]
    # A filter that passes some alarms sorts them, and one beside a subscription that hears all may be meant so.
    if dropped and len(dropped) == len(names):
        said = next(said.said for said in heard if said.why == "filter")
        yield view.issue(
            "subscription-filter-drops", "topic", topic, said, level=None if alone else "info", alarms=dropped
        )  # fmt: skip
    if one["protocol"] == "http":
        yield view.issue(
            "subscription-plain-http", "topic", topic, f"{hearers([one])} gets messages over http", alarms=names
        )  # fmt: skip
    if (
        one["protocol"] in ("lambda", "https", "http")
        and one.get("attributes")
        and not one.get("dead_letters")
    ):
        yield view.issue(
            "subscription-without-dead-letters", "topic", topic, f"{hearers([one])} has no dead-letter queue", alarms=names
        )  # fmt: skip
