from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from orders_obs.aws import session
from orders_obs.aws.session import Aws

ACCOUNT, REGION = "123456789012", "eu-west-1"
TEXT = """\
catalogue: 1
service: shop
severities:
  critical: {{page: true, topic: shop-critical}}
  warning: {{topic: shop-alerts}}
  info: {{log: true}}
environments:
  production:
    account: "123456789012"
    region: eu-west-1
    resources: {resources}
  staging:
    account: "123456789012"
    region: eu-west-1
    resources: {{cluster: {{tag: {{env: staging}}}}}}
include: [package:http-service, package:ecs-service, package:rds-postgres, package:elasticache]
alerts: {{}}
"""


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials of nobody, and no configuration but the test's own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-secret-of-this-test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def catalogue(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a catalogue whose production has these resources."""

    def write(resources: str) -> Path:
        path = tmp_path / "shop.yaml"
        path.write_text(TEXT.format(resources=resources))
        return path

    return write


@pytest.fixture
def moto() -> Iterator[Any]:
    """A session with an empty account that moto plays."""
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield boto3.session.Session(region_name=REGION)


class Stubs:
    """A session whose clients answer what the test says, in the shape that AWS's model has, and refuse everything else."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self._core = boto3.session.Session(region_name=REGION)
        self._stubbers: dict[str, Stubber] = {}
        self.answer(
            "sts", "get_caller_identity",
            {"Account": account, "Arn": f"arn:aws:sts::{account}:assumed-role/deploy/ci", "UserId": "AROAX:ci"},
        )  # fmt: skip

    def _stubber(self, service: str) -> Stubber:
        if service not in self._stubbers:
            self._stubbers[service] = Stubber(self._core.client(service))
            self._stubbers[service].activate()
        return self._stubbers[service]

    def client(self, service: str) -> Any:
        return self._stubber(service).client

    def answer(self, service: str, operation: str, response: dict[str, Any], **expected: Any) -> None:
        self._stubber(service).add_response(operation, response, expected or None)

    def refuse(self, service: str, operation: str, code: str, message: str = "no", status: int = 400) -> None:
        self._stubber(service).add_client_error(operation, code, message, status)


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Stubs:
    """Stubs in place of AWS, also for the command."""
    made = Stubs()
    monkeypatch.setattr(
        session, "connect", lambda region, profile="", *, policy="": Aws(made, region, policy=policy)
    )
    return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str, str]]]:
    """An endpoint on loopback that gives these answers (status, type, body), the last one for ever."""
    answers: list[tuple[int, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, kind, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{httpd.server_port}")
    yield answers
    httpd.shutdown()
    thread.join()
    httpd.server_close()
