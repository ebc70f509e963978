"""What goes wrong between here and AWS is said with the resource that it went wrong for."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.endpoint
import pytest

from orders_obs.aws.session import connect
from orders_obs.cli import main
from orders_obs.errors import EnvironmentFault
from tests.aws.conftest import Stubs

Write = Callable[[str], Path]
Answers = list[tuple[int, str, str]]

IDENTITY = (
    200,
    "text/xml",
    (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Arn>arn:aws:iam::123456789012:user/ci</Arn><UserId>AIDAX</UserId><Account>123456789012</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    ),
)
JSON = "application/x-amz-json-1.1"
PARAMETER = (
    200,
    JSON,
    (
        '{"Parameter": {"Name": "job", "Type": "String", "Value": "postgres",'
        ' "ARN": "arn:aws:ssm:eu-west-1:123456789012:parameter/job"}}'
    ),
)


def error(code: str) -> str:
    return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


def resolve(path: Path, *words: str) -> int:
    return main(["resolve", "--env", "production", "--catalogue", str(path), *words])


@pytest.fixture
def path(catalogue: Write) -> Path:
    return catalogue("{postgres_job: {ssm: job}}")


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _seconds: None)


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (
            "AccessDeniedException",
            400,
            [
                "no right to ssm:GetParameter: User is not authorized",
                "allow ssm:GetParameter to arn:aws:sts::123456789012:assumed-role/deploy/ci",
                "`orders-obs resolve --env production --print-policy` prints all that is needed",
            ],
        ),
        ("ExpiredTokenException", 400, ["the credentials have expired"]),
        ("UnrecognizedClientException", 400, ["AWS does not take the credentials (UnrecognizedClient)"]),
        ("ThrottlingException", 400, ["ssm:GetParameter was throttled"]),
        ("InternalFailure", 501, ["does not know ssm:GetParameter (HTTP 501, InternalFailure)", "emulator"]),
        ("UnknownOperationException", 400, ["does not know ssm:GetParameter"]),
        ("InternalServerError", 500, ["ssm:GetParameter failed: InternalServerError: User is not"]),
    ],
)
def test_a_refusal_names_the_resource_and_what_to_do(
    stubs: Stubs, path: Path, capsys: pytest.CaptureFixture[str], code: str, status: int, words: list[str]
) -> None:
    stubs.refuse("ssm", "get_parameter", code, "User is not authorized AKIAIOSFODNN7EXAMPLE", status)
    assert resolve(path) == 3
    err = capsys.readouterr().err
    assert f"{path}:11: postgres_job, by parameter job: " in err
    for word in words:
        assert word in err
    assert "AKIAIOSFODNN7EXAMPLE" not in err
    assert err.count("\n") == 1


def test_the_index_of_tags_has_its_own_prefix_of_actions(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue("{db_instance: {tag: {service: shop}}}")
    stubs.refuse("resourcegroupstaggingapi", "get_resources", "AccessDeniedException")
    assert resolve(path) == 3
    assert "no right to tag:GetResources" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, "text/xml", error("ExpiredToken")), "credentials: the credentials have expired"),
        ((403, "text/xml", error("InvalidClientTokenId")), "AWS does not take the credentials"),
        ((501, "text/xml", error("InternalFailure")), "does not know sts:GetCallerIdentity (HTTP 501"),
        ((404, "text/html", "<html>no</html>"), "does not know sts:GetCallerIdentity (HTTP 404"),
        ((200, "text/plain", "hello"), "is no answer of AWS"),
    ],
)
def test_what_the_endpoint_answers_is_understood(
    server: Answers, path: Path, capsys: pytest.CaptureFixture[str], answer: tuple[int, str, str], words: str
) -> None:
    server.append(answer)
    assert resolve(path) == 3
    err = capsys.readouterr().err
    assert words in err
    assert "the-secret-of-this-test" not in err


def test_what_is_throttled_is_tried_again(server: Answers, path: Path, tmp_path: Path) -> None:
    throttled = (400, JSON, '{"__type": "ThrottlingException", "message": "slow down"}')
    server += [IDENTITY, throttled, PARAMETER]
    assert resolve(path) == 0
    assert (tmp_path / "resources.lock.json").exists()


def test_the_sdks_setting_of_attempts_wins(
    server: Answers, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    throttled = (400, JSON, '{"__type": "ThrottlingException", "message": "slow down"}')
    server += [IDENTITY, throttled, throttled, PARAMETER]
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    assert resolve(path) == 3
    assert "was throttled, and again each time" in capsys.readouterr().err


def test_an_endpoint_that_nobody_answers_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    assert resolve(path) == 3
    assert f"http://127.0.0.1:{port} cannot be reached (EndpointConnectionError)" in capsys.readouterr().err


def test_an_endpoint_that_is_no_address_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    assert resolve(path) == 2
    assert "such as AWS_ENDPOINT_URL=http://127.0.0.1:4566" in capsys.readouterr().err


def test_no_credentials_are_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert resolve(path) == 3
    assert "name a profile with --profile" in capsys.readouterr().err
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert resolve(path) == 3
    assert "Unable to locate credentials; name a profile with --profile" in capsys.readouterr().err


def test_a_profile_that_is_not_there_is_wrong_input(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve(path, "--profile", "nobody") == 2
    assert "(nobody) could not be found; `aws configure list-profiles`" in capsys.readouterr().err
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert resolve(path) == 2


def test_a_profile_that_does_not_log_in_is_said(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").write_text(
        "[profile one]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\nregion = eu-west-1\n"
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.invalid/start\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve(path, "--profile", "one") == 3
    assert "log in anew (aws sso login)" in capsys.readouterr().err


def test_the_clients_of_a_session_say_who_asks(server: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    server.append(IDENTITY)
    aws = connect("eu-west-1")
    client: Any = aws._client("ssm", "")
    assert "orders-obs/" in client.meta.config.user_agent_extra
    assert client.meta.config.retries["mode"] == "adaptive"
    assert (aws.account, aws.partition, aws.arn("ssm", "parameter/x")) == (
        "123456789012",
        "aws",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/x",
    )


def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "boto3.session", None)
    with pytest.raises(EnvironmentFault, match=r"boto3 is not installed; pip install 'orders-obs\[aws\]'"):
        connect("eu-west-1")
