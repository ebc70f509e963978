"""Every rule of the audit on what is live: how bad it is, what it is about, why it is one, what to do, which reads it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orders_obs.alerts.lint import rule_files
from orders_obs.alerts.lint.cloudwatch import rules as lint

if TYPE_CHECKING:
    from orders_obs.aws.audit.model import Subject
    from orders_obs.findings import Level

__all__ = [
    "BY_INPUT",
    "LINT_SUBJECTS",
    "PROMETHEUS_RULES",
    "REFUSED",
    "REPLACED",
    "RULES",
    "Rule",
    "subject_of",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes:
        level: As `Finding` has it; a finding may be milder where less is certain.
        subject: What it is about.
        why: Why it is one.
        remedy: What to do.
        needs: IAM actions without which it cannot look, or not fully.
    """

    level: Level
    subject: Subject
    why: str
    remedy: str
    needs: tuple[str, ...] = ()


_LIST = ("cloudwatch:ListMetrics",)
_SENT = ("cloudwatch:ListMetrics", "logs:DescribeMetricFilters")
_TOPIC = ("sns:GetTopicAttributes",)
_SUBSCRIPTIONS = ("sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes")
_KEY = ("sns:GetTopicAttributes", "kms:DescribeKey", "kms:GetKeyPolicy")
_FUNCTION = ("lambda:GetFunctionConcurrency", "lambda:GetPolicy")
_EVENTS = ("events:ListRules", "events:ListTargetsByRule")
_MUTES = ("cloudwatch:ListAlarmMuteRules", "cloudwatch:GetAlarmMuteRule")
_DEPLOYMENTS = (
    "ecs:ListClusters", "ecs:ListServices", "ecs:DescribeServices", "codedeploy:ListApplications",
    "codedeploy:ListDeploymentGroups", "codedeploy:BatchGetDeploymentGroups",
)  # fmt: skip
_HISTORY = ("cloudwatch:DescribeAlarmHistory",)

