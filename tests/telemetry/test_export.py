"""Getting spans and lines out: what is delivered, what is dropped and counted, and deadlines that hold."""

from __future__ import annotations

import gzip
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from orders_obs.settings import Settings
from orders_obs.telemetry import guard
from orders_obs.telemetry.export.delivery import Delivery
from orders_obs.telemetry.export.lines import LineWriter
from orders_obs.telemetry.export.otlp import Exporter, HttpSender
from orders_obs.telemetry.metrics.api import Metrics

chain_sigterm = Delivery.chain_sigterm


class Receiver:
    """An HTTP server that answers as it is told, and keeps what it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.hold.wait(20)
                receiver.bodies.append(body)
                receiver.headers.append({key.lower(): value for key, value in self.headers.items()})
                status, headers, content = receiver.answers.pop(0) if receiver.answers else (200, {}, b"")
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    result = Receiver()
    yield result
    result.hold.set()
    result.server.shutdown()
    result.server.server_close()


@pytest.fixture
def counts() -> Iterator[Metrics]:
    before = guard._count
    yield Metrics(CollectorRegistry())
    guard._count = before


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1/traces"


def encode(items: Any) -> bytes:
    if "bad" in items:
        raise ValueError("bad")
    return ",".join(items).encode()


def exporter(url: str, counts: Metrics, **settings: Any) -> Exporter[str]:
    loaded = Settings.load({}, **{"export_interval": 60, **settings})
    return Exporter("spans", encode, int, HttpSender(url, loaded), loaded, counts)


def dropped(counts: Metrics, reason: str) -> float:
    return (
        counts.registry.get_sample_value("telemetry_dropped_total", {"signal": "spans", "reason": reason})
        or 0
    )


def exported(counts: Metrics) -> float:
    return counts.registry.get_sample_value("telemetry_exported_total", {"signal": "spans"}) or 0


def eventually(check: Callable[[], bool], within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_full_batch_goes_without_waiting_for_the_interval(receiver: Receiver, counts: Metrics) -> None:
    out = exporter(receiver.url, counts, batch_size=3)
    for item in "abcd":
        out.put(item)
    eventually(lambda: exported(counts) == 3)
    assert receiver.bodies == [b"a,b,c"]
    assert out.flush(5)
    assert receiver.bodies == [b"a,b,c", b"d"]


def test_the_interval_sends_what_is_there(receiver: Receiver, counts: Metrics) -> None:
    out = exporter(receiver.url, counts, export_interval=0.05)
    out.put("a")
    eventually(lambda: exported(counts) == 1)


def test_headers_and_compression_are_the_settings(receiver: Receiver, counts: Metrics) -> None:
    out = exporter(receiver.url, counts, compression="gzip", headers={"X-Key": "k"})
    out.put("a")
    assert out.flush(5)
    assert gzip.decompress(receiver.bodies[0]) == b"a"
    assert receiver.headers[0]["x-key"] == "k"
    assert receiver.headers[0]["content-type"] == "application/x-protobuf"


def test_what_may_be_sent_again_is_and_counts_once(receiver: Receiver, counts: Metrics) -> None:
    receiver.answers = [(503, {}, b""), (429, {"retry-after": "1"}, b"")]
    out = exporter(receiver.url, counts)
    out.put("a")
    assert out.flush(10)
    assert receiver.bodies == [b"a"] * 3
    assert (exported(counts), dropped(counts, "rejected")) == (1, 0)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_what_is_refused_for_good_is_counted_and_does_not_block_the_next(
    receiver: Receiver, counts: Metrics, status: int
) -> None:
    receiver.answers = [(status, {}, b"")]
    out = exporter(receiver.url, counts)
    out.put("a")
    assert out.flush(5)
    out.put("b")
    assert out.flush(5)
    assert (exported(counts), dropped(counts, "rejected")) == (1, 1)


def test_of_a_partial_success_only_the_accepted_part_counts(receiver: Receiver, counts: Metrics) -> None:
    receiver.answers = [(200, {}, b"2")]
    out = exporter(receiver.url, counts)
    for item in "abc":
        out.put(item)
    assert out.flush(5)
    assert (exported(counts), dropped(counts, "rejected")) == (1, 2)


def test_an_item_that_cannot_be_encoded_costs_only_itself(receiver: Receiver, counts: Metrics) -> None:
    out = exporter(receiver.url, counts)
    for item in ("a", "bad", "c"):
        out.put(item)
    assert out.flush(5)
    assert receiver.bodies == [b"a,c"]
    assert dropped(counts, "encoding") == 1


def test_a_full_queue_drops_the_newest_and_counts_them_and_nobody_waits(
    receiver: Receiver, counts: Metrics
) -> None:
    receiver.hold.clear()
    out = exporter(receiver.url, counts, queue_size=5, batch_size=2)
    for index in range(100):
        out.put(str(index))
    assert 93 <= dropped(counts, "queue_full") <= 95
    receiver.hold.set()
    assert out.flush(10)
    assert exported(counts) + dropped(counts, "queue_full") == 100


@pytest.mark.parametrize("dead", ["closed", "silent"])
def test_flush_keeps_its_deadline_and_tells_the_truth_whatever_the_receiver_does(
    receiver: Receiver, counts: Metrics, dead: str
) -> None:
    receiver.hold.clear()
    out = exporter(closed_port() if dead == "closed" else receiver.url, counts)
    out.put("a")
    start = time.monotonic()
    assert out.flush(0.3) is False
    assert time.monotonic() - start < 5, "an order of magnitude below what an unbounded wait takes"
    out.close()
    assert dropped(counts, "shutdown") == 1


def test_a_receiver_that_closed_the_connection_is_asked_again(receiver: Receiver, counts: Metrics) -> None:
    receiver.answers = [(200, {"connection": "close"}, b"")]
    out = exporter(receiver.url, counts)
    for item in "ab":
        out.put(item)
        assert out.flush(5)
    assert receiver.bodies == [b"a", b"b"]


def test_after_drain_every_item_goes_at_once(receiver: Receiver, counts: Metrics) -> None:
    out = exporter(receiver.url, counts)
    out.put("a")
    out.drain()
    eventually(lambda: exported(counts) == 1)
    out.put("b")
    eventually(lambda: exported(counts) == 2)


def test_a_forked_child_starts_with_an_empty_queue_and_a_thread_of_its_own(receiver: Receiver) -> None:
    """In a process of its own, since forking the test runner would not be fair."""
    program = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from tests.telemetry.test_export import exporter
from orders_obs.telemetry.metrics.api import metrics
out = exporter({receiver.url!r}, metrics)
out.put("parent")
child = os.fork()
if child == 0:
    out.put("child")
    os._exit(0 if out.flush(5) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert out.flush(5)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)
    assert sorted(receiver.bodies) == [b"child", b"parent"]


def test_lines_reach_standard_output_whole_and_in_order(
    counts: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as out, os.fdopen(read, "rb") as reader:
        monkeypatch.setattr(sys, "stdout", out)
        lines = LineWriter(counts)
        for index in range(1000):
            lines.write(b"%d\n" % index)
        assert lines.flush(5)
        out.close()
        assert reader.read() == b"".join(b"%d\n" % index for index in range(1000))


def test_a_reader_that_stopped_costs_lines_that_are_counted_and_never_a_wait(
    counts: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    out = os.fdopen(write, "w")
    monkeypatch.setattr(sys, "stdout", out)
    lines = LineWriter(counts, max_bytes=100_000)
    for _ in range(1000):
        lines.write(b"x" * 999 + b"\n")
    assert not lines.flush(0.05)
    lost = counts.registry.get_sample_value(
        "telemetry_dropped_total", {"signal": "logs", "reason": "queue_full"}
    )
    assert lost is not None
    assert lost > 500
    os.close(read)  # the writer's thread gets EPIPE and goes on
    assert lines.flush(5)
    out.close()


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_closed_standard_output_is_counted_and_harmless(
    counts: Metrics, monkeypatch: pytest.MonkeyPatch, stream: str | None
) -> None:
    out = io.StringIO()
    out.close()
    monkeypatch.setattr(sys, "stdout", None if stream is None else out)
    lines = LineWriter(counts)
    lines.write(b"x\n")
    assert lines.flush(5)
    assert (
        counts.registry.get_sample_value("telemetry_dropped_total", {"signal": "logs", "reason": "output"})
        == 1
    )


class Part:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.timeouts: list[float] = []

    def drain(self) -> None:
        self.calls.append("drain")

    def flush(self, timeout: float) -> bool:
        self.calls.append("flush")
        self.timeouts.append(timeout)
        return True

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm")
def test_our_sigterm_handler_comes_before_the_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    part, order = Part(), []
    monkeypatch.setattr(Delivery, "chain_sigterm", chain_sigterm)
    signal.signal(signal.SIGTERM, lambda number, _frame: order.append((number, list(part.calls))))
    delivery = Delivery(1)
    delivery.add(part)
    delivery.chain_sigterm()
    delivery.chain_sigterm()
    signal.raise_signal(signal.SIGTERM)
    assert order == [(signal.SIGTERM, ["drain"])]


def test_the_deadline_is_one_for_all_the_ways_in_which_a_process_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under uvicorn the lifespan's shutdown comes first, then the signal once more, then perhaps the interpreter's exit."""
    now = [100.0]
    monkeypatch.setattr("orders_obs.telemetry.export.delivery.time.monotonic", lambda: now[0])
    part = Part()
    delivery = Delivery(2)
    delivery.add(part)
    for later in (0.0, 1.5, 5.0):
        now[0] = 100.0 + later
        delivery.flush()
    assert part.timeouts == [2.0, 0.5, 0.0]
    delivery.begin()
    delivery.flush()
    assert part.timeouts[-1] == 2.0


def test_a_script_without_server_delivers_on_sigterm_and_still_dies_of_it(receiver: Receiver) -> None:
    program = f"""
import sys, time
sys.path[:0] = {sys.path!r}
from fastapi import FastAPI
from orders_obs import instrument, span
instrument(FastAPI(), service="script", endpoint={receiver.url.removesuffix("/v1/traces")!r})
with span("work"):
    pass
print("ready", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    process.stdout.close()
    assert len(receiver.bodies) == 1
    assert b"work" in receiver.bodies[0]


def test_a_script_that_ends_delivers_at_exit(receiver: Receiver) -> None:
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from fastapi import FastAPI
from orders_obs import get_logger, instrument, span
instrument(FastAPI(), service="script", endpoint={receiver.url.removesuffix("/v1/traces")!r})
with span("work"):
    get_logger().info("last words")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert b'"event":"last words"' in done.stdout
    assert done.stderr == b""
    assert b"work" in receiver.bodies[0]
