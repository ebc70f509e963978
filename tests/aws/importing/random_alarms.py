"""Random alarms as DescribeAlarms gives them: metric, math, anomaly, PromQL and composite ones, with every field, and texts that YAML
takes for something else."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from orders_obs.redact import redact_text

ACCOUNT, REGION = "111122223333", "eu-west-1"
HOSTILE = (
    "on", "off", "yes", "NO", "y", "null", "~", "none", "true", "1e3", "1E+3", "0x1F", "0o17", "017", "1_000", "12:30:00", "2026-01-01",
    "2026-01-01T00:00:00Z", ".inf", "NaN", "-", "--- a", "- a", "a: b", "a:", ": a", "# a", "a # b", "%TAG ! x", "%", "@a", "`a`", "!a",
    "&a", "*a", "? a", "| a", "> a", "{a: b}", "[a, b]", "{{ $value }}", "${a}", "%{a}", "'a'", '"a"', "a\\nb", "\\", " a", "a ", "\ta",
    "a\tb", "a\nb", "a\n\nb\n", "\na", " a\n  b", "a \nb", "a\r\nb", "a\u2028b", "a\u2029", "a\x85b", "\ufeffa", "ä ö ✓", "😀 \U0001f6a8",
    "=", "<<", "a,b", "...", "---", "\x07", "\x7f", "e\u0301", "\u200d", "0", "-1", "+1", "5%", "1.5",
)  # fmt: skip


def texts(least: int = 0, most: int = 60) -> st.SearchStrategy[str]:
    """Texts of any kind that hold nothing like a secret."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=most)
    hostile = st.sampled_from([text for text in HOSTILE if least <= len(text) <= most])
    words = st.text(string.ascii_letters + string.digits + " -_./:#%'\"{}[],", min_size=least, max_size=most)
    return st.one_of(hostile, words, anything).filter(lambda text: redact_text(text) == text)


def names() -> st.SearchStrategy[str]:
    """Names of alarms: no control characters, and no quotation marks, which a rule could not have in them."""
    return texts(1, 50).filter(
        lambda text: not any(ord(letter) < 32 or ord(letter) == 127 or letter in '"()' for letter in text) and bool(text.strip())
    )  # fmt: skip


