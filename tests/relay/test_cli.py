"""`orders-obs relay`: a check that shows no address, a server that stops well, a zip that runs by itself."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from orders_obs.errors import EnvironmentFault, UserError
from orders_obs.relay import package
from orders_obs.relay.cli import register
from tests.relay.receivers import CANARY, receiving
from tests.relay.sns import ALARM, TOPIC, WARNINGS, notification, record

ROOT = Path(__file__).resolve().parents[2]
HOOK = f"https://hooks.slack.com/services/T000/B000/{CANARY}"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    args = parser.parse_args(["relay", *words])
    code: int = args.run(args)
    return code


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_OBS_RELAY_TOPICS", TOPIC)
    monkeypatch.setenv("ORDERS_OBS_RELAY_SLACK_WEBHOOK", HOOK)


def test_the_check_names_topics_and_receivers_and_shows_no_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--check") == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"topic     {TOPIC}",
        "receiver  slack (env:ORDERS_OBS_RELAY_SLACK_WEBHOOK): ok",
    ]
    assert CANARY not in captured.out + captured.err
    assert run("--check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["topics"] == [TOPIC]


def test_the_check_fails_where_an_address_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERS_OBS_RELAY_SLACK_WEBHOOK", f"http://example.com/{CANARY}")
    with pytest.raises(EnvironmentFault, match="cannot tell slack") as caught:
        run("--check")
    captured = capsys.readouterr()
    assert "is not https" in captured.out
    assert CANARY not in captured.out + captured.err + str(caught.value)


def test_an_emulator_that_is_trusted_is_said_loudly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERS_OBS_RELAY_EMULATOR", "http://127.0.0.1:4566")
    assert run("--check") == 0
    assert "WARNING: http://127.0.0.1:4566 is trusted as SNS is" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(UserError, match="--port"):
        run("--port", port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_starts_answers_and_stops_by_a_signal(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "orders_obs", "relay", "--port", "0"],
        cwd=ROOT,
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("listening on "):
                break
        url = said[-1].split()[2].rstrip(":")
        assert httpx.get(f"{url}/health").status_code == 200
        assert httpx.post(url, json=notification(topic=WARNINGS)).status_code == 403
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert json.loads(out)["event"] == "refused"
    assert err == "stopped\n"
    assert CANARY not in "".join(said) + out + err


def test_the_command_and_the_handler_are_light() -> None:
    program = (
        "import sys, argparse, orders_obs.relay.cli as c, orders_obs.relay.handler;"
        "c.register(argparse.ArgumentParser().add_subparsers());"
        "print([m for m in ('boto3', 'botocore', 'cryptography', 'yaml', 'structlog', 'orders_obs.alerts', 'orders_obs.aws',"
        " 'orders_obs.telemetry', 'http.server') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_the_package_is_the_same_each_time_and_lists_what_is_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    assert run("package", "-o", str(first), "--dry-run") == 0
    assert not first.exists()
    assert run("package", "-o", str(first)) == 0
    os.utime(ROOT / "orders_obs/relay/handler.py")
    assert run("package", "-o", str(second)) == 0
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    listed = capsys.readouterr().out.splitlines()
    assert zipfile.ZipFile(first).namelist() * 3 == listed
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        run("package", "-o", str(tmp_path))


# Without site-packages, the environment's paths and the checkout: what Lambda's runtime has beside boto3.
ISOLATED = """\
import json, sys
sys.path.insert(0, {folder!r})
from orders_obs.relay.handler import lambda_handler
class Context:
    def get_remaining_time_in_millis(self): return 10_000
