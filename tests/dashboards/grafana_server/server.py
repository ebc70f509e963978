"""A server that answers as Grafana's documentation and code say, on loopback, with its state in memory and faults on demand.

It is a contract, not Grafana: where it and a live server differ, the live server is right. It refuses by assertion what the
documentation does not name, so that a request of another shape fails a test.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.dashboards.grafana_server import apis, legacy
from tests.dashboards.grafana_server.answers import Answer, denied, error, failure
from tests.dashboards.grafana_server.store import SERVICE_ACCOUNT, Store

TOKEN = "glsa_canaryCanaryCanaryCanary0123456789ab_0badf00d"


@dataclass
class Request:
    method: str
    path: str
    body: Any


@dataclass
class Fault:
    """What goes wrong with requests that match, so many times.

    `kind`: a status; `html`, `redirect`; `drop` closes before the request is done, `lose` after; `cut` sends half of the answer;
    `hang` answers when `grafana.released` is set.
    """

    kind: str | int
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    headers: tuple[tuple[str, str], ...] = ()


class Grafana:
    """The server.

    Args:
        major: Of Grafana: 10 to 13. 10 and 11 have `/api` only, 12 has `/apis` as beta, 13 has `v1`.
        keeps_message: Whether a read by `/apis` gives the message of the last save.
        adds_defaults: Whether a save by `/apis` adds settings.
        drops_annotations: Whether it keeps no annotations of `/apis` ("not yet supported on your instance", docs).
        quota: Of dashboards.
        pages_keep_message: Whether a save in the pages leaves the message of the save before.
        has_search: Whether it still has `/api/search`.
        org: Of the token.
    """

    def __init__(
        self,
        major: int = 13,
        *,
        keeps_message: bool = True,
        adds_defaults: bool = False,
        drops_annotations: bool = False,
        quota: int | None = None,
        pages_keep_message: bool = False,
        has_search: bool = True,
        org: int = 1,
    ) -> None:
        self.major = major
        self.served = {12: ("v1beta1",), 13: ("v2", "v1", "v1beta1")}.get(major, ())
        self.keeps_message = keeps_message
        self.adds_defaults = adds_defaults
        self.drops_annotations = drops_annotations
        self.quota = quota
        self.pages_keep_message = pages_keep_message
        self.has_search = has_search
        self.org = org
        self.namespace = "default" if org == 1 else f"org-{org}"
        self.page_size = 0
        self.store = Store()
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.broken: list[str] = []
        self.lacks: set[str] = set()
        self.released = threading.Event()
        self.arrived = threading.Event()
        self.before: Callable[[Request], None] | None = None
        self._lock = threading.Lock()
        grafana = self

        class Handler(_Handler):
            server_of = grafana

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert not self.broken, f"requests that Grafana's documentation does not name: {self.broken}"

    def secure(self, certificate: Path, key: Path) -> None:
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake belongs to the connection's own thread, not to the one that accepts.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = self.url.replace("http:", "https:")

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.method != "GET"]

    def forget(self) -> None:
        self.requests.clear()

    def save_in_page(
        self,
        uid: str,
        change: Callable[[dict[str, Any]], None],
        *,
        by: str = "user:u000000002",
        stored: str = "v1",
    ) -> None:
        """What a person's save in Grafana's pages does.

        The object's annotations stay, the message goes where none is typed, and the page says that it was it
        (public/app/features/dashboard/api, AnnoKeySavedFromUI).
        """
        known = self.store.dashboards[uid]
        content = json.loads(json.dumps(known.content))
        change(content)
        annotations = {
            key: value
            for key, value in known.annotations.items()
            if self.pages_keep_message or key != "grafana.app/message"
        }
        if self.served:
            annotations["grafana.app/saved-from-ui"] = f"Grafana v{self.major}.1.0"
        self.store.save(
            uid, content, folder=known.folder, message="", by=by, annotations=annotations, stored=stored
        )

    def answer(self, request: Request, token: str) -> Answer:
        """The answer to a request, faults apart."""
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        if words == ["api", "health"]:
            # Source: docs "Other HTTP API"; needs no token.
            return Answer(200, {"commit": "c0ffee", "database": "ok", "version": f"{self.major}.1.0"})
        if token != f"Bearer {TOKEN}":
            if words[0] == "apis":
                return failure(401, "Unauthorized", "Unauthorized")
            return error(401, "Invalid API key", messageId="api-key.invalid", statusCode=401, traceID="")
        for right in self.lacks:
            method, _, path = right.partition(" ")
            if request.method == method and re.search(path, parts.path):
                return (
                    denied("dashboards:write")
                    if words[0] == "api"
                    else failure(403, "Forbidden", "forbidden")
                )
        with self._lock:
            return self._route(request, words, query)

    def _route(self, request: Request, words: list[str], query: dict[str, list[str]]) -> Answer:
        body = request.body
        match [request.method, *words]:
            case ["GET", "api", "user"]:
                # Source: pkg/api/user.go GetSignedInUser, for an identity that is no user.
                return Answer(
                    200, {"id": 0, "orgId": self.org, "name": "publisher", "email": "", **SERVICE_ACCOUNT}
                )
            case ["GET", "api", "org"]:
                return Answer(200, {"id": self.org, "name": "Main Org."})
            case ["GET", "api", "search"] if self.has_search:
                return legacy.search(self, query)
            case ["POST", "api", "dashboards", "db"]:
                return legacy.save_dashboard(self, body)
            case ["GET", "api", "dashboards", "uid", uid, "versions"]:
                return legacy.versions(self, uid, query)
            case ["GET", "api", "dashboards", "uid", uid]:
                return legacy.get_dashboard(self, uid)
            case ["DELETE", "api", "dashboards", "uid", uid]:
                return legacy.delete_dashboard(self, uid)
            case ["GET", "api", "folders", uid]:
                return legacy.get_folder(self, uid)
            case ["POST", "api", "folders"]:
                return legacy.create_folder(self, body)
            case ["GET", "api", "datasources", "uid", uid]:
                return legacy.get_source(self, uid)
            case ["POST", "api", "datasources"]:
                return legacy.create_source(self, body)
            case ["PUT", "api", "datasources", "uid", uid]:
                return legacy.update_source(self, uid, body)
            case ["GET", "api", "annotations"]:
                return legacy.find_annotations(self, query)
            case ["POST", "api", "annotations"]:
                return legacy.create_annotation(self, body)
            case ["GET", "apis", name]:
                return apis.group(self, name)
            case [method, "apis", name, version, "namespaces", self.namespace, *rest] if (
                version in self.served
            ):
                return self._resource(method, name, version, rest, body, query)
        return error(404, "Not found")

    def _resource(
        self, method: str, name: str, version: str, rest: list[str], body: Any, query: dict[str, list[str]]
    ) -> Answer:
        match [name.partition(".")[0], method, *rest]:
            case ["dashboard", "GET", "dashboards", uid]:
                return apis.get_dashboard(self, version, uid)
            case ["dashboard", "GET", "dashboards"]:
                return apis.list_dashboards(self, version, query)
            case ["dashboard", "POST", "dashboards"]:
                return apis.create_dashboard(self, version, body)
            case ["dashboard", "PUT", "dashboards", uid]:
                return apis.replace_dashboard(self, version, uid, body)
            case ["dashboard", "DELETE", "dashboards", uid]:
                return apis.delete_dashboard(self, uid, body)
            case ["folder", "GET", "folders", uid]:
                return apis.get_folder(self, version, uid)
            case ["folder", "POST", "folders"]:
                return apis.create_folder(self, version, body)
        return failure(404, "NotFound", "the server could not find the requested resource")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: Grafana

    def _serve(self) -> None:
        grafana = self.server_of
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        request = Request(self.command, self.path, json.loads(raw) if raw else None)
        grafana.requests.append(request)
        assert self.headers.get("Accept") == "application/json"
        if raw:
            assert self.headers.get("Content-Type") == "application/json"
        if grafana.before is not None:
            grafana.before(request)
        fault = self._fault(grafana, request)
        if fault is None:
            self._send(grafana.answer(request, self.headers.get("Authorization", "")))
            return
        kind = fault.kind
        if kind == "hang":
            grafana.arrived.set()
            grafana.released.wait(30)
            self._close()
        elif kind == "drop":
            self._close()
        elif kind == "lose":
            grafana.answer(request, self.headers.get("Authorization", ""))
            self._close()
        elif kind == "cut":
            answer = grafana.answer(request, self.headers.get("Authorization", ""))
            content = json.dumps(answer.data).encode()
            self._start(answer.status, "application/json", len(content), ())
            self.wfile.write(content[: len(content) // 2])
            self._close()
        elif kind == "html":
            self._send(Answer(200, None, raw=b"<!DOCTYPE html><title>Sign in</title>"))
        elif kind == "redirect":
            where = dict(fault.headers) or {"Location": f"/login?token={TOKEN}"}
            self._send(Answer(302, None, where, raw=b""))
        else:
            status = int(kind)
            message = f"it is {status} here, {self.headers.get('Authorization', '').removeprefix('Bearer ')}"
            answer = (
                failure(status, "Failed", message)
                if request.path.startswith("/apis/")
                else error(status, message)
            )
            answer.headers = dict(fault.headers)
            self._send(answer)

    def do_GET(self) -> None:
        try:
            self._serve()
        except AssertionError as wrong:
            self.server_of.broken.append(f"{self.command} {self.path}: {wrong!r}")
            self._close()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815  # http.server's names

    def _fault(self, grafana: Grafana, request: Request) -> Fault | None:
        for fault in grafana.faults:
            if (
                fault.times
                and re.fullmatch(fault.method, request.method)
                and re.search(fault.path, request.path)
            ):
                fault.times -= 1
                return fault
        return None

    def _send(self, answer: Answer) -> None:
        content = answer.raw if answer.raw is not None else json.dumps(answer.data).encode()
        kind = "text/html" if answer.raw is not None else "application/json"
        self._start(answer.status, kind, len(content), tuple(answer.headers.items()))
        self.wfile.write(content)

    def _start(self, status: int, kind: str, length: int, headers: tuple[tuple[str, str], ...]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _close(self) -> None:
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        pass