@st.composite
def described(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Alarms of one account: entries of MetricAlarms and CompositeAlarms."""
    found: list[dict[str, Any]] = []
    for name in draw(st.lists(names(), min_size=1, max_size=4, unique=True)):
        kinds = [_single, _math, _anomaly, _promql] + ([_composite] if found else [])
        arguments = draw(draw(st.sampled_from(kinds))([entry["AlarmName"] for entry in found]))
        found.append({**draw(_head()), **arguments, "AlarmName": name, **_state(name)})
    return found


def _state(name: str) -> dict[str, Any]:
    return {
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "StateValue": "OK",
        "StateReason": "Threshold Crossed",
    }


@st.composite
def _head(draw: st.DrawFn) -> dict[str, Any]:
    actions = st.lists(
        st.sampled_from([
            f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-alerts-production",
            f"arn:aws:sns:{REGION}:{ACCOUNT}:else",
            f"arn:aws:automate:{REGION}:ec2:recover",
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:one:PROD",
        ]),
        max_size=3, unique=True,
    )  # fmt: skip
    head: dict[str, Any] = {"ActionsEnabled": draw(st.booleans())}
    for key in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        head[key] = draw(actions)
    if draw(st.booleans()):
        head["AlarmDescription"] = draw(texts(0, 200))
    if draw(st.integers(0, 4)) == 0:
        head["ActionConfiguration"] = {"AlarmTagsPropagation": {"Enabled": draw(st.booleans())}}
    return head


_DIMENSIONS = st.lists(
    st.fixed_dictionaries({"Name": texts(1, 20), "Value": texts(1, 40)}), max_size=3, unique_by=lambda each: each["Name"]
)  # fmt: skip
_THRESHOLDS = st.one_of(
    st.sampled_from([0.0, 1.0, 80.0, -1.5, 1e-7, 1e22, 0.1 + 0.2, 2.0**60]),
    st.floats(allow_nan=False, allow_infinity=False),
)
_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_EXTENDED = ("p99", "p99.9", "tm(10%:90%)", "PR(:0.5)", "wm98", "IQM", "TC(0.005:0.030)")
_OPERATORS = (
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
)  # fmt: skip
_BANDS = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")


@st.composite
def _compared(draw: st.DrawFn, operators: tuple[str, ...] = _OPERATORS) -> dict[str, Any]:
    periods = draw(st.integers(1, 20))
    found: dict[str, Any] = {
        "ComparisonOperator": draw(st.sampled_from(operators)),
        "EvaluationPeriods": periods,
    }
    if draw(st.booleans()):
        found["DatapointsToAlarm"] = draw(st.integers(1, periods))
    if draw(st.booleans()):
        found["TreatMissingData"] = draw(st.sampled_from(["breaching", "notBreaching", "ignore", "missing"]))
    if draw(st.integers(0, 5)) == 0:
        found["EvaluationWindow"] = draw(
            st.sampled_from([{"SlidingWindow": {}}, {"WallClockWindow": {"Timezone": "Europe/Berlin"}}])
        )
    if draw(st.integers(0, 5)) == 0:
        found["WarmUpConfiguration"] = {
            "WarmUpPeriodInMinutes": 30,
            "OnlyStartEvaluatingAfterWarmUpPeriodEnds": draw(st.booleans()),
        }
    return found


@st.composite
def _single(draw: st.DrawFn, _: list[str]) -> dict[str, Any]:
    found = draw(_compared()) | {
        "Namespace": draw(texts(1, 30)),
        "MetricName": draw(texts(1, 30)),
        "Period": draw(st.sampled_from([10, 30, 60, 300, 3600])),
        "Threshold": draw(_THRESHOLDS),
        "Dimensions": draw(_DIMENSIONS),
    }
    if draw(st.booleans()):
        found["Statistic"] = draw(st.sampled_from(_STATISTICS))
    else:
        found["ExtendedStatistic"] = draw(st.sampled_from(_EXTENDED))
        found["EvaluateLowSampleCountPercentile"] = draw(st.sampled_from(["evaluate", "ignore"]))
    if draw(st.booleans()):
        found["Unit"] = draw(st.sampled_from(["Percent", "None", "Bytes/Second"]))
    return found


@st.composite
def _queries(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for number in range(draw(st.integers(1, 3))):
        query: dict[str, Any] = {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": draw(texts(1, 30)),
                    "MetricName": draw(texts(1, 30)),
                    "Dimensions": draw(_DIMENSIONS),
                },
                "Period": 60,
                "Stat": draw(st.sampled_from([*_STATISTICS, *_EXTENDED])),
            },
        }
        if draw(st.booleans()):
            query["ReturnData"] = False
        if draw(st.booleans()):
            query["Label"] = draw(texts(0, 30))
        if draw(st.integers(0, 4)) == 0:
            query["MetricStat"]["Unit"] = "Seconds"
        if draw(st.integers(0, 4)) == 0:
            query["AccountId"] = "444455556666"
        found.append(query)
    return found


@st.composite
def _math(draw: st.DrawFn, _: list[str]) -> dict[str, Any]:
    result = {
        "Id": "result",
        "Expression": draw(texts(1, 80)),
        "Label": draw(texts(0, 30)),
        "ReturnData": True,
    }
    if draw(st.booleans()):
        result["Period"] = 60
    return draw(_compared()) | {"Metrics": [*draw(_queries()), result], "Threshold": draw(_THRESHOLDS)}


@st.composite
def _anomaly(draw: st.DrawFn, _: list[str]) -> dict[str, Any]:
    band = {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m0, 2)", "ReturnData": True}
    return draw(_compared(_BANDS)) | {"Metrics": [*draw(_queries()), band], "ThresholdMetricId": "ad1"}


@st.composite
def _promql(draw: st.DrawFn, _: list[str]) -> dict[str, Any]:
    criteria: dict[str, Any] = {"Query": draw(texts(1, 80))}
    for key in ("PendingPeriod", "RecoveryPeriod"):
        if draw(st.booleans()):
            criteria[key] = draw(st.sampled_from([0, 60, 300]))
    return {
        "EvaluationCriteria": {"PromQLCriteria": criteria},
        "EvaluationInterval": draw(st.sampled_from([10, 60, 3600])),
    }


@st.composite
def _composite(draw: st.DrawFn, known: list[str]) -> dict[str, Any]:
    terms = []
    for name in draw(st.lists(st.sampled_from(known), min_size=1, max_size=3)):
        shown = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}" if draw(st.booleans()) else name
        terms.append(f'{draw(st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]))}("{shown}")')
    found: dict[str, Any] = {"AlarmRule": draw(st.sampled_from([" AND ", " OR ", "\n  OR NOT "])).join(terms)}
    if draw(st.booleans()):
        found["ActionsSuppressor"] = draw(st.sampled_from(known))
        found["ActionsSuppressorWaitPeriod"] = draw(st.integers(0, 600))
        found["ActionsSuppressorExtensionPeriod"] = draw(st.integers(0, 600))
    return found
