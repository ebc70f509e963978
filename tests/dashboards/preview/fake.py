"""A server that answers as Prometheus's HTTP API does. What it answers is said by a word in the query:

`fails`, `empty`, `buckets` (a histogram), `gaps`, `states` (0 and 1), `one` (a single series), `hostile` (labels that try to
break out), `slow` (waits until it is released), `moments` (times in ms); everything else brings three series by `route`.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["HOSTILE", "Fake", "fake"]

HOSTILE = "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@dataclass
class Fake:
    """What is asked, and how to answer.

    Attributes:
        url: Base address.
        asked: Method, path and parameters of every call.
        headers: Of every call.
        most_at_once: Calls that were under way at the same time, at the most.
        refuses: A status to answer everything with.
        refuses_post: Whether POST is answered with 405.
        released: What `slow` waits for.
    """

    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0
    refuses: int = 0
    refuses_post: bool = False
    released: threading.Event = field(default_factory=threading.Event)

    def queries(self, path: str = "/api/v1/query_range") -> list[str]:
        """The expressions that a path got."""
        return [values["query"] for _, asked, values in self.asked if asked == path]


@contextmanager
def fake() -> Iterator[Fake]:
    """Such a server; it ends with the block."""
    state = Fake()
    lock = threading.Lock()
    under_way = 0

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def answer(self, query: str) -> None:
            nonlocal under_way
            values = {key: found[-1] for key, found in parse_qs(query, keep_blank_values=True).items()}
            path = urlsplit(self.path).path
            with lock:
                state.asked.append((self.command, path, values))
                state.headers.append(dict(self.headers))
                under_way += 1
                state.most_at_once = max(state.most_at_once, under_way)
            try:
                status, content = respond(state, self.command, path, values)
            finally:
                with lock:
                    under_way -= 1
            body = json.dumps(content).encode()
            # Who asked may have stopped waiting.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def respond(state: Fake, method: str, path: str, values: dict[str, str]) -> tuple[int, Any]:
    if state.refuses:
        return state.refuses, {"message": "no"}
    if state.refuses_post and method == "POST":
        return 405, {"message": "no"}
    expr = values.get("query", "")
    if path == "/api/traces":
        return 200, {"data": [trace()], "errors": None}
    if "slow" in expr:
        state.released.wait(10)
    if "fails" in expr:
        error = "invalid parameter query: parse error: unexpected <op:*>"
        return 400, {"status": "error", "errorType": "bad_data", "error": error}
    if path.startswith("/api/v1/label/"):
        return good(["orders-api", "payments-api"])
    if path == "/api/v1/labels":
        return good(["instance", "job"])
    if path == "/api/v1/query_exemplars":
        labels = {"trace_id": TRACE}
        at = (float(values["start"]) + float(values["end"])) / 2
        exemplars = [{"labels": labels, "value": "0.2", "timestamp": at}]
        return good([{"seriesLabels": {}, "exemplars": exemplars}])
    if path == "/api/v1/query":
        series = [
            {"metric": metric, "value": [float(values.get("time", 0)), str(value(0, index, expr))]}
            for index, metric in enumerate(metrics(expr))
        ]
        return good({"resultType": "vector", "result": series})
    start, end, step = (float(values[key]) for key in ("start", "end", "step"))
    times = [start + step * at for at in range(int((end - start) / step + 1e-6) + 1)]
    series = [
        {
            "metric": metric,
            "values": [
                [time, str(end * 1000 - 60000 if "moments" in expr else value(time, index, expr))]
                for at, time in enumerate(times)
                if "gaps" not in expr or at % 20 < 12
            ],
        }
        for index, metric in enumerate(metrics(expr))
    ]
    return good({"resultType": "matrix", "result": series})


def good(data: Any) -> tuple[int, Any]:
    return 200, {"status": "success", "data": data}


def metrics(expr: str) -> list[dict[str, str]]:
    if "empty" in expr:
        return []
    if "buckets" in expr:
        return [{"le": bound} for bound in ("0.1", "0.5", "1", "2.5", "+Inf")]
    if "hostile" in expr:
        return [{"route": HOSTILE}]
    if "one" in expr or "moments" in expr:
        return [{"__name__": "one"}]
    return [{"__name__": "m", "route": f"/api/{name}"} for name in ("orders", "payments", "export")]


def value(time: float, index: int, expr: str) -> float:
    if "buckets" in expr:
        return (index + 1) * 10.0
    if "states" in expr:
        return float(int(time / 300 + index) % 3 > 0)
    return round(0.3 + 0.2 * math.sin(time / 400 + index) + 0.1 * index, 4)


def trace() -> dict[str, Any]:
    return {
        "traceID": TRACE,
        "processes": {"p1": {"serviceName": "orders-api"}},
        "spans": [
            {"spanID": "b", "references": [{"spanID": "a"}], "operationName": "INSERT", "processID": "p1", "startTime": 1_700_000_000_010_000, "duration": 5_000},
            {"spanID": "a", "references": [], "operationName": "POST /orders", "processID": "p1", "startTime": 1_700_000_000_000_000, "duration": 40_000},
        ],
    }  # fmt: skip
