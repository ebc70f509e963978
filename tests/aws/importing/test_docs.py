"""The page on imports is true."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from orders_obs.aws.importing import cli
from tests.aws.importing.conftest import World
from tests.aws.importing.test_command import alarms_of

TEXT = (Path(__file__).resolve().parents[3] / "docs/import.md").read_text()


def test_it_has_every_option() -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    cli.register(commands)
    options = {option for action in commands.choices["import"]._actions for option in action.option_strings}
    table = TEXT[TEXT.index("| option |") : TEXT.index("Exit codes:")]
    assert {option for option in options if f"`{option}" not in table} == {
        "-h",
        "--help",
        "--env",
        "--output",
    }


def test_what_it_shows_is_what_is_written(world: World) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    world.alarm(
        AlarmDescription="CPU of the API",
        AlarmActions=["arn:aws:sns:eu-west-1:111122223333:orders-alerts-production"],
        TreatMissingData="notBreaching",
        Dimensions=[{"Name": "ClusterName", "Value": "orders"}, {"Name": "ServiceName", "Value": "api"}],
        tags={"team": "orders"},
    )
    catalogue = (
        world.path.read_text()
        .replace("shop-alerts", "orders-alerts")
        .replace("cluster: shop", "cluster: orders")
    )
    world.path.write_text(catalogue)
    target = world.folder / "imported.yaml"
    assert world.run("cpu-high", "-o", str(target)) == 0
    written = target.read_text()
    assert written[written.index("catalogue: 1") :] == text
    target.write_text(text)
    world.include()
    assert "cpu-high" in alarms_of(world.path)
