"""The settings file of publishing: which Grafana servers there are, and what goes to each; no secret ever stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from urllib.parse import urlsplit

from orders_obs.errors import UserError
from orders_obs.redact import is_secret_name, redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.alerts.nodes import Node

__all__ = [
    "DEFAULT_FILE",
    "TARGET_KEYS",
    "DataSource",
    "Folder",
    "SecretSource",
    "Settings",
    "Target",
    "read_settings",
]

DEFAULT_FILE = Path("dashboards/targets.yaml")

Api = Literal["auto", "legacy", "apis"]

_EXAMPLE = "such as\n  publish: 1\n  set: orders-api\n  targets:\n    local: {url: http://127.0.0.1:3000}"
# In words that redaction leaves as they are.
_PLACE = (
    "name where it is: {env: NAME}, or `secret` in place of `env` for the name of one in AWS Secrets Manager"
)
# With its prefix it is a tag, and the column of dashboards' tags is 50 characters wide (grafana/grafana, dashboard_tag.term).
_SET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}")
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
TARGET_KEYS = (
    "url", "token", "org", "namespace", "folder", "api", "datasources", "editable", "environment", "dashboards", "ca",
    "allow_http",
)  # fmt: skip
"""What a target may have."""
_SOURCE_KEYS = (
    "uid", "type", "name", "url", "access", "user", "database", "basicAuth", "basicAuthUser", "isDefault", "jsonData",
    "secureJsonData",
)  # fmt: skip
# What the HTTP API takes as they are, by the type that it wants.
_TEXTS = ("url", "access", "user", "database", "basicAuthUser")
_FLAGS = ("basicAuth", "isDefault")


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret is.

    Attributes:
        store: `env` for an environment variable, `secret` for AWS Secrets Manager.
        name: Of the variable or the secret.
        key: For a secret that is a JSON object: its member.
    """

    store: Literal["env", "secret"]
    name: str
    key: str = ""

    def __str__(self) -> str:
        # Without a colon: what follows `secret:` is taken for one.
        return f"{self.store} {self.name}{f'#{self.key}' if self.key else ''}"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder that dashboards go to."""

    uid: str
    title: str


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data source of a target.

    Attributes:
        key: The uid that the built dashboards name.
        uid: Its uid at the target.
        type: Its plugin, such as `prometheus`.
        name: Its name; empty where the target's own stays, and a new one is named as the key.
        settings: What publishing sees to, as the HTTP API names it; empty where it only uses the data source.
        secure: Its secrets by the name of the field.
    """

    key: str
    uid: str
    type: str
    name: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    secure: dict[str, SecretSource] = field(default_factory=dict)

    @property
    def managed(self) -> bool:
        """Whether publishing creates and updates it."""
        return bool(self.settings)


