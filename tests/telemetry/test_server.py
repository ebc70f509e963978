"""Under a real uvicorn, in processes of their own: what arrives when it is told to end, and what a client sees."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from orders_obs.demo.receiver import TraceReceiver

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def receiver() -> Iterator[TraceReceiver]:
    made = TraceReceiver()
    yield made
    made.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A uvicorn; `lines` are the JSON lines that it has written."""

    def __init__(self, folder: Path, endpoint: str, *options: str, reader_leaves: bool = False) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = folder / "server.log"
        command = [
            sys.executable, "-m", "uvicorn", "tests.telemetry.served_app:app", "--host", "127.0.0.1",
            "--port", self.url.rpartition(":")[2], *options,
        ]  # fmt: skip
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",  # nothing goes by itself: what arrives was flushed
        }
        del environment["ORDERS_OBS_RAISE_INTERNAL_ERRORS"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=ROOT,
                stderr=log,
                stdout=subprocess.PIPE if reader_leaves else log,
            )
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.client = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            return self.client.get("/health/live").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def term(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        self.client.close()
        family = (
            [self.process.pid, *(c.pid for c in psutil.Process(self.process.pid).children(recursive=True))]
            if psutil.pid_exists(self.process.pid)
            else []
        )
        for pid in family:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Server] = []

    def run(endpoint: str, *options: str, **keywords: Any) -> Server:
        running.append(Server(tmp_path, endpoint, *options, **keywords))
        return running[-1]

    yield run
    for server in running:
        server.close()


def eventually(check: Callable[[], Any], within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def traced(client: httpx.Client, path: str, trace_id: str) -> int:
    return client.get(path, headers={"traceparent": f"00-{trace_id}-{'b' * 16}-01"}).status_code


TRACES = [f"{n:032x}" for n in range(1, 21)]


@pytest.mark.parametrize(
    "options", [[], ["--workers", "2"], ["--lifespan", "off"]], ids=["plain", "workers", "no-lifespan"]
)
def test_after_sigterm_the_span_of_every_finished_request_has_arrived(
    start: Start, receiver: TraceReceiver, options: list[str]
) -> None:
    server = start(receiver.url, *options)
    for n, trace_id in enumerate(TRACES):
        assert traced(server.client, f"/plain/{n}", trace_id) == 200
    assert receiver.trace(TRACES[0]) == []
    server.client.close()
    server.term()
    server.process.wait(30)
    eventually(lambda: all(receiver.trace(trace_id) for trace_id in TRACES), within=5)
    assert [span.name for span in receiver.trace(TRACES[0])] == ["GET /plain/{n}"]
    access = [line for line in server.lines if line["event"] == "API metrics"]
    assert len(access) == len(TRACES)
    assert not [line for line in server.lines if line.get("logger") == "uvicorn.access"]


def test_after_sigterm_with_an_open_stream_the_finished_ones_have_arrived(
    start: Start, receiver: TraceReceiver
) -> None:
    server = start(receiver.url)
    for n, trace_id in enumerate(TRACES):
        traced(server.client, f"/plain/{n}", trace_id)
    with server.client.stream("GET", "/stream") as stream:
        next(stream.iter_raw())
        server.term()
        eventually(lambda: all(receiver.trace(trace_id) for trace_id in TRACES))
        assert server.process.poll() is None, "uvicorn waits for the stream"


@pytest.mark.parametrize("dead", ["closed", "silent"])
def test_with_a_dead_collector_the_shutdown_is_not_kept_waiting(start: Start, dead: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if dead == "silent":
            silent.listen()
        server = start(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert traced(server.client, "/plain/1", TRACES[0]) == 200
        server.client.close()
        server.term()
        # Two seconds are ours; the rest is uvicorn's and the machine's. The SDK's own shutdown takes 14 to 20 s here.
        assert server.process.wait(10) in (0, -signal.SIGTERM, 143)


def test_a_client_that_leaves_a_stream_is_one_record_with_the_status_that_was_sent(
    start: Start, receiver: TraceReceiver
) -> None:
    server = start(receiver.url)
    with server.client.stream(
        "GET", "/stream", headers={"traceparent": f"00-{TRACES[0]}-{'b' * 16}-01"}
    ) as stream:
        next(stream.iter_raw())
    eventually(lambda: [line for line in server.lines if line.get("endpoint") == "/stream"])
    (line,) = [line for line in server.lines if line.get("endpoint") == "/stream"]
    assert (line["status_code"], line["error_type"], line["level"]) == (200, "client_disconnect", "warning")
    server.client.close()
    server.term()
    server.process.wait(30)
    (span,) = receiver.trace(TRACES[0])
    assert span.attributes["error.type"] == "client_disconnect"
    assert span.attributes["http.response.status_code"] == 200


def test_an_unhandled_exception_is_one_line_with_its_stack(start: Start, receiver: TraceReceiver) -> None:
    server = start(receiver.url)
    assert server.client.get("/fail").status_code == 500
    eventually(lambda: [line for line in server.lines if line.get("endpoint") == "/fail"])
    server.client.close()
    server.term()
    server.process.wait(30)
    told = [line for line in server.lines if "RuntimeError" in json.dumps(line)]
    assert len(told) == 1
    assert told[0]["exception"].rstrip().endswith("RuntimeError: on purpose")


def test_a_standard_output_whose_reader_left_changes_no_answer_and_is_counted(
    start: Start, receiver: TraceReceiver
) -> None:
    server = start(receiver.url, reader_leaves=True)
    for n in range(5):
        assert server.client.get(f"/plain/{n}").json() == n
    lost = [
        line
        for line in server.client.get("/metrics").text.splitlines()
        if line.startswith("telemetry_dropped_total{")
    ]
    assert any(
        'reason="output",signal="logs"' in line or 'signal="logs",reason="output"' in line for line in lost
    )


def test_development_has_a_readable_console(
    start: Start, receiver: TraceReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS_OBS_ENVIRONMENT", "development")
    monkeypatch.setenv("NO_COLOR", "1")
    server = start(receiver.url)
    server.client.get("/plain/1")
    eventually(lambda: "API metrics" in server._log.read_text())
    (line,) = [line for line in server._log.read_text().splitlines() if "API metrics" in line]
    assert not line.startswith("{")
    assert "\x1b" not in line
    assert "endpoint=/plain/{n}" in line