RULES: dict[str, Rule] = {
    # What can never fire
    "metric-dead": Rule("error", "never fires", "An alarm on a metric that nobody sends has nothing to compare, and CloudWatch says no word.", "Point it at the resource that is there, or delete it.", _SENT),
    "metric-other-dimensions": Rule("error", "never fires", "A metric has values only under the exact sets of dimensions that are sent; any other set is another, empty metric.", "Give it one of the sets that exist.", _LIST),
    "evaluation-error": Rule("error", "never fires", "CloudWatch says that it cannot evaluate the alarm.", "What StateReason says."),
    "composite-child-missing": Rule("error", "never fires", "A composite whose alarm is gone waits for a state that nobody has any more.", "Correct its rule, or make the alarm anew."),
    "insufficient-data": Rule("warning", "never fires", "An alarm that has had no data for a week watches nothing.", "Correct what it watches, or let TreatMissingData decide what silence means."),
    # What reaches nobody
    "no-action": Rule("warning", "reaches nobody", "An alarm without an action changes its colour in a console that nobody looks at.", "A topic in AlarmActions; or use it in a composite, a deployment or an event rule.", (*_DEPLOYMENTS, *_EVENTS)),
    "actions-disabled": Rule("warning", "reaches nobody", "With its actions off an alarm tells nobody, and nothing reminds anyone to turn them on.", "`aws cloudwatch enable-alarm-actions`; to be quiet for a while use a mute rule."),
    "alarm-unheard": Rule("error", "reaches nobody", "Each of its actions ends where nobody receives what this alarm sends.", "What the message says of each action."),
    "action-elsewhere": Rule("error", "reaches nobody", "CloudWatch runs actions in the alarm's own region only.", "A topic in the region of the alarm."),
    "action-failed": Rule("error", "reaches nobody", "CloudWatch tried to run the action and could not: whom it was for heard nothing.", "What the message says, then test it: `aws cloudwatch set-alarm-state`.", _HISTORY),
    "topic-missing": Rule("error", "reaches nobody", "CloudWatch does not look whether a topic exists.", "Make the topic anew, or name another one.", _TOPIC),
    "topic-unheard": Rule("error", "reaches nobody", "SNS takes messages for a topic that nobody receives without a word.", "Subscribe somebody, and see that the subscription is confirmed.", _SUBSCRIPTIONS),
    "topic-policy-forbids": Rule("error", "reaches nobody", "Where the topic's policy does not let CloudWatch in, each message is lost.", "Allow Service cloudwatch.amazonaws.com sns:Publish, conditioned on aws:SourceAccount.", _TOPIC),
    "topic-key-of-aws": Rule("error", "reaches nobody", "The policy of AWS's own key lets no AWS service publish to an encrypted topic.", "A key of your own whose policy allows cloudwatch.amazonaws.com kms:Decrypt and kms:GenerateDataKey*.", _KEY),
    "topic-key-forbids": Rule("error", "reaches nobody", "Who may not use the key of a topic cannot publish to it.", "Allow Service cloudwatch.amazonaws.com kms:Decrypt and kms:GenerateDataKey* in the key's policy.", _KEY),
    "topic-key-unusable": Rule("error", "reaches nobody", "A key that is disabled, to be deleted or gone encrypts nothing, so nothing can be published.", "Enable the key, cancel its deletion, or give the topic another one.", _KEY),
    "subscription-pending": Rule("warning", "reaches nobody", "SNS sends nothing to an address that has not confirmed, and forgets it after a while.", "Confirm it within two days of subscribing, or subscribe anew.", _SUBSCRIPTIONS),
    "subscription-slack": Rule("error", "reaches nobody", "A Slack webhook cannot confirm a subscription, and does not read SNS's format.", "A relay function, or Amazon Q Developer in chat applications; then make a new webhook, since the subscription shows the old one.", _SUBSCRIPTIONS),
    "subscription-filter-drops": Rule("error", "reaches nobody", "Messages of CloudWatch carry no message attributes, so a filter on them drops each one.", "FilterPolicyScope MessageBody with fields that the message has, or a topic of its own.", _SUBSCRIPTIONS),
    "subscription-function-fails": Rule("error", "reaches nobody", "A function that is gone, off, or does not let the caller in receives nothing.", "Make the function anew, raise its concurrency, or allow lambda:InvokeFunction.", (*_SUBSCRIPTIONS, *_FUNCTION)),
    "subscription-plain-http": Rule("warning", "upkeep", "Over http everybody on the way reads the message.", "Subscribe the https address.", _SUBSCRIPTIONS),
    "subscription-without-dead-letters": Rule("info", "upkeep", "What cannot be delivered is gone after the retries, and nobody learns of it.", "A RedrivePolicy with a queue, and an alarm on that queue.", _SUBSCRIPTIONS),
    "function-forbids": Rule("error", "reaches nobody", "A function that is gone, off, or does not let CloudWatch in is not run.", "Allow lambda:InvokeFunction to lambda.alarms.cloudwatch.amazonaws.com.", _FUNCTION),
    "delivery-failing": Rule("warning", "reaches nobody", "SNS counts messages that it could not deliver.", "Look at the subscriptions and the delivery status logs of the topic.", ("cloudwatch:GetMetricData",)),
    "page-by-email-only": Rule("info", "reaches nobody", "Nobody is woken by an e-mail.", "A pager beside it.", (*_SUBSCRIPTIONS, "tag:GetResources")),
    "suppressor-missing": Rule("error", "reaches nobody", "A composite whose suppressor is gone waits for it at each change of state.", "Correct or remove ActionsSuppressor."),
    "suppressor-stuck": Rule("error", "reaches nobody", "While the suppressor is in ALARM the composite tells nobody.", "Mend what the suppressor says, or take it off."),
    "mute-for-ever": Rule("error", "reaches nobody", "Windows that follow each other without a gap mute for ever.", "A shorter Duration, an ExpireDate, or no mute rule.", _MUTES),
    # Event rules
    "rule-target-missing": Rule("error", "reaches nobody", "EventBridge takes a target that is not there, and what it sends is lost.", "Correct the target.", (*_EVENTS, *_TOPIC, *_FUNCTION, "logs:DescribeLogGroups")),
    "rule-target-forbids": Rule("error", "reaches nobody", "A target whose policy or key does not let EventBridge in receives nothing.", "Allow Service events.amazonaws.com, conditioned on aws:SourceArn.", (*_EVENTS, *_TOPIC, *_KEY, *_FUNCTION, "logs:DescribeResourcePolicies")),
    "rule-topic-unheard": Rule("error", "reaches nobody", "SNS takes messages for a topic that nobody receives without a word.", "Subscribe somebody, and see that the subscription is confirmed.", (*_EVENTS, *_SUBSCRIPTIONS)),
    "rule-without-target": Rule("warning", "reaches nobody", "A rule without a target matches, and nothing happens.", "Give it a target, or delete it.", _EVENTS),
    "rule-disabled": Rule("info", "upkeep", "A rule that is off is easily forgotten.", "Turn it on, or delete it.", _EVENTS),
    # The rest
    "missing-ok-action": Rule("warning", "no recovery", "Without an OK action who was paged does not hear that it is over.", "The topic of AlarmActions in OKActions too.", ("tag:GetResources",)),
    "duplicate-alarm": Rule("warning", "duplicate", "Two alarms on the same condition tell everybody twice and cost twice.", "Keep one."),
    "duplicate-other-receivers": Rule("info", "duplicate", "Two alarms on the same condition that tell different people cost twice, and one is changed where the other is forgotten.", "One alarm can tell up to five: put the actions together in one, then delete the others. Not before: each may be the only one that somebody hears."),
    "nearly-duplicate": Rule("info", "duplicate", "Two alarms on the same metric that tell the same people are one incident twice.", "Keep one, or send them to different people."),
    "stuck-in-alarm": Rule("warning", "noise", "An alarm that has fired for weeks tells nobody anything, and cannot fire again.", "Mend what it says, or its threshold, or delete it."),
    "flapping": Rule("warning", "noise", "An alarm that comes and goes trains people to look away.", "More datapoints (M of N), or a threshold further away.", _HISTORY),
    "evaluation-partial": Rule("warning", "hides an outage", "CloudWatch evaluates the alarm on a part of its data only, or fails to for a while.", "Make its query smaller; see StateReason."),
    "muted-now": Rule("info", "upkeep", "While it is muted an alarm tells nobody.", "Nothing, where it is meant so.", _MUTES),
    "mute-unknown-alarm": Rule("warning", "upkeep", "A mute rule for an alarm that is not there mutes nothing when it is needed.", "Correct its names.", _MUTES),
    "mute-expired": Rule("info", "upkeep", "A mute rule that is over does nothing any more.", "Delete it.", _MUTES),
    "never-changed": Rule("info", "upkeep", "An alarm that has never changed its state was never seen to work.", "Test it: `aws cloudwatch set-alarm-state`."),
}  # fmt: skip
"""The rules on a live account."""

