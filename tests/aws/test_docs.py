"""The page on resources is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from orders_obs.alerts import load
from orders_obs.aws import resolve
from orders_obs.aws.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/resources.md").read_text()


def test_it_has_every_kind_with_its_type_and_its_action() -> None:
    for placeholder, kind in KINDS.items():
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{placeholder}`")]
        assert f"`{kind.service}:{kind.type}`" in row
        assert f"`{kind.action}`" in row


def test_it_has_every_state_and_every_finding() -> None:
    assert set(re.findall(r"^\| `([a-z ]+)` \| (?!`)", TEXT, re.MULTILINE)) == set(get_args(resolve.State))
    rules = set(re.findall(r'"(resource-[a-z-]+)"', Path(resolve.__file__).read_text()))
    assert set(re.findall(r"^\| `(resource-[a-z-]+)`", TEXT, re.MULTILINE)) == rules


def test_its_catalogue_can_be_read(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        f"catalogue: 1\nservice: orders-api\nseverities: {{critical: {{topic: t}}}}\nalerts: {{}}\n{text}"
    )
    environment = load(path).resolve("production").environment
    assert set(environment.lookups) == {"load_balancer", "db_instance", "target_group"}
    resolve.check_lookups(environment)
