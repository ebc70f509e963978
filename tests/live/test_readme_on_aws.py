"""The commands of the README that talk to AWS, one after the other, against the emulator."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.live.conftest import ROOT
from tests.live.emulator import Emulator

(BLOCK,) = re.findall(r"```sh aws\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
COMMANDS = [line.partition("#")[0].strip() for line in BLOCK.splitlines()]


def test_the_commands_of_the_readme_lead_from_an_audit_to_a_record(
    emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "alerts").mkdir()
    for file in (ROOT / "alerts").iterdir():
        (tmp_path / "alerts" / file.name).write_bytes(file.read_bytes())
    emulator.client("secretsmanager").create_secret(
        Name="orders/pagerduty-url", SecretString="https://events.pagerduty.com/integration/x/enqueue"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= emulator.environment() | {"AWS_MAX_ATTEMPTS": "1"}
    said = {}
    for command in COMMANDS:
        words = [sys.executable, "-m", "orders_obs", *shlex.split(command)[1:]]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        # 1 is what a check found: here that no function is there to be invoked, and that the emulator keeps no wall-clock window.
        assert done.returncode in (0, 1), (command, done.stderr[-2000:])
        said[shlex.split(command)[2]] = done.stdout
    assert (tmp_path / "audit.html").stat().st_size > 1000
    alarms = emulator.client("cloudwatch").describe_alarms(AlarmNamePrefix="orders-api-production-")
    assert len(alarms["MetricAlarms"]) > 20
    assert "arn:aws:iam::111122223333:root" in said["record"]
    assert "orders-api-production-backup_absent-warning" in said["drift"]
