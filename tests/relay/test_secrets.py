"""R3: a receiver's address comes to no log, no error, no answer and no file, whatever goes wrong."""

from __future__ import annotations

import io
import json
import socket
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.redact import redact_text
from orders_obs.relay import addresses, handler
from orders_obs.relay.addresses import Addresses
from orders_obs.relay.deadletters import DeadLetters
from orders_obs.relay.delivery import Deliverer
from orders_obs.relay.envelope import parse_body
from orders_obs.relay.log import Log
from orders_obs.relay.relay import Relay
from orders_obs.relay.settings import RelaySettings
from tests.relay.receivers import CANARY, Answered, receiving
from tests.relay.sns import ALARM, TOPIC, notification, record


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 3200


def all_that_is_said(invoke: Callable[[], object]) -> str:
    """What a call prints and raises, with the traceback and what each exception holds."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        try:
            invoke()
        except (handler.Undelivered, UserError, EnvironmentFault) as error:
            traceback.print_exception(error, file=out)
            out.write(repr(error) + repr(error.args))
    return out.getvalue()


FAULTS = [
    *(
        Answered(status, f"you posted to /services/T000/B000/{CANARY}".encode())
        for status in (400, 403, 404, 410, 429, 500, 302)
    ),
    Answered(200, CANARY.encode()),
    Answered(302, b"", {"Location": f"http://127.0.0.1:1/{CANARY}"}),
    Answered(0),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.status}")
def test_r3_no_fault_of_a_receiver_shows_its_address(
    monkeypatch: pytest.MonkeyPatch, fault: Answered
) -> None:
    monkeypatch.setattr(handler, "_relay", None)
    monkeypatch.setenv("ORDERS_OBS_RELAY_TOPICS", TOPIC)
    event = {"Records": [record(notification(ALARM))]}
    with receiving() as slack:
        monkeypatch.setenv("ORDERS_OBS_RELAY_SLACK_WEBHOOK", slack.url)
        slack.answers += [fault] * 9
        said = all_that_is_said(lambda: handler.lambda_handler(event, Context()))
        assert slack.got
    assert "failed" in said
    assert CANARY not in said


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


ADDRESSES = st.one_of(
    st.text(max_size=20).map(lambda text: f"{text}{CANARY}"),
    st.tuples(st.sampled_from(["http", "ftp", "HTTP", "//", "file"]), st.text(max_size=10)).map(lambda x: f"{x[0]}://{x[1]}/{CANARY}"),
    st.text(max_size=20).map(lambda text: f"http://127.0.0.1:{closed_port()}/{CANARY}{text}"),
    st.dictionaries(st.text(max_size=5), st.just(CANARY), max_size=3).map(json.dumps),
)  # fmt: skip


@given(ADDRESSES)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r3_no_form_of_an_address_is_ever_shown(tmp_path: Path, address: str) -> None:
    environment = {"ORDERS_OBS_RELAY_TOPICS": TOPIC, "ORDERS_OBS_RELAY_SLACK_SECRET": "orders/slack"}
    out, letters = io.StringIO(), tmp_path / "letters"
    found = Addresses(300, env=environment, read=lambda _: address)
    relay = Relay(
        RelaySettings.load(environment),
        Log(out),
        addresses=found,
        dead_letters=DeadLetters(str(letters)),
        deliverer=Deliverer(found, sleep=lambda _: None),
    )
    envelope = parse_body(json.dumps(notification(ALARM)).encode(), 262_144)
    assert relay.notify(envelope, 0.2).outcome == "failed"
    assert CANARY not in out.getvalue() + letters.read_text() + repr(vars(relay))


@given(
    st.text(max_size=20),
    st.sampled_from(
        [
            "SLACK_SECRET",
            "WEBHOOK_SECRET",
            "ROUTES",
            "TOPICS",
            "EMULATOR",
            "RUNBOOK_BASE",
            "PORT",
            "SEVERITIES",
        ]
    ),
)
@settings(deadline=None)
def test_r3_an_address_that_stands_where_it_does_not_belong_is_not_repeated(text: str, name: str) -> None:
    address = f"https://hooks.slack.com/services/{CANARY} {text}"
    environment = {"ORDERS_OBS_RELAY_TOPICS": TOPIC, f"ORDERS_OBS_RELAY_{name}": address}
    with pytest.raises(UserError) as caught:
        RelaySettings.load(environment)
    assert CANARY not in str(caught.value)


def test_r3_a_line_of_the_log_has_no_secret_by_its_shape() -> None:
    out = io.StringIO()
    Log(out).write("failed", reason="password=hunter2x")
    Log(out).say("error", "https://hooks.slack.com/services/T000/B000/hunter2x")
    assert "hunter2x" not in out.getvalue()


_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/slack-AbCdEf"


def fault_of(code: str, message: str = "") -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message + CANARY}}


@pytest.mark.parametrize(
    ("name", "fault", "said", "hint"),
    [
        ("orders/slack", fault_of("AccessDeniedException"), "secret orders/slack cannot be read: AccessDeniedException", "allow secretsmanager:GetSecretValue"),
        ("orders/slack", fault_of("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
         "secret orders/slack is not there", "aws secretsmanager create-secret --name orders/slack "),
        (_ARN, fault_of("ResourceNotFoundException"), "secret orders/slack-AbCdEf in 111122223333/eu-west-1 is not there", "create-secret --name orders/slack "),
        ("orders/slack", fault_of("ResourceNotFoundException", "can't find the specified secret value for staging label: AWSCURRENT"),
         "secret orders/slack has no value", "put-secret-value --secret-id orders/slack "),
        ("orders/slack", fault_of("InvalidRequestException", "because it was marked for deletion."), "secret orders/slack is to be deleted", "restore-secret"),
        ("orders/slack", None, "secret orders/slack cannot be read: EndpointConnectionError", "can this machine reach"),
    ],
)  # fmt: skip
def test_r3_secrets_manager_is_told_by_its_code_and_the_remedy_is_the_right_one(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: Any, said: str, hint: str
) -> None:
    import boto3.session
    from botocore.exceptions import ClientError, EndpointConnectionError

    class Client:
        def get_secret_value(self, **_: str) -> None:
            raise (
                ClientError(fault, "GetSecretValue")
                if fault
                else EndpointConnectionError(endpoint_url=CANARY)
            )

    monkeypatch.setattr(boto3.session.Session, "client", lambda *_, **__: Client())
    with pytest.raises(EnvironmentFault) as caught:
        addresses.read_secret(name)
    assert caught.value.message.startswith(said)
    assert hint in caught.value.hint
    assert ("GetSecretValue" in caught.value.hint) == (said.endswith("AccessDeniedException"))
    assert CANARY not in str(caught.value)
    # As the log and the command show it.
    assert redact_text(str(caught.value)) == str(caught.value)
