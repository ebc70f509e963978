"""The pages on resources and on plan and apply are true."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import ModuleType
from typing import get_args

from orders_obs.alerts import load
from orders_obs.aws import guards, plan, resolve
from orders_obs.aws.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/resources.md").read_text()
APPLY = (ROOT / "docs/apply.md").read_text()
BUILT = {"{found.kind}-in-use": {"topic-in-use", "rule-in-use"}}
"""Rules whose names are put together, and what they come to."""


def rules_of(module: ModuleType) -> set[str]:
    """The rules of all findings that a module can make, read off its calls; a name that is put together as it is written."""
    tree = ast.parse(Path(module.__file__ or "").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [call for call in calls if ast.unparse(call.func) in ("Finding", "_finding")]
    found = set()
    for call in made:
        text = ast.unparse(call.args[0])
        found |= BUILT.get(text[2:-1], set()) if text.startswith("f") else {text.strip("'")}
    return found - {"rule"}


def test_every_rule_by_which_a_plan_is_refused_is_in_the_table_and_no_other() -> None:
    table = APPLY.partition("## What is refused")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    rules = rules_of(plan) | rules_of(guards)
    assert {"not-ours", "topic-in-use", "rule-in-use", "call-refused", "deletions-many"} <= rules
    assert {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)} == rules


def test_what_the_guards_let_through_is_said() -> None:
    for allowed in guards.ALLOWED:
        assert f"`--allow {allowed}`" in APPLY


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
