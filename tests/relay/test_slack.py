"""A message in Slack: what is in it, and that nobody outside can mention, link or overflow by it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orders_obs.relay.alert import Alert
from orders_obs.relay.slack import escape, payload, plain_payload, took

SINCE = datetime(2026, 11, 25, 8, 29, 58, tzinfo=UTC)
ALERT = Alert(
    status="firing",
    severity="critical",
    title="Error rate",
    name="orders-api-production-error_rate-critical",
    text="Fires while http_error_ratio is above 5% over 5m.",
    since=SINCE,
    facts=(("Value", "7.25%"), ("Threshold", "> 5%")),
    links=(("Runbook", "https://wiki.example.com/runbooks/error_rate?a=1&b=2"), ("Logs", "")),
    source="CloudWatch alarm",
    account="111122223333",
    region="eu-west-1",
)
# The only forms in angle brackets that a message of ours has.
OURS = re.compile(
    r"<!date\^\d+\^\{date_short_pretty\} \{time_secs\}\|[0-9 :UTC-]+>|<https?://[^|<>\s]+\|[^|<>]*>"
)


def texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)


def test_a_message_is_one_line_and_blocks_beside_a_colour() -> None:
    assert payload(ALERT) == {
        "text": "🔴 *CRITICAL*: Error rate · orders-api-production-error_rate-critical",
        "attachments": [
            {
                "color": "#c0392b",
                "fallback": "🔴 *CRITICAL*: Error rate · orders-api-production-error_rate-critical",
                "blocks": [
                    {"type": "section", "text": mrkdwn("Fires while http_error_ratio is above 5% over 5m.")},
                    {"type": "section", "fields": [mrkdwn("*Value*\n7.25%"), mrkdwn("*Threshold*\n&gt; 5%")]},
                    {
                        "type": "section",
                        "text": mrkdwn("<https://wiki.example.com/runbooks/error_rate?a=1&amp;b=2|Runbook>"),
                    },
                    {
                        "type": "context",
                        "elements": [
                            mrkdwn(
                                "Since <!date^1795595398^{date_short_pretty} {time_secs}|2026-11-25 08:29:58 UTC>"
                                " · CloudWatch alarm · 111122223333 · eu-west-1"
                            )
                        ],
                    },
                ],
            }
        ],
        "link_names": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


@pytest.mark.parametrize(
    ("status", "severity", "head", "colour"),
    [
        ("firing", "warning", "🟠 *WARNING*: ", "#e67e22"),
        ("firing", "info", "🔵 *INFO*: ", "#2980b9"),
        ("firing", "", "🟡 *ALARM*: ", "#7f8c8d"),
        ("recovered", "critical", "🟢 *RECOVERED* (critical): ", "#27ae60"),
        ("unknown", "critical", "⚪ *NO DATA* (critical): ", "#95a5a6"),
        ("happened", "critical", "🔴 *CRITICAL*: ", "#c0392b"),
        ("happened", "", "🟡 *MESSAGE*: ", "#7f8c8d"),
    ],
)
def test_the_headline_and_the_colour_say_how_bad_it_is(
    status: Any, severity: str, head: str, colour: str
) -> None:
    made = payload(Alert(status=status, severity=severity, title="Error rate"))
    assert made["text"] == f"{head}Error rate"
    assert made["attachments"][0]["color"] == colour


def test_a_late_message_says_so_and_how_late() -> None:
    assert " LATE: " in payload(ALERT, 720)["text"]
    assert "sent 12 minutes ago" in json.dumps(payload(ALERT, 720))
    assert "sent 5 hours ago" in plain_payload(ALERT, 18_000)["text"]
    assert "Late" not in json.dumps(payload(ALERT))


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(["<!channel>", "<!here|x>", "<@U123>", "<#C1>", "@channel", "@HERE", "<", ">", "&", "|", "&lt;!here&gt;", "\n", "`",
                         "\u202e", "<https://evil.com|safe>", "<!subteam^S1>", "<!date^1^x|y>", "*", "https://a", "\x00"]),
        max_size=12,
    ).map("".join),
)  # fmt: skip


@given(
    st.sampled_from(["firing", "recovered", "unknown", "happened"]),
    st.lists(HOSTILE, min_size=8, max_size=8),
    st.lists(st.tuples(HOSTILE, HOSTILE), max_size=14),
    st.lists(st.tuples(HOSTILE, HOSTILE.map("https://wiki.example.com/{}".format) | HOSTILE), max_size=10),
)
@settings(max_examples=200, deadline=None)
def test_whatever_a_message_says_nobody_is_mentioned_and_no_link_is_made(
    status: Any, words: list[str], facts: list[tuple[str, str]], addresses: list[tuple[str, str]]
) -> None:
    severity, title, name, text, source, account, region, _ = words
    alert = Alert(
        status, severity, title, name, text, SINCE, tuple(facts), tuple(addresses), source, account, region
    )
    for made in (payload(alert), plain_payload(alert, 500)):
        check_limits(made)
        for found in texts(made):
            rest = OURS.sub("", found)
            assert not set(rest) & set("<>"), found
            assert not re.search(r"(?i)@(channel|here|everyone|group)", rest)
            assert re.fullmatch(r"(?:[^&]|&(?:amp|lt|gt);)*", rest, re.DOTALL)


@given(st.text(alphabet="&<>a@", min_size=1, max_size=9), st.integers(1, 1000))
@example("x", 40_000)
@settings(max_examples=15, deadline=None)
def test_a_message_of_any_size_stays_within_slacks_limits(part: str, times: int) -> None:
    text = part * times
    many = tuple((text, text) for _ in range(40))
    web = tuple((text, f"https://wiki.example.com/{text}"[:1990]) for _ in range(40))
    alert = Alert("firing", text, text, text, text, SINCE, many, web, text, text, text)
    check_limits(payload(alert, 500))
    assert len(plain_payload(alert, 500)["text"]) < 40_000


def check_limits(made: dict[str, Any]) -> None:
    """Slack's reference of Block Kit: 50 blocks, 3000 characters of a section, 10 fields of 2000, 10 elements of a context."""
    json.dumps(made)
    for attachment in made.get("attachments", []):
        assert 0 < len(attachment["blocks"]) <= 50
        for block in attachment["blocks"]:
            if "text" in block:
                assert 0 < len(block["text"]["text"]) <= 3000
            for part in block.get("fields", []):
                assert 0 < len(part["text"]) <= 2000
            assert len(block.get("fields", [])) <= 10
            for part in block.get("elements", []):
                assert 0 < len(part["text"]) <= 2000


def test_a_text_is_cut_before_an_escape_and_says_how_long_it_was() -> None:
    found = escape("<" * 5000, 100)
    assert len(found) <= 100
    assert re.fullmatch(r"(&lt;)*…?.*", found)
    assert "5000 characters in all" in escape("x" * 5000, 100)


def test_secrets_that_a_message_has_do_not_come_to_slack() -> None:
    alert = Alert(
        "happened",
        "",
        "password=hunter2x",
        text="https://user:hunter2x@db.example.com",
        facts=(("a", "AKIAABCDEFGHIJKLMNOP"),),
    )
    made = json.dumps([payload(alert), plain_payload(alert)])
    assert "hunter2x" not in made
    assert "AKIAABCDEFGHIJKLMNOP" not in made


@pytest.mark.parametrize(
    ("status", "body", "good"),
    [
        (200, b"ok", True),
        (200, b"ok\n", True),
        (200, b'{"ok": true}', True),
        (200, b"<html>log in", False),
        (200, b"", False),
        (404, b"ok", False),
    ],
)
def test_only_slacks_own_answer_counts_as_taken(status: int, body: bytes, good: bool) -> None:
    assert took(status, body) is good
