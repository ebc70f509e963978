"""A receiver that stands for Slack: it keeps what it got, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CANARY = "CANARY0b5f3c"


@dataclass
class Answered:
    """How one request is answered.

    Attributes:
        status: The status; 0 closes the connection without an answer.
        body: The body.
        headers: Beside the usual ones.
        hold: Waited for before it is answered.
    """

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    hold: Callable[[], object] | None = None


@dataclass
class Receiver:
    """A receiver that runs.

    Attributes:
        url: Its address, which is a secret as Slack's is.
        got: What was posted, oldest first.
        paths: Where to.
        answers: How the next requests are answered; ok when there are no more.
    """

    url: str
    got: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@contextmanager
def receiving(path: str = f"/services/T000/B000/{CANARY}") -> Iterator[Receiver]:
    """A receiver on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.paths.append(self.path)
            receiver.got.append(json.loads(body))
            answered = receiver.answers.pop(0) if receiver.answers else Answered()
            receiver.arrived.release()
            if answered.hold:
                answered.hold()
            if not answered.status:
                return
            try:
                self.send_response(answered.status)
                for name, value in answered.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answered.body)))
                self.end_headers()
                self.wfile.write(answered.body)
            except OSError:
                return  # who asked has left

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}{path}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
