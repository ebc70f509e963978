"""The built dashboards against the types that the newest Grafana publishes, by its own compiler; and that judge itself."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orders_obs.errors import EnvironmentFault
from tests.dashboards.typescript import check as judge
from tests.dashboards.typescript.check import check_all

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dashboards").glob("*.json"))

Dashboard = dict[str, Any]


def judged(documents: dict[str, Dashboard], workdir: Path) -> dict[str, list[str]]:
    try:
        return check_all(documents, workdir)
    except EnvironmentFault as fault:
        reason = f"{fault}; {fault.hint}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def test_every_dashboard_fits_the_types_of_the_newest_grafana(tmp_path: Path) -> None:
    documents = {path.name: json.loads(path.read_text()) for path in FILES}
    assert judged(documents, tmp_path) == {name: [] for name in documents}


MISTAKES: dict[str, tuple[Callable[[Dashboard], None], str]] = {
    "an unknown key of the dashboard": (lambda d: d.update(gnetID=1), "dashboard"),
    "a word that is no cursor mode": (lambda d: d.update(graphTooltip="shared"), "dashboard"),
    "an unknown key of a panel": (lambda d: d["panels"][0].update(span=4), "timeseries Request rate"),
    "a text for a number of the grid": (
        lambda d: d["panels"][0]["gridPos"].update(w="8"),
        "timeseries Request rate",
    ),
    "an unknown option": (
        lambda d: d["panels"][0]["options"].update(stack=True),
        "timeseries Request rate: options",
    ),
    "an option that is no choice": (
        lambda d: d["panels"][0]["options"]["tooltip"].update(mode="all"),
        "timeseries Request rate: options",
    ),
    "an unknown field option": (
        lambda d: d["panels"][0]["fieldConfig"]["defaults"]["custom"].update(lineFill=1),
        "timeseries Request rate: fields",
    ),
    "a draw style that is none": (
        lambda d: d["panels"][0]["fieldConfig"]["defaults"]["custom"].update(drawStyle="area"),
        "timeseries Request rate: fields",
    ),
    "a threshold that is a text": (
        lambda d: d["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(value="null"),
        "timeseries Request rate",
    ),
    "a variable that refreshes by a word": (
        lambda d: d["templating"]["list"][1].update(refresh="often"),
        "dashboard",
    ),
    "an annotation without a name": (
        lambda d: d["annotations"]["list"][1].update(name=None),
        "annotation None",
    ),
    "a CloudWatch query of an unknown mode": (
        lambda d: d["panels"][6]["targets"][0].update(queryMode="Metric"),
        "timeseries ECS task count",
    ),
}


def test_the_judge_finds_each_mistake_where_it_stands(tmp_path: Path) -> None:
    good = json.loads((ROOT / "dashboards/orders-api-production-aws.json").read_text())
    documents = {}
    for name, (mistake, _) in MISTAKES.items():
        documents[name] = copy.deepcopy(good)
        mistake(documents[name])
    found = judged(documents, tmp_path)
    for name, (_, place) in MISTAKES.items():
        assert [said for said in found[name] if said.startswith(place)], f"{name}: {found[name]}"


@pytest.mark.parametrize(("installed", "there"), [({}, "nothing"), ({"version": "0.0.1"}, "0.0.1")])
def test_without_the_types_of_the_lock_it_says_how_to_get_them(
    installed: dict[str, str], there: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": {"@some/schema": "1.2.3"}}))
    if installed:
        manifest = tmp_path / "node_modules/@some/schema/package.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(json.dumps(installed))
    monkeypatch.setattr(judge, "_HERE", tmp_path)
    with pytest.raises(EnvironmentFault, match=rf"1\.2\.3, and found {there}; run `make grafana-types`"):
        check_all({}, tmp_path)


def test_the_lock_names_no_place_to_fetch_from() -> None:
    lock = json.loads((Path(judge.__file__).parent / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/@grafana/schema"]["integrity"].startswith("sha512-")
    assert not any("resolved" in package for package in lock["packages"].values())