@dataclass(frozen=True, slots=True)
class Target:
    """A Grafana server and organization, and what goes to it.

    Attributes:
        name: Of the target.
        url: Its address without a slash at its end.
        token: Where the service account's token is.
        org: The organization that the token must be of.
        namespace: Of the `/apis` paths.
        folder: Where dashboards go; None for the top.
        api: Which API is used; `auto` asks the server.
        datasources: By the uid that the built dashboards name.
        editable: Whether people may change the dashboards in Grafana.
        environment: Of the annotations; empty for none.
        dashboards: Names of the files that go there; every one when empty.
        ca: Certificates to trust in place of the system's.
        file: The settings file.
        line: Of the target in it.
    """

    name: str
    url: str
    token: SecretSource
    org: int = 1
    namespace: str = "default"
    folder: Folder | None = None
    api: Api = "auto"
    datasources: dict[str, DataSource] = field(default_factory=dict)
    editable: bool = True
    environment: str = ""
    dashboards: tuple[str, ...] = ()
    ca: Path | None = None
    file: Path = DEFAULT_FILE
    line: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings file.

    Attributes:
        set: The name under which the dashboards are published: who has it owns them.
        targets: By name.
        file: The file.
    """

    set: str
    targets: Mapping[str, Target]
    file: Path

    def target(self, name: str) -> Target:
        """The target of that name; the only one where the name is empty.

        Raises:
            UserError: There is none, or one must be named.
        """
        known = ", ".join(self.targets)
        if not name:
            if len(self.targets) == 1:
                return next(iter(self.targets.values()))
            raise UserError(
                "there are several targets", hint=f"name one with --target: {known}", file=self.file
            )
        if name not in self.targets:
            raise UserError(f"target {name} is not known", hint=f"there are {known}", file=self.file)
        return self.targets[name]


def read_settings(path: Path) -> Settings:
    """The settings file.

    Raises:
        UserError: It cannot be read, is wrong, or holds a secret.
    """
    from orders_obs.alerts.nodes import Node, compose, read_text

    if not path.is_file():
        raise UserError("is not there", hint=f"{_EXAMPLE}\nand beside it the dashboards", file=path)
    root = compose(read_text(path), path)
    if root is None:
        raise UserError("is empty", hint=_EXAMPLE, file=path)
    node = Node(path, root, "the file")
    _refuse_secrets(node)
    top = node.mapping(("publish", "set", "targets"))
    if "publish" not in top or top["publish"].text() != "1":
        raise UserError("is no settings file of publishing", hint="it begins with `publish: 1`", file=path)
    if "set" not in top:
        raise UserError(
            "names no set", hint="such as `set: orders-api`: the name that owns the dashboards", file=path
        )
    name = top["set"].text()
    if not _SET.fullmatch(name):
        top["set"].fail(f"{name!r} is no name of a set", "up to 39 letters, digits, _ and -")
    if "targets" not in top:
        raise UserError("has no targets", hint=_EXAMPLE, file=path)
    targets = {key: _target(key, value) for key, value in top["targets"].mapping().items()}
    if not targets:
        top["targets"].fail("holds no target")
    return Settings(name, targets, path)


def _target(name: str, node: Node) -> Target:
    values = node.mapping(TARGET_KEYS)
    if "url" not in values:
        node.fail("has no url", "such as https://grafana.example.com")
    url = _url(values["url"], allow_http="allow_http" in values and values["allow_http"].flag())
    org = _number(values["org"]) if "org" in values else 1
    api = values["api"].text() if "api" in values else "auto"
    if api not in ("auto", "legacy", "apis"):
        values["api"].fail(f"{api!r} is no API", "auto, legacy or apis")
    ca = values["ca"].source.file.parent / values["ca"].text() if "ca" in values else None
    return Target(
        name=name,
        url=url,
        token=_secret(values["token"]) if "token" in values else SecretSource("env", "GRAFANA_TOKEN"),
        org=org,
        namespace=values["namespace"].text() if "namespace" in values else _namespace(org),
        folder=_folder(values["folder"]) if "folder" in values else None,
        api=api,  # type: ignore[arg-type]  # one of the three, as was seen above
        datasources={key: _datasource(key, value) for key, value in values["datasources"].mapping().items()}
        if "datasources" in values
        else {},
        editable="editable" not in values or values["editable"].flag(),
        environment=values["environment"].text() if "environment" in values else "",
        dashboards=tuple(item.text() for item in values["dashboards"].sequence())
        if "dashboards" in values
        else (),
        ca=ca,
        file=node.source.file,
        line=node.source.line,
    )


def _namespace(org: int) -> str:
    """Grafana's documentation of the `/apis` paths: `default` is organization 1, else `org-ID`."""
    return "default" if org == 1 else f"org-{org}"


def _number(node: Node) -> int:
    text = node.text()
    if not text.isdigit() or not 0 < int(text) < 2**31:
        node.fail(f"{text!r} is no number of an organization")
    return int(text)