PROMETHEUS_RULES: dict[str, Rule] = {
    "metric-not-there": Rule("warning", "never fires", "A rule on a metric that Prometheus does not have never fires.", "See that it is scraped, and how it is spelled."),
    "series-not-there": Rule("warning", "never fires", "A job that is no target any more takes its alerts with it.", "Correct the selector."),
    "rule-failing": Rule("error", "never fires", "A rule whose evaluation fails never fires.", "What Prometheus says of it."),
    "no-alertmanager": Rule("error", "reaches nobody", "Without an Alertmanager alerts fire on a page that nobody looks at.", "`alerting:` in Prometheus's configuration."),
    "alertmanager-dropped": Rule("warning", "reaches nobody", "An Alertmanager that was dropped gets nothing.", "See whether it is up, and relabelling."),
    "stuck-firing": Rule("warning", "noise", "An alert that has fired for weeks tells nobody anything.", "Mend what it says, or its threshold."),
    "group-too-slow": Rule("warning", "hides an outage", "A group that takes longer than its interval skips evaluations.", "A longer interval, cheaper rules, or recording rules."),
}  # fmt: skip
"""The rules on a live Prometheus."""

# Rules of the lint that the audit knows better, since it sees what a file cannot tell, or that AWS has answered by taking the alarm.
REPLACED = frozenset(
    {
        "actions-disabled", "call-refused", "composite-child-unknown", "duplicate-alarm", "missing-ok-action", "name-clash", "no-action",
        "promql-with-threshold", "slack-on-sns", "topic-key-of-aws", "topic-without-policy", "topic-without-subscription",
    }
)  # fmt: skip

REFUSED = frozenset(
    {
        "composite-rule-invalid", "datapoints-over-periods", "event-pattern-over-limit", "id-invalid", "id-unknown", "mixed-periods",
        "over-limit", "period-invalid", "results-not-one", "search-in-alarm", "suppressor-without-periods", "window-over-limit",
    }
)  # fmt: skip
"""What lint says that AWS refuses: AWS has taken the alarm, so it is a limit that has changed since, and worth knowing at most."""

LINT_SUBJECTS: dict[Subject, tuple[str, ...]] = {
    "never fires": (
        "alarm-never-fires", "composite-cycle", "composite-rule-invalid", "composite-state-impossible", "dimension-set-unknown",
        "dimension-value-form", "event-detail-type-unknown", "event-pattern-matches-nothing", "metric-unknown", "promql-invalid",
        "search-in-alarm", "threshold-scale", "unit-mismatch", "never-true", "quantile-threshold-out-of-reach",
        "quantile-without-le", "quantile-of-raw-histogram", "sides-never-match", "burn-threshold-unreachable",
    ),
    "hides an outage": (
        "average-of-latency", "fill-pins-newest", "missing-data-hides-outage", "missing-data-on-sparse", "ratio-of-nothing",
        "rate-of-delta", "rate-of-gauge", "rate-of-sum", "scalar-in-alarm", "sparse-operand-dropped", "statistic-meaningless",
        "level-of-counter", "ratio-of-unaggregated", "quantile-threshold-not-on-bucket",
    ),
    "noise": (
        "alarm-always-fires", "always-true", "insufficient-data-action", "missing-data-fires", "one-datapoint",
        "percentile-low-samples", "promql-always-fires", "ratio-without-minimum",
    ),
    "duplicate": ("duplicate-rule", "warning-above-critical"),
}  # fmt: skip
_SUBJECTS = {name: subject for subject, names in LINT_SUBJECTS.items() for name in names}

BY_INPUT: dict[str, dict[str, str]] = {
    "live account": {name: f"[{rule.level}] {rule.why} {rule.remedy}" for name, rule in RULES.items()},
    "settings of alarms and event rules (as `alerts lint`)": {
        name: why for name, why in lint.RULES.items() if name not in REPLACED
    },
    "live Prometheus": {
        name: f"[{rule.level}] {rule.why} {rule.remedy}" for name, rule in PROMETHEUS_RULES.items()
    },
    "Prometheus rules (as `alerts lint`)": dict(rule_files.RULES),
}
"""What is looked at, to its rules and why each is one."""


def subject_of(rule: str) -> Subject:
    """What a rule of the lint is about."""
    return _SUBJECTS.get(rule, "upkeep")
