from __future__ import annotations

from pathlib import Path

import pytest

from orders_obs.dashboards.publishing import tokens
from orders_obs.dashboards.publishing.targets import DEFAULT_FILE, TARGET_KEYS, SecretSource, read_settings
from orders_obs.errors import EnvironmentFault, UserError

ROOT = Path(__file__).resolve().parents[3]
HEAD = "publish: 1\nset: shop\ntargets:\n"
FULL = """\
publish: 1
set: orders-api
targets:
  local:
    url: http://127.0.0.1:3000/
  staging:
    url: https://grafana.example.com/grafana
    token: {secret: grafana/staging#token}
    org: 3
    folder: {uid: orders, title: Orders}
    api: legacy
    editable: false
    environment: staging
    dashboards: [orders-api-production]
    ca: ca.pem
    datasources:
      prometheus:
        uid: amp-staging
        url: https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1
        jsonData: {sigV4Auth: true, sigV4AuthType: default, sigV4Region: eu-west-1}
        secureJsonData: {password: {env: DB_PASSWORD}}
      jaeger: {uid: shared-jaeger}
  cloud: {url: https://shop.grafana.net, namespace: stacks-42}
"""


def _read(tmp_path: Path, text: str) -> UserError:
    path = tmp_path / "targets.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_settings(path)
    return error.value


def test_one_file_holds_every_target(tmp_path: Path) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(FULL)
    settings = read_settings(path)
    assert settings.set == "orders-api"
    local, staging = settings.target("local"), settings.target("staging")
    assert (local.url, local.token, local.namespace, local.editable, local.api) == (
        "http://127.0.0.1:3000", SecretSource("env", "GRAFANA_TOKEN"), "default", True, "auto",
    )  # fmt: skip
    assert staging.token == SecretSource("secret", "grafana/staging", "token")
    assert (staging.org, staging.namespace, staging.editable, staging.ca) == (
        3,
        "org-3",
        False,
        tmp_path / "ca.pem",
    )
    amp, jaeger = staging.datasources["prometheus"], staging.datasources["jaeger"]
    assert (amp.uid, amp.type, amp.name, amp.managed) == ("amp-staging", "prometheus", "", True)
    assert amp.settings["jsonData"] == {
        "sigV4Auth": True,
        "sigV4AuthType": "default",
        "sigV4Region": "eu-west-1",
    }
    assert amp.secure == {"password": SecretSource("env", "DB_PASSWORD")}
    assert (jaeger.uid, jaeger.managed) == ("shared-jaeger", False)
    assert settings.target("cloud").namespace == "stacks-42"
    with pytest.raises(
        UserError, match="there are several targets; name one with --target: local, staging, cloud"
    ):
        settings.target("")
    with pytest.raises(UserError, match="target prod is not known"):
        settings.target("prod")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("  t: {url: ftp://x}", ":4: url: is no address"),
        ("  t: {url: https://user@x.example.com}", "must be a plain address"),
        ("  t: {url: http://grafana.example.com}", "would send the token over the network unencrypted"),
        ("  t: {}", "has no url"),
        ("  t: {url: https://x, api: v2}", "'v2' is no API; auto, legacy or apis"),
        ("  t: {url: https://x, org: 0}", "is no number of an organization"),
        ("  t: {url: https://x, folder: {uid: a b, title: X}}", "'a b' is no uid"),
        ("  t: {url: https://x, folder: {uid: a}}", "needs uid and title"),
        ("  t: {url: https://x, tokn: {env: A}}", "is not known in t"),
        ("  t: {url: https://x, token: {}}", "names no place"),
        ("  t: {url: https://x, token: {env: A, secret: B}}", "names no place"),
        (
            "  t: {url: https://x, datasources: {p: {secureJsonData: {password: {env: A}}}}}",
            "has secrets and nothing else",
        ),
    ],
)
def test_a_wrong_setting_is_one_error_with_its_line(tmp_path: Path, target: str, said: str) -> None:
    error = _read(tmp_path, HEAD + target + "\n")
    assert said in str(error)
    assert error.line == 4


