"""What the command says reaches the reader: the filter for secrets takes no word of ours for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from orders_obs.cli import main
from tests.dashboards.grafana_server.server import Grafana
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]


def test_a_token_that_grafana_does_not_take_is_said_in_full(
    site13: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", "anotherOne")
    assert main(["dashboards", "publish", "--targets", str(site13.targets)]) == 3
    said = capsys.readouterr().err
    assert "Grafana does not take the token (GET /api/user: 401 Invalid API key)" in said
    assert "[REDACTED]" not in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("token: plain", "must not hold the secret itself; name where it is: {env: NAME}, or `secret` in place of"),
        ("token: {}", "NAME#KEY for a member of a JSON object"),
        ("token: {vault: x}", "`token` names no place"),
        ("token: {secret: ''}", "`secret` is empty"),
        ("datasources: {p: {url: 'http://p', jsonData: {token: 3x}}}", "`token` is a secret, and jsonData is readable"),
        ("folder: {uid: a, title: glsa_0123456789abcdefghij0123}", "take it out and renew it; name where it is: {env: NAME}"),
        ("token: {env: NONE_SUCH}", "the environment variable NONE_SUCH is empty"),
    ],
)  # fmt: skip
def test_where_a_secret_belongs_is_said_in_full(
    tmp_path: Path, capsys: Capture, line: str, said: str
) -> None:
    site = Site(tmp_path / "d", "http://127.0.0.1:9", more=f"    {line}\n")
    site.dashboard()
    assert main(["dashboards", "publish", "--targets", str(site.targets)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "[REDACTED]" not in err


def test_a_secret_that_a_file_cannot_name_is_named_in_the_message(tmp_path: Path, capsys: Capture) -> None:
    site = Site(tmp_path / "d", "https://grafana.example.com", more=(
        "    datasources: {prometheus: {url: 'http://p', secureJsonData: {password: {secret: 'prom#key'}}}}\n"
    ))  # fmt: skip
    words = ["--targets", str(site.targets), "--target", "test", "-o", str(tmp_path / "out")]
    assert main(["dashboards", "provision", *words]) == 2
    assert "password is in secret prom#key, which Grafana's files cannot name" in capsys.readouterr().err


def test_the_name_of_a_secret_that_is_sent_is_shown(
    grafana13: Grafana, site13: Site, capsys: Capture
) -> None:
    site13.settings(
        f"    url: {grafana13.url}\n    datasources: {{prometheus: {{url: 'http://p', secureJsonData: {{password: {{env: P}}}}}}}}\n"
    )
    assert main(["dashboards", "publish", "--targets", str(site13.targets), "--dry-run"]) == 0
    assert "sends password (its value is never shown)" in capsys.readouterr().out
