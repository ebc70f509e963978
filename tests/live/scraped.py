"""Processes that Prometheus scrapes, whose every event the test knows, and a Prometheus of the test's own."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from orders_obs.alerts.compile import prometheus
from orders_obs.alerts.model import ResolvedCatalogue
from orders_obs.sandbox import programs
from orders_obs.sandbox.state import free_port


@dataclass(frozen=True, slots=True)
class Seen:
    """What one scrape was answered: by the how manieth process, and its counters; None where it failed."""

    process: int
    events: Counter[str] | None


@dataclass(slots=True)
class Target:
    """A process of a service, and what truly happened in it.

    Attributes:
        interval: Seconds between two scrapes.
        delay: Seconds that an answer takes after the counters were read.
        starts: When each process began.
        answers: Whether it answers; else scrapes fail.
        listed: Whether Prometheus is told of it.
        events: Requests of the present process, by kind: good, bad, slow (good, and slower than a second).
        ever: Requests of all its processes.
        seen: Each scrape.
    """

    service: str
    name: str
    interval: int = 1
    delay: float = 0.0
    starts: list[float] = field(default_factory=lambda: [time.time()])
    answers: bool = True
    listed: bool = True
    events: Counter[str] = field(default_factory=Counter)
    ever: Counter[str] = field(default_factory=Counter)
    seen: list[Seen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _scraped: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def add(self, **events: int) -> None:
        """Requests, by kind."""
        with self._lock:
            self.events.update(events)
            self.ever.update(events)

    def restart(self) -> None:
        """Another process, whose series are born with their first events."""
        with self._lock:
            self.starts.append(time.time())
            self.events = Counter()

    def await_scrape(self) -> None:
        """Until it is scraped once more: the clock of a test."""
        assert self._scraped.acquire(timeout=20), f"{self.service} {self.name} is not scraped"

    def answer(self) -> bytes | None:
        """The page of a scrape; None where it fails."""
        with self._lock:
            events = Counter(self.events)
            self.seen.append(Seen(len(self.starts) - 1, events if self.answers else None))
            page = _page(self.starts[-1], events).encode() if self.answers else None
        self._scraped.release()
        time.sleep(self.delay)
        return page


def _page(started: float, events: Counter[str]) -> str:
    requests, durations = [], []
    for kind, count in events.items():
        labels = f'method="GET",route="/{kind}",status="{500 if kind == "bad" else 200}"'
        requests.append(f"http_requests_total{{{labels}}} {count}")
        durations += [
            f'http_request_duration_seconds_bucket{{{labels},le="1.0"}} {0 if kind == "slow" else count}',
            f'http_request_duration_seconds_bucket{{{labels},le="+Inf"}} {count}',
            f"http_request_duration_seconds_sum{{{labels}}} {count}",
            f"http_request_duration_seconds_count{{{labels}}} {count}",
        ]
    lines = [
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {started}",
        "# TYPE http_requests_total counter",
        *requests,
        "# TYPE http_request_duration_seconds histogram",
        *durations,
    ]
    return "\n".join(lines) + "\n"


class Server:
    """Answers on loopback: scrapes of targets, each at a path of its own, and what is posted, which it keeps."""

    def __init__(self) -> None:
        self.targets: dict[str, Target] = {}
        self.posted: list[tuple[str, dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = outer.targets[self.path.strip("/")].answer()
                self.send_response(503 if page is None else 200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(page or b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.posted.append((self.path.strip("/"), json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def add(self, service: str, name: str, **options: Any) -> Target:
        """Another target; Prometheus has to be told."""
        target = Target(service, name, **options)
        self.targets[f"{service}-{name}"] = target
        return target

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus with a folder of its own."""

    folder: Path
    server: Server
    client: httpx.Client

    def tell(self) -> None:
        """The targets that the server has now."""
        for file in self.folder.glob("*.targets.json"):
            found = [
                {
                    "targets": [self.server.address],
                    "labels": {
                        "instance": target.name,
                        "__metrics_path__": f"/{key}",
                        "__scrape_interval__": f"{target.interval}s",
                    },
                }
                for key, target in self.server.targets.items()
                if target.listed and target.service == file.name.partition(".")[0]
            ]
            new = file.with_suffix(".new")
            new.write_text(json.dumps(found))
            new.replace(file)

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        result: list[dict[str, Any]] = self.client.get("/api/v1/query", params={"query": expr}).json()[
            "data"
        ]["result"]
        return result

    def samples(self, series: str) -> list[tuple[float, float]]:
        """Each stored sample of one series, with its own time."""
        result = self.query(f"{series}[10m]")
        assert len(result) <= 1, f"{series} are several"
        return [(float(at), float(value)) for at, value in result[0]["values"]] if result else []


@contextmanager
def running_prometheus(
    folder: Path, server: Server, catalogues: list[ResolvedCatalogue], alertmanager: str = "", **settings: str
) -> Iterator[Prometheus]:
    """A Prometheus that evaluates the rules of some services, and looks and scrapes each second.

    Args:
        alertmanager: Address of the one that it sends alerts to.
        settings: More of the section `global`.
    """
    jobs = []
    for catalogue in catalogues:
        rules = prometheus.render(prometheus.compile_rules(catalogue))
        (folder / f"{catalogue.service}.rules.yml").write_text(rules)
        targets = f"{catalogue.service}.targets.json"
        (folder / targets).write_text("[]")
        jobs.append({"job_name": catalogue.service, "file_sd_configs": [{"files": [targets]}]})
    every = {"evaluation_interval": "1s", "scrape_interval": "1s", "scrape_timeout": "950ms"}
    configuration = {
        "global": {**every, **settings},
        "rule_files": ["*.rules.yml"],
        "scrape_configs": jobs,
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
        },
    }
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    address = free_address()
    words = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--scrape.discovery-reload-interval=1s",
        # What fires before Alertmanager has been discovered is not told, and told again only after this.
        "--rules.alert.resend-delay=1s",
    ]
    with (
        running("prometheus", words, folder),
        httpx.Client(base_url=f"http://{address}", timeout=10) as client,
    ):
        wait_for(lambda: ready(client))
        yield Prometheus(folder, server, client)


@contextmanager
def running(name: str, words: list[str], folder: Path) -> Iterator[None]:
    """A native program that runs in a folder while the block does."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs.locate(name)), *words], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def free_address() -> str:
    """A port of loopback that nobody has."""
    return f"127.0.0.1:{free_port(0, set())}"


def ready(client: httpx.Client) -> bool:
    """Whether a server of the Prometheus project says that it is."""
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.HTTPError:
        return False


def wait_for(
    what: Callable[[], object], seconds: float = 30, said: Callable[[], object] = lambda: ""
) -> None:
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"it did not come: {said()}"
        time.sleep(0.05)
