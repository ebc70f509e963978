"""The relay as a small HTTP server: for a machine of one's own, behind a proxy that speaks TLS, and for an emulator.

A message is taken when SNS signed it and its topic is listed. A subscription is confirmed when its topic is listed, and the address that
confirms it is SNS's. Answers say what became of a request in a word, by which SNS decides whether to try again: it does after 429 and 5xx,
and not after other 4xx (SNS developer guide, "Message delivery retries").
"""

from __future__ import annotations

import io
import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from orders_obs.errors import EnvironmentFault
from orders_obs.relay.envelope import BODY_ROOM, Refused, parse_body
from orders_obs.relay.http import Unreached, request
from orders_obs.relay.signature import check_subscribe_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.relay.envelope import Envelope
    from orders_obs.relay.relay import Relay, Result
    from orders_obs.relay.signature import Verifier

__all__ = ["Server"]

_CONNECTIONS = 64
_READ_WITHIN = 10.0
"""Seconds in which a whole request must have come."""
_DELIVER_WITHIN = 11.0
"""Seconds for delivery: SNS waits 15 for an answer."""
_DISCARDED = 4_194_304
_REFUSED = {"oversized": 413, "busy": 429, "malformed": 400, "address": 400}
_FORBIDDEN = 403
_OUTCOMES = {"delivered": 200, "dropped": 200, "busy": 503, "failed": 502}


class Server(ThreadingHTTPServer):
    """The server.

    Args:
        relay: What tells.
        verifier: What checks signatures.
        fetch: Visits the address that confirms a subscription, and gives the status.

    Raises:
        EnvironmentFault: It cannot listen there.
    """

    # Requests under way are waited for when it is closed.
    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True
    request_queue_size = _CONNECTIONS

    def __init__(self, relay: Relay, verifier: Verifier, fetch: Callable[[str], int] | None = None) -> None:
        self.relay = relay
        self.verifier = verifier
        self.fetch = fetch or _visit
        self._places = threading.BoundedSemaphore(_CONNECTIONS)
        settings = relay.settings
        self.address_family = socket.AF_INET6 if ":" in settings.bind else socket.AF_INET
        try:
            super().__init__((settings.bind, settings.port), _Handler)
        except (OSError, OverflowError) as error:
            raise EnvironmentFault(
                f"cannot listen on {settings.bind} port {settings.port}: {type(error).__name__}",
                hint="is another relay running? --port takes another one",
            ) from None

    def server_bind(self) -> None:
        """Bind, and ask no name server for the host's name, as the base class does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection where there is a place for it; SNS comes again where there is none."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        try:
            request.settimeout(1)
            request.sendall(b"HTTP/1.0 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base class's names
        """A connection that broke is no news; a fault of ours is told by its kind."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            self.relay.log.say("error", f"a request failed: {type(error).__name__}")

    def take(self, body: bytes) -> tuple[int, str]:
        """What one posted request comes to: a status, and a word.

        Args:
            body: What was posted.
        """
        relay = self.relay
        envelope: Envelope | None = None
        try:
            envelope = parse_body(body, relay.settings.max_bytes)
            relay.check_topic(envelope)
            self.verifier.verify(envelope)
            return self._verified(envelope)
        except Refused as refused:
            relay.log.write("refused", envelope, reason=refused.reason, detail=refused.message)
            return _REFUSED.get(refused.reason, _FORBIDDEN), refused.reason

    def _verified(self, envelope: Envelope) -> tuple[int, str]:
        if self.relay.seen.stale(envelope.timestamp):
            raise Refused(
                "stale", "the message is older than the ids that are known; see ORDERS_OBS_RELAY_KEEP"
            )
        if envelope.kind == "SubscriptionConfirmation":
            return self._confirm(envelope)
        if envelope.kind == "UnsubscribeConfirmation":
            self.relay.log.say(
                "error", f"unsubscribed from {envelope.topic}: nothing comes from there any more"
            )
            return _told(self.relay.unsubscribed(envelope, _DELIVER_WITHIN))
        return _told(self.relay.notify(envelope, _DELIVER_WITHIN))

    def _confirm(self, envelope: Envelope) -> tuple[int, str]:
        check_subscribe_url(envelope, self.relay.settings.emulator)
        try:
            status = self.fetch(envelope.subscribe)
        except Unreached:
            status = 0
        if status != 200:
            self.relay.log.write("unconfirmed", envelope, status=status or None)
            return 503, "unconfirmed"
        self.relay.log.write("confirmed", envelope)
        return 200, "confirmed"


def _told(result: Result) -> tuple[int, str]:
    return _OUTCOMES[result.outcome], "replayed" if result.reason == "replayed" else result.outcome


def _visit(address: str) -> int:
    return request(address, timeout=5).status


class _Timed(io.RawIOBase):
    """Reads a connection until a moment, however slowly it comes."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version = "orders-obs-relay"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Timed(self.connection, time.monotonic() + _READ_WITHIN))

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(200, "ok")
        else:
            self._answer(404, "nothing here")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._answer(411, "malformed")
            return
        if len(length) > 9 or int(length) > 2 * self.server.relay.settings.max_bytes + BODY_ROOM:
            self.server.relay.log.write(
                "refused", reason="oversized", detail="the request is larger than a message may be"
            )
            self._discard(int(length) if len(length) <= 9 else _DISCARDED)
            self._answer(413, "oversized")
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self._answer(400, "malformed")
            return
        try:
            self.connection.settimeout(_READ_WITHIN)
            status, word = self.server.take(body)
        except Exception as error:
            # Whatever it is, SNS is to try again.
            self.server.relay.log.say("error", f"a message failed: {type(error).__name__}")
            status, word = 500, "failed"
        self._answer(status, word)

    def _discard(self, length: int) -> None:
        """Read what is not wanted: who is cut off while sending does not see the answer."""
        left = min(length, _DISCARDED)
        while left > 0:
            part = self.rfile.read(min(left, BODY_ROOM))
            left -= len(part) or left

    def _answer(self, status: int, word: str) -> None:
        content = json.dumps({"result": word}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses, without repeating what was sent."""
        del message, explain
        self.close_connection = True
        self._answer(code, "malformed")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests are told by the relay's own lines."""