def _url(node: Node, *, allow_http: bool) -> str:
    text = node.text().rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        node.fail("is no address", "such as https://grafana.example.com")
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not text.isascii()
        or not text.isprintable()
        or " " in text
    ):
        node.fail("is no address", "such as https://grafana.example.com")
    if "@" in parts.netloc or parts.query or parts.fragment:
        node.fail("must be a plain address", "without a user, a query and a fragment")
    if parts.scheme == "http" and host not in _LOOPBACK and not allow_http:
        node.fail(
            "would send the token over the network unencrypted",
            "take https, or say `allow_http: true` where the network is your own",
        )
    return text


def _folder(node: Node) -> Folder:
    values = node.mapping(("uid", "title"))
    if "uid" not in values or "title" not in values:
        node.fail("needs uid and title", "such as {uid: orders, title: Orders}")
    return Folder(_uid(values["uid"]), values["title"].text())


def _uid(node: Node) -> str:
    text = node.text()
    if not _UID.fullmatch(text):
        node.fail(f"{text!r} is no uid", "up to 40 letters, digits, _ and -")
    return text


def _datasource(key: str, node: Node) -> DataSource:
    values = node.mapping(_SOURCE_KEYS)
    settings: dict[str, Any] = {name: values[name].text() for name in _TEXTS if name in values}
    settings |= {name: values[name].flag() for name in _FLAGS if name in values}
    if "jsonData" in values:
        settings["jsonData"] = _json_data(values["jsonData"])
    secure = (
        {name: _secret(value) for name, value in values["secureJsonData"].mapping().items()}
        if "secureJsonData" in values
        else {}
    )
    if secure and not settings:
        node.fail("has secrets and nothing else", "name its url, or leave the secrets out")
    return DataSource(
        key=key,
        uid=_uid(values["uid"]) if "uid" in values else key,
        type=values["type"].text() if "type" in values else key,
        name=values["name"].text() if "name" in values else "",
        settings=settings,
        secure=secure,
    )


def _json_data(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = node.data()
    for name, value in node.mapping().items():
        if _holds_secret(value.data(), name):
            _fail(value, "is a secret, and jsonData is readable by everybody", "name it under secureJsonData")
    return found


def _holds_secret(value: Any, name: str) -> bool:
    """Whether a text stands under the name of a secret, however deep."""
    if isinstance(value, dict):
        return any(_holds_secret(entry, str(key)) for key, entry in value.items())
    if isinstance(value, list):
        return any(_holds_secret(entry, name) for entry in value)
    return isinstance(value, str) and is_secret_name(name)


def _fail(node: Node, message: str, hint: str) -> NoReturn:
    """As the node's own, without the colon behind the name: what follows `token:` is taken for a secret."""
    raise UserError(f"`{node.name}` {message}", hint=hint, file=node.source.file, line=node.source.line)


def _secret(node: Node) -> SecretSource:
    if not node.is_mapping:
        _fail(node, "must not hold the secret itself", _PLACE)
    values = node.mapping()
    if len(values) != 1 or not {"env", "secret"} & set(values):
        _fail(node, "names no place", f"{_PLACE}, NAME#KEY for a member of a JSON object")
    store, value = next(iter(values.items()))
    name, _, key = value.text().partition("#")
    if not name:
        _fail(value, "is empty", _PLACE)
    return SecretSource("env" if store == "env" else "secret", name, key if store == "secret" else "")


def _refuse_secrets(node: Node) -> None:
    """Refuse a file that holds something of the shape of a secret, wherever; it is not repeated."""
    import yaml

    work: list[yaml.Node] = [node._node]  # noqa: SLF001  # the tree as it is, whatever its keys
    while work:
        part = work.pop()
        if isinstance(part, yaml.ScalarNode):
            if redact_text(str(part.value)) != str(part.value):
                raise UserError(
                    "a secret stands in the file",
                    hint=f"take it out and renew it; {_PLACE}",
                    file=node.source.file,
                    line=part.start_mark.line + 1,
                )
        elif isinstance(part, yaml.MappingNode):
            work += [value for pair in part.value for value in pair]
        elif isinstance(part, yaml.SequenceNode):
            work += part.value
