"""A connection to a target: which API it speaks, who the token is, and whether it is the organization that was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orders_obs.dashboards.printable import printable
from orders_obs.dashboards.publishing.api import last_message, mapping
from orders_obs.dashboards.publishing.apis import ApisApi
from orders_obs.dashboards.publishing.client import reading
from orders_obs.dashboards.publishing.legacy import LegacyApi
from orders_obs.dashboards.publishing.tokens import read
from orders_obs.errors import EnvironmentFault, UserError

if TYPE_CHECKING:
    from orders_obs.dashboards.publishing.api import Api
    from orders_obs.dashboards.publishing.client import Client, Pace
    from orders_obs.dashboards.publishing.targets import Target

__all__ = ["Server", "connect"]

# Newest first. `v1` came with Grafana 13, `v1beta1` with 12; v2 has another schema.
_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class Server:
    """A target that answers.

    Attributes:
        target: The target.
        client: Its calls.
        api: The API for dashboards and folders.
        version: Of Grafana; empty where it does not say it.
        caller: Whose the token is, as Grafana names it; empty where it does not say it.
        names: All that Grafana calls the token's owner where it says who saved something; none where it does not say it.
    """

    target: Target
    client: Client
    api: Api
    version: str
    caller: str
    names: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """The target in a line."""
        grafana = f"Grafana {self.version}" if self.version else "Grafana"
        paths = "/apis" if self.api.name == "apis" else "/api"
        by = f", as {self.caller}" if self.caller else ""
        return f"{self.target.name}: {self.target.url} ({grafana}, {paths}{by})"

    def last_save(self, uid: str) -> tuple[int, str] | None:
        """Version and message of a dashboard's newest save; None where Grafana does not say it to this token."""
        answer = self.client.get(f"/api/dashboards/uid/{quote(uid)}/versions", absent=(403, 404), limit=1)
        return None if answer is None else last_message(answer)


def connect(target: Target, set_name: str, *, pace: Pace | None = None) -> Server:
    """Reach a target.

    Raises:
        UserError: The token is not there, or is another organization's.
        EnvironmentFault: The target cannot be reached, is no Grafana, or does not take the token.
    """
    from orders_obs.dashboards.publishing.client import Client

    token = read(target.token, f"the token of target {target.name}")
    client = Client(target.url, token, ca=target.ca, pace=pace)
    health = client.get("/api/health")
    if not isinstance(health, dict) or "database" not in health:
        raise EnvironmentFault(
            f"target {target.name}: {target.url} is no Grafana", hint="the address may lack Grafana's path"
        )
    with reading("the owner of a token"):
        caller = _mapping(client.get("/api/user", absent=(403, 404)))
    with reading("an organization"):
        organization = _mapping(client.get("/api/org", absent=(403, 404)))
    found = str(organization.get("id") or caller.get("orgId") or "")
    if found and found != str(target.org):
        shown = printable(found)
        raise UserError(
            f"target {target.name}: the token is of organization {shown}, and the settings say {target.org}",
            hint=f"take a token of that organization, or write `org: {shown}`",
            file=target.file,
            line=target.line,
        )
    return Server(
        target=target,
        client=client,
        api=_api(client, target, set_name),
        version=str(health.get("version") or ""),
        caller=_caller(caller),
        names=_names(caller),
    )


def _mapping(answer: Any) -> dict[str, Any]:
    return {} if answer is None else mapping(answer)


def _caller(user: dict[str, Any]) -> str:
    """Login of a user, or of the service account (grafana/grafana pkg/api/user.go)."""
    return str(user.get("login") or user.get("uid") or user.get("name") or "")


def _names(user: dict[str, Any]) -> frozenset[str]:
    """Login for `/api`; for `/apis` the uid, with its type before it (grafana/grafana pkg/apimachinery/identity)."""
    login, uid = str(user.get("login") or ""), str(user.get("uid") or "")
    typed = {uid, f"user:{uid}", f"service-account:{uid}"} if uid else set()
    return frozenset({login, *typed} - {""})


def _api(client: Client, target: Target, set_name: str) -> Api:
    if target.api == "legacy":
        return LegacyApi(client)
    dashboards = _served(client, "dashboard.grafana.app")
    folders = _served(client, "folder.grafana.app")
    if target.api == "auto" and not (dashboards == folders == "v1"):
        return LegacyApi(client)
    if not dashboards or not folders:
        raise UserError(
            f"target {target.name}: this Grafana has no /apis paths for dashboards and folders",
            hint="write `api: legacy` or `api: auto`",
            file=target.file,
            line=target.line,
        )
    return ApisApi(
        client,
        namespace=target.namespace,
        set_name=set_name,
        editable=target.editable,
        dashboards=dashboards,
        folders=folders,
    )


def _served(client: Client, group: str) -> str:
    """The newest version of a group of `/apis` that we know and the server serves; empty where there is none."""
    answer = client.get(f"/apis/{group}", absent=(403, 404, 405, 406))
    entries = answer.get("versions") if isinstance(answer, dict) else None
    known = entries if isinstance(entries, list) else ()
    versions = {str(entry.get("version")) for entry in known if isinstance(entry, dict)}
    return next((version for version in _VERSIONS if version in versions), "")
