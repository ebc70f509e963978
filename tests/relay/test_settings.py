"""Settings: whom it listens to and tells; a mistake is said, all of them at once, and never with an address."""

from __future__ import annotations

import io
import json

import pytest

from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.relay.addresses import Addresses
from orders_obs.relay.envelope import parse_topic
from orders_obs.relay.log import Log
from orders_obs.relay.settings import PREFIX, RelaySettings, Source
from tests.relay.receivers import CANARY
from tests.relay.sns import TOPIC, WARNINGS

HOOK = f"https://hooks.slack.com/services/T000/B000/{CANARY}"


def load(**settings: str) -> RelaySettings:
    return RelaySettings.load({f"{PREFIX}{name}": value for name, value in settings.items()})


def test_topics_and_one_receiver_are_all_that_is_needed() -> None:
    settings = load(TOPICS=f"{TOPIC}, {WARNINGS}", SLACK_SECRET="orders/slack#url")
    assert [str(topic) for topic in settings.topics] == [TOPIC, WARNINGS]
    assert settings.receivers == (Source("slack", "secret", "orders/slack", "url"),)
    assert (settings.bind, settings.late_after, settings.max_bytes, settings.emulator) == (
        "127.0.0.1",
        300,
        262_144,
        "",
    )


def test_a_topics_route_comes_before_a_severitys_and_that_before_everybodys() -> None:
    routes = '{"orders-critical-production": {"slack": "secret:a", "webhook": "env:HOOK"}, "warning": {"slack": "secret:b"}}'
    settings = load(TOPICS=f"{TOPIC},{WARNINGS}", SLACK_SECRET="c", ROUTES=routes)
    critical, warnings = (parse_topic(text) for text in (TOPIC, WARNINGS))
    assert critical is not None
    assert warnings is not None
    assert [source.name for source in settings.told(critical, "warning")] == ["a", "HOOK"]
    assert [source.name for source in settings.told(warnings, "warning")] == ["b"]
    assert [source.name for source in settings.told(warnings, "")] == ["c"]
    assert len(settings.sources) == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SLACK_SECRET": "a"}, "no topic is listed"),
        ({"TOPICS": "orders-critical", "SLACK_SECRET": "a"}, "must be ARNs of topics"),
        ({"TOPICS": TOPIC}, "nobody is told of orders-critical-production"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "SLACK_WEBHOOK": HOOK}, "both set"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": HOOK}, "never the address itself"),
        ({"TOPICS": TOPIC, "ROUTES": f'{{"critical": {{"slack": "{HOOK}"}}}}'}, "never the address itself"),
        ({"TOPICS": TOPIC, "ROUTES": '{"critical": {"teams": "secret:a"}}'}, "a route must be such as"),
        ({"TOPICS": TOPIC, "ROUTES": "[]"}, "must be a JSON object"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "SEVERITIES": '{"a": "<!here>"}'}, "must be such as"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "LATE_AFTER": "soon"}, "number of seconds"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "MAX_BYTES": "0"}, "whole number from"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "PORT": "70000"}, "whole number from"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "LOG_GROUPS": "a b?"}, "names of log groups"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "RUNBOOK_BASE": "wiki"}, "begins with https://"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "KEEP": "30"}, "less than SNS may take to deliver again"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "LATE_AFTER": "90000"}, "or than LATE_AFTER"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "EMULATOR": "http://evil.com"}, "on this machine"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "EMULATOR": "http://127.0.0.1@evil.com"}, "on this machine"),
        ({"TOPICS": TOPIC, "SLACK_SECRET": "a", "EMULATOR": "http://127.0.0.1:x"}, "on this machine"),
    ],
)
def test_what_cannot_be_used_is_said_and_stops_it(settings: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load(**settings)
    assert CANARY not in str(caught.value)


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(UserError) as caught:
        load(TOPICS="a", PORT="b", KEEP="c")
    assert all(f"{PREFIX}{name}" in str(caught.value) for name in ("TOPICS", "PORT", "KEEP"))


def test_what_is_called_like_a_setting_and_is_none_is_said_with_the_other_mistakes() -> None:
    with pytest.raises(UserError) as caught:
        load(TOPIC=TOPIC, SLACK_SECRET="a", PORT="b", ZZZ=CANARY)
    said = str(caught.value)
    assert f"{PREFIX}TOPIC is no setting: did you mean {PREFIX}TOPICS?" in said
    assert f"{PREFIX}PORT: must be a whole number" in said
    assert f"{PREFIX}ZZZ is no setting" in said
    assert CANARY not in said
    with pytest.raises(UserError, match=f"no topic is listed.*; {PREFIX}TOPIC is no setting"):
        load(TOPIC=TOPIC, SLACK_SECRET="a")


def test_every_setting_is_one_and_a_route_may_name_a_variable_of_its_own() -> None:
    names = ("TOPICS", "SLACK_SECRET", "WEBHOOK", "ROUTES", "SEVERITIES", "LATE_AFTER", "KEEP", "SEEN_FILE", "MAX_BYTES", "SECRET_TTL",
             "DEAD_LETTERS", "RUNBOOK_BASE", "LOG_GROUPS", "BIND", "PORT", "EMULATOR", "SLACK_WEBHOOK", "WEBHOOK_SECRET")  # fmt: skip
    load(**(dict.fromkeys(names, "") | {"TOPICS": TOPIC, "SLACK_SECRET": "a"}))
    settings = load(TOPICS=TOPIC, ROUTES=f'{{"critical": {{"slack": "env:{PREFIX}TEAM"}}}}', TEAM=HOOK, SLACK_SECRET="a")  # fmt: skip
    assert [source.name for source in settings.sources] == ["a", f"{PREFIX}TEAM"]


def test_the_name_of_a_secret_is_no_secret_and_tells_receivers_apart_in_the_log() -> None:
    of_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/slack-AbCdEf"
    for source, words in (
        (Source("slack", "secret", "orders/slack"), "slack <orders/slack>"),
        (Source("slack", "secret", "orders/slack", "url"), "slack <orders/slack#url>"),
        (Source("webhook", "secret", of_arn), "webhook <orders/slack-AbCdEf in 111122223333/eu-west-1>"),
        (Source("slack", "env", "SLACK_SECRET"), "slack (env:SLACK_SECRET)"),
    ):
        assert str(source) == words
        out = io.StringIO()
        Log(out).write("failed", receiver=str(source), reason=f"the address of {source}: is empty")
        line = json.loads(out.getvalue())
        assert (line["receiver"], line["reason"]) == (words, f"the address of {words}: is empty")


SECRET = Source("slack", "secret", "orders/slack")


@pytest.mark.parametrize(
    ("text", "key", "address"),
    [
        (f" {HOOK}\n", "", HOOK),
        (f'{{"anything": "{HOOK}"}}', "", HOOK),
        (f'{{"a": "x", "url": "{HOOK}"}}', "url", HOOK),
        ("http://127.0.0.1:8065/hooks/x", "", "http://127.0.0.1:8065/hooks/x"),
    ],
)
def test_a_secret_is_the_address_or_an_object_that_has_it(text: str, key: str, address: str) -> None:
    assert Addresses(300, read=lambda _: text).get(Source("slack", "secret", "orders/slack", key)) == address


@pytest.mark.parametrize(
    "text",
    ["", " ", "http://hooks.slack.com/services/CANARY0b5f3c", "ftp://CANARY0b5f3c", "CANARY0b5f3c", "https://a b/CANARY0b5f3c",
     '{"a": "CANARY0b5f3c", "b": "CANARY0b5f3c"}', "{CANARY0b5f3c", "https://[CANARY0b5f3c", "https://hooks.slack.com:x/CANARY0b5f3c"],
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        Addresses(300, read=lambda _: text).get(SECRET)
    assert CANARY not in str(caught.value)
    assert "orders/slack" in str(caught.value)


class Vault:
    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.reads = 0

    def __call__(self, _: str) -> str:
        self.reads += 1
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if not text:
            raise EnvironmentFault("it cannot be read")
        return text


def test_an_address_is_read_anew_after_minutes() -> None:
    now, vault = [0.0], Vault(HOOK, HOOK + "2")
    addresses = Addresses(300, read=vault, clock=lambda: now[0])
    assert {addresses.get(SECRET) for _ in range(5)} == {HOOK}
    assert vault.reads == 1
    now[0] = 301
    assert addresses.get(SECRET) == HOOK + "2"


def test_an_address_that_cannot_be_read_anew_is_used_on() -> None:
    now, vault = [0.0], Vault(HOOK, "")
    addresses = Addresses(300, read=vault, clock=lambda: now[0])
    assert addresses.get(SECRET) == HOOK
    now[0] = 301
    assert addresses.get(SECRET) == HOOK


def test_an_address_that_was_refused_is_read_anew_and_whether_it_changed_is_known() -> None:
    addresses = Addresses(300, read=Vault(HOOK, HOOK, HOOK + "2"))
    assert addresses.get(SECRET) == HOOK
    assert addresses.renew(SECRET, HOOK) is False
    assert addresses.renew(SECRET, HOOK) is True
    assert addresses.get(SECRET) == HOOK + "2"


def test_nothing_that_holds_an_address_shows_it() -> None:
    addresses = Addresses(300, env={"HOOK": HOOK})
    addresses.get(Source("slack", "env", "HOOK"))
    assert CANARY not in repr(vars(addresses)["_kept"])


def test_what_kubernetes_puts_beside_a_service_of_that_name_is_no_mistake() -> None:
    settings = load(
        TOPICS=TOPIC, SLACK_SECRET="a", SERVICE_HOST="10.0.0.1", SERVICE_PORT="9098", SERVICE_PORT_HTTP="9098",
        PORT="tcp://10.0.0.1:9098", PORT_9098_TCP="tcp://10.0.0.1:9098", PORT_9098_TCP_ADDR="10.0.0.1",
    )  # fmt: skip
    assert settings.port == 9098