def test_http_to_another_host_is_taken_when_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(HEAD + "  t: {url: http://grafana.internal, allow_http: true}\n")
    assert read_settings(path).target("t").url == "http://grafana.internal"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("set: x\n", "begins with `publish: 1`"),
        ("publish: 1\n", "names no set"),
        ("publish: 1\nset: a b\ntargets: {}\n", "is no name of a set"),
        ("publish: 1\nset: " + "x" * 40 + "\ntargets: {}\n", "is no name of a set"),
        ("publish: 1\nset: x\n", "has no targets"),
        ("publish: 1\nset: x\ntargets: {}\n", "holds no target"),
    ],
)
def test_a_file_that_is_no_settings_file_is_said(tmp_path: Path, text: str, said: str) -> None:
    assert said in str(_read(tmp_path, text))


def test_a_file_that_is_not_there_is_said_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there; such as"):
        read_settings(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "line",
    [
        "    token: hunter2-canary",
        "    token: glsa_canaryCanaryCanaryCanary0123456789ab_0badf00d",
        "    environment: glsa_canaryCanaryCanaryCanary0123456789ab_0badf00d",
        "    environment: https://user:hunter2-canary@grafana.example.com",
        "    datasources: {p: {url: 'http://p', secureJsonData: {password: hunter2-canary}}}",
        "    datasources: {p: {url: 'http://p', jsonData: {clientSecret: hunter2-canary}}}",
        "    datasources: {p: {url: 'http://p', jsonData: {azureCredentials: {clientSecret: hunter2-canary}}}}",
        "    datasources: {p: {url: 'http://p', jsonData: {a: [{b: {password: hunter2-canary}}]}}}",
        "    datasources: {p: {url: 'http://p', jsonData: {passwords: [hunter2-canary]}}}",
    ],
)
def test_a_secret_in_the_file_is_refused_with_its_line_and_not_repeated(tmp_path: Path, line: str) -> None:
    error = _read(tmp_path, f"{HEAD}  t:\n    url: https://grafana.example.com\n{line}\n")
    assert error.line == 6
    assert "canary" not in str(error)


def test_a_token_comes_from_the_environment_or_secrets_manager() -> None:
    assert tokens.read(SecretSource("env", "T"), "it", env={"T": " glsa_x \n"}) == "glsa_x"
    assert tokens.read(SecretSource("secret", "s"), "it", read_secret=lambda _: "plain") == "plain"
    assert tokens.read(SecretSource("secret", "s"), "it", read_secret=lambda _: '{"token": "one"}') == "one"
    read = '{"token": "one", "user": "two"}'
    assert tokens.read(SecretSource("secret", "s", "user"), "it", read_secret=lambda _: read) == "two"
    with pytest.raises(EnvironmentFault, match="is not found in secret s"):
        tokens.read(SecretSource("secret", "s"), "it", read_secret=lambda _: read)


@pytest.mark.parametrize("value", ["", "  ", "a\r\nX-Injected: canary", "tökén-canary"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(UserError) as error:
        tokens.read(SecretSource("env", "T"), "the token", env={"T": value})
    assert "canary" not in str(error.value)


def test_the_example_of_the_documentation_is_one_that_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs/publish.md").read_text()
    path = tmp_path / "targets.yaml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    settings = read_settings(path)
    assert list(settings.targets) == ["local", "staging", "production"]
    assert settings.target("production").token == SecretSource("secret", "grafana/production", "token")


def test_the_projects_settings_file_is_one_that_is_read() -> None:
    assert read_settings(ROOT / DEFAULT_FILE).target("").url == "http://127.0.0.1:3000"


def test_the_documentation_names_every_key_of_a_target() -> None:
    page = (ROOT / "docs/publish.md").read_text()
    assert [key for key in TARGET_KEYS if f"`{key}`" not in page and f"{key}:" not in page] == []
