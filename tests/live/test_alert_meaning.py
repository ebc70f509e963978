"""Every kind of alert means on Prometheus what the language says, by promtool: births, restarts, gaps, every policy."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from orders_obs.alerts import load
from orders_obs.alerts.compile import prometheus, promtool
from orders_obs.signals import SIGNALS, Count, Level, Share
from orders_obs.signals.promql import le_literal

Program = Callable[[str], Path]

HEAD = """\
catalogue: 1
service: shop
severities: {critical: {}}
environments: {test: {}}
alerts:
"""
M_OF_N = ("1 of 1", "2 of 2", "2 of 3")
POLICIES = ("ok", "breach", "keep", "unknown")


def every_kind() -> str:
    """A catalogue with each signal, on both sides, with each policy, and with several M of N."""
    lines = [HEAD]
    for name, signal in SIGNALS.items():
        if isinstance(signal, Level):
            continue
        count = isinstance(signal, Count)
        unit = signal.events.instrument.unit.strip("{}") + "s" if isinstance(signal, Count) else ""
        slower = "slower_than: 1s, " if isinstance(signal, Share) else ""
        for side in ("above", "below"):
            for policy in POLICIES:
                for index, m_of_n in enumerate(M_OF_N):
                    bound = f"7 {unit}" if count else ("5%", "40%", "99.5%")[index]
                    lines += [
                        f"  {name}_{side}_{policy}_{index}:\n",
                        f"    signal: {name}\n",
                        f"    when_missing: {policy}\n",
                        "" if count else "    minimum: 20 requests\n",
                        f"    critical: {{{slower}{side}: {bound}, over: 3m, breaching: {m_of_n}}}\n",
                    ]
    return "".join(lines)


def test_each_kind_of_alert_fires_and_is_over_when_the_plain_sample_rule_says(
    program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(every_kind())
    resolved = load(path).resolve("test")
    assert len(resolved.alerts) > 100
    (tmp_path / "rules.yml").write_text(prometheus.render(prometheus.compile_rules(resolved)))
    (tmp_path / "test.yml").write_text(promtool.render(resolved, "rules.yml"))
    subprocess.run([program("promtool"), "check", "rules", tmp_path / "rules.yml"], check=True, timeout=60)
    assert judge(program, tmp_path / "test.yml") == ""