print(lambda_handler(json.loads({event!r}), Context()), file=sys.stderr)
print([m for m in sys.modules if m.partition(".")[0] in ("boto3", "cryptography", "structlog", "opentelemetry")], file=sys.stderr)
"""


def test_the_package_tells_an_alarm_with_nothing_but_the_standard_library(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(package.build())).extractall(tmp_path / "function")
    event = json.dumps({"Records": [record(notification(ALARM))]})
    program = ISOLATED.format(folder=str(tmp_path / "function"), event=event)
    with receiving() as slack:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program],
            cwd=tmp_path,
            env={"ORDERS_OBS_RELAY_TOPICS": TOPIC, "ORDERS_OBS_RELAY_SLACK_WEBHOOK": slack.url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == "{'delivered': 1, 'dropped': 0}\n[]\n"
        assert len(slack.got) == 1
    assert CANARY not in done.stdout


def made(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run("template", *words) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


BASIC = ("--env-name", "production", "--topic", TOPIC, "--topic", WARNINGS)


def test_the_settings_of_the_template_are_those_that_the_words_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    template = made(
        capsys, "--engine", "cloudformation", *BASIC, "--secret", "orders/slack", "--secret",
        "orders-critical-production=orders/slack-critical#url", "--webhook-secret", "orders/hook", "--log-group", "/orders/api/production",
        "--runbook-base", "https://wiki.example.com/",
    )  # fmt: skip
    assert template["Resources"]["Function"]["Properties"]["Environment"]["Variables"] == {
        "ORDERS_OBS_RELAY_TOPICS": f"{TOPIC},{WARNINGS}",
        "ORDERS_OBS_RELAY_SLACK_SECRET": "orders/slack",
        "ORDERS_OBS_RELAY_WEBHOOK_SECRET": "orders/hook",
        "ORDERS_OBS_RELAY_ROUTES": '{"orders-critical-production": {"slack": "secret:orders/slack-critical#url"}}',
        "ORDERS_OBS_RELAY_LOG_GROUPS": "/orders/api/production",
        "ORDERS_OBS_RELAY_RUNBOOK_BASE": "https://wiki.example.com/",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--topic", "orders"), "^--topic: must be ARNs of topics"),
        (("--topic", TOPIC), "nobody is told of orders-critical-production: set --secret, or a route"),
        (("--topic", TOPIC, "--secret", HOOK), "^--secret: .* never the address itself"),
        (("--topic", TOPIC, "--webhook-secret", HOOK), "^--webhook-secret: .* never the address itself"),
        (("--topic", TOPIC, "--secret", "a", "--log-group", "a?"), "^--log-group: must be"),
        (("--topic", TOPIC, "--secret", "a", "--runbook-base", "wiki"), "^--runbook-base: must be"),
        (("--topic", TOPIC, "--secret", "a", "--secret", "b"), "two secrets are for all topics"),
        (("--topic", WARNINGS, "--secret", "a"), "where do alarms on the relay itself go"),
        (
            ("--topic", TOPIC, "--topic", TOPIC.replace("eu-west-1", "us-east-1"), "--secret", "a"),
            "not all of one account",
        ),
        (("--topic", TOPIC, "--secret", "a", "--alarms-topic", "x"), "--alarms-topic"),
        (("--topic", TOPIC, "--secret", "a", "--kms-key", "alias/x"), "--kms-key"),
        (("--topic", TOPIC, "--secret", "a", "--name", "a b"), "cannot be the name"),
        (("--topic", TOPIC, "--secret", "a", "--concurrency", "-1"), "--concurrency"),
    ],
)
def test_a_template_that_could_not_work_is_not_made(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        run("template", "--engine", "terraform", "--env-name", "production", *words)
    assert CANARY not in str(caught.value)
    assert "ORDERS_OBS_RELAY" not in str(caught.value)


def test_an_account_with_few_instances_can_do_without_reserved_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("--engine", "cloudformation", *BASIC, "--secret", "a")
    reserved = "ReservedConcurrentExecutions"
    assert made(capsys, *words)["Resources"]["Function"]["Properties"][reserved] == 5
    assert reserved not in made(capsys, *words, "--concurrency", "0")["Resources"]["Function"]["Properties"]


def test_a_template_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "relay.json"
    assert run("template", "--engine", "terraform", *BASIC, "--secret", "a", "-o", str(path)) == 0
    assert json.loads(path.read_text())["resource"]
    assert capsys.readouterr().out == ""
