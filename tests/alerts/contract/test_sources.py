"""Declarations are read as the real prometheus_client exposes them: each module here is read, then imported and scraped."""

from __future__ import annotations

import itertools
import math
import re
import runpy
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from orders_obs.alerts.contract.check import _le
from orders_obs.alerts.contract.sources import Source, read_sources

if TYPE_CHECKING:
    from orders_obs.alerts.contract.model import Emitted

_numbers = itertools.count()


@dataclass(frozen=True)
class Scraped:
    """What a scrape of the real thing shows of one family: types of its names, labels of its samples, texts of `le`."""

    types: dict[str, str]
    labels: dict[str, set[str]]
    bounds: set[str]


def scrape(path: Path) -> Scraped:
    """Run a module for real, and what its metrics expose."""
    before = set(REGISTRY._collector_to_names)
    try:
        runpy.run_path(str(path))
        fresh = CollectorRegistry()
        added: list[Any] = [c for c in REGISTRY._collector_to_names if c not in before]
        for collector in added:
            if getattr(collector, "_labelnames", ()):
                collector.labels(*("x" for _ in collector._labelnames))
            fresh.register(collector)
        return parsed(generate_latest(fresh).decode())
    finally:
        for collector in [c for c in REGISTRY._collector_to_names if c not in before]:
            REGISTRY.unregister(collector)


def parsed(text: str) -> Scraped:
    types: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    bounds: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            types[name] = kind
        elif not line.startswith("#"):
            name, inside = re.match(r"([\w:]+)(?:\{(.*)\})? ", line).groups()  # type: ignore[union-attr]
            found = dict(re.findall(r'(\w+)="([^"]*)"', inside or ""))
            labels.setdefault(name, set()).update(found)
            if "le" in found:
                bounds.add(found["le"])
    return Scraped(types, labels, bounds)


def read(folder: Path, text: str, name: str = "metrics.py") -> Source:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text))
    return read_sources([folder])


EXPOSED = {"info": "gauge", "stateset": "gauge"}


def assert_same(emitted: list[Emitted], scraped: Scraped) -> None:
    assert {name for metric in emitted for name in metric.series} == set(scraped.labels)
    for metric in emitted:
        shown = metric.name
        assert scraped.types[shown] == EXPOSED.get(metric.kind, metric.kind), metric
        for name, part in metric.series.items():
            own = set(metric.labels or ()) | ({"le"} if part == "bucket" else set())
            assert own == scraped.labels[name], name
    histograms = [metric for metric in emitted if metric.kind == "histogram"]
    if len(histograms) == 1:
        assert {_le(bound) for bound in (*(histograms[0].buckets or ()), math.inf)} == scraped.bounds


FORMS = {
    "a_counter_gets_total": 'from prometheus_client import Counter\nC = Counter("orders", "Orders.")',
    "a_counter_that_has_total_keeps_it": 'from prometheus_client import Counter\nC = Counter("orders_total", "Orders.")',
    "positional_labels": 'from prometheus_client import Counter\nC = Counter("a", "A.", ["x", "y"])',
    "keywords": 'from prometheus_client import Gauge\nG = Gauge(documentation="A.", name="a", labelnames=("x",))',
    "namespace_subsystem_unit": (
        "from prometheus_client import Counter\n"
        'C = Counter("cpu_total", "A.", namespace="n", subsystem="s", unit="seconds")'
    ),
    "positional_namespace": 'from prometheus_client import Gauge\nG = Gauge("a", "A.", (), "n", "s", "bytes")',
    "a_unit_that_stands_there": 'from prometheus_client import Gauge\nG = Gauge("a_bytes", "A.", unit="bytes")',
    "default_buckets": 'from prometheus_client import Histogram\nH = Histogram("a_seconds", "A.", ["x"])',
    "own_buckets": 'from prometheus_client import Histogram\nH = Histogram("a", "A.", buckets=[0.1, 1, float("inf")])',
    "buckets_as_text": 'from prometheus_client import Histogram\nH = Histogram("a", "A.", buckets=("0.1", "5"))',
    "large_buckets": 'from prometheus_client import Histogram\nH = Histogram("a_bytes", "A.", buckets=(1000, 1e6, 2.5e7))',
    "computed_buckets": (
        "from prometheus_client import Histogram\nH = Histogram('a', 'A.', buckets=[0.1 * 2**i for i in range(8)])"
    ),
    "buckets_below_zero": 'from prometheus_client import Histogram\nH = Histogram("a", "A.", buckets=(-1, 0, 1))',
    "more_than_the_default": (
        "from prometheus_client import Histogram\n"
        'H = Histogram("a", "A.", buckets=(*Histogram.DEFAULT_BUCKETS[:-1], 30.0))'
    ),
    "summary": 'from prometheus_client import Summary\nS = Summary("a_seconds", "A.", ["x"])',
    "info": 'from prometheus_client import Info\nI = Info("build", "A.")\nI.info({"version": "1", "commit": "x"})',
    "enum": 'from prometheus_client import Enum\nE = Enum("state", "A.", ["x"], states=["on", "off"])',
    "alias": 'from prometheus_client import Counter as C\nX = C("a", "A.")',
    "module_alias": 'import prometheus_client as prom\nX = prom.Counter("a", "A.")',
    "submodule": 'from prometheus_client.metrics import Gauge\nX = Gauge("a", "A.")',
    "constants": (
        'from prometheus_client import Counter\nP = "shop"\nL = ("x",)\nN: str = P + "_orders"\n'
        'C = Counter(f"{N}_done", "A.", [*L, "y"])'
    ),
    "class_constants": (
        'from prometheus_client import Gauge\nclass Names:\n    A = "queue_length"\nG = Gauge(Names.A, "A.")'
    ),
    "enumeration": (
        "import enum\nfrom prometheus_client import Gauge\nclass N(enum.Enum):\n    A = 'q'\nG = Gauge(N.A.value, 'A.')"
    ),
    "loop": (
        "from prometheus_client import Counter\nALL = {}\n"
        'for name, labels in (("a", ["x"]), ("b", [])):\n    ALL[name] = Counter(f"jobs_{name}", "A.", labels)'
    ),
    "comprehension": (
        "from prometheus_client import Counter\n"
        'ALL = {n: Counter(f"jobs_{n}", "A.") for n in ["a", "b"]}'
    ),
    "helper": (
        "from prometheus_client import Counter\n"
        'def make(name, labels=(), *, prefix="app"):\n    return Counter(f"{prefix}_{name}", "A.", labels)\n'
        'A = make("a")\nB = make("b", ["x"], prefix="other")'
    ),
    "partial": (
        "from functools import partial\nfrom prometheus_client import Histogram\n"
        'H = partial(Histogram, namespace="n", buckets=(1, 2))\nA = H("a", "A.")'
    ),
    "subclass": (
        'from prometheus_client import Counter\nclass Mine(Counter):\n    """Ours."""\nA = Mine("a", "A.")'
    ),
    "in_a_class": (
        "from prometheus_client import Counter\nclass M:\n    PRE = 'm'\n    def __init__(self):\n"
        "        self.a = Counter(f'{self.PRE}_a', 'A.')\nM()"
    ),
    "format": "from prometheus_client import Gauge\nG = Gauge('{}_%s'.format('a') % 'b', 'A.')",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_declaration_is_read_as_it_is_exposed(form: str, tmp_path: Path) -> None:
    source = read(tmp_path, FORMS[form])
    assert not source.findings
    assert not source.unread
    assert source.emitted
    assert_same(source.emitted, scrape(tmp_path / "metrics.py"))


FAMILIES = """
from prometheus_client import REGISTRY
from prometheus_client.core import (
    CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, StateSetMetricFamily, SummaryMetricFamily,
)

class Collector:
    def collect(self):
        yield GaugeMetricFamily("queue_length", "A.", value=3)
        jobs = CounterMetricFamily("jobs_total", "A.", labels=["queue"])
        jobs.add_metric(["a"], 1)
        yield jobs
        ages = HistogramMetricFamily("age_seconds", "A.", labels=["queue"])
        ages.add_metric(["a"], [("1.0", 1), ("+Inf", 2)], 3)
        yield ages
        sizes = SummaryMetricFamily("size", "A.", labels=["queue"], unit="bytes")
        sizes.add_metric(["a"], 1, 2)
        yield sizes

REGISTRY.register(Collector())
"""


def test_families_of_a_custom_collector_are_read_as_they_are_exposed(tmp_path: Path) -> None:
    source = read(tmp_path, FAMILIES)
    scraped = scrape(tmp_path / "metrics.py")
    without_created = {n for m in source.emitted for n in m.series if not n.endswith("_created")}
    assert without_created == set(scraped.labels)
    assert {m.name: m.kind for m in source.emitted} == scraped.types
    assert {m.name: m.labels for m in source.emitted} == {
        "queue_length": (), "jobs_total": ("queue",), "age_seconds": ("queue",), "size_bytes": ("queue",),
    }  # fmt: skip
    assert next(m for m in source.emitted if m.kind == "histogram").buckets is None


_NAMES = st.from_regex(r"[a-z]{1,6}(_[a-z]{1,4})?(_total|_seconds|_info)?", fullmatch=True)
_LABELS = st.lists(
    st.from_regex(r"[a-z]{3,8}", fullmatch=True).filter(lambda n: n != "quantile"), unique=True, max_size=3
)
_BOUNDS = st.lists(
    st.floats(1e-3, 1e5, allow_nan=False).map(lambda f: round(f, 3)), unique=True, min_size=1, max_size=5
)


@st.composite
def declarations(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["Counter", "Gauge", "Histogram", "Summary", "Enum"]))
    words: dict[str, Any] = {"name": draw(_NAMES), "documentation": "A.", "labelnames": draw(_LABELS)}
    for word in ("namespace", "subsystem"):
        if draw(st.booleans()):
            words[word] = draw(st.from_regex(r"[a-z]{1,5}", fullmatch=True))
    if kind != "Enum" and draw(st.booleans()):
        words["unit"] = draw(st.sampled_from(["seconds", "bytes", "ratio"]))
    if kind == "Histogram" and draw(st.booleans()):
        words["buckets"] = sorted(draw(_BOUNDS))
    if kind == "Enum":
        words["states"] = draw(
            st.lists(st.from_regex(r"[a-z]{1,4}", fullmatch=True), unique=True, min_size=1, max_size=3)
        )
        words["labelnames"] = [one for one in words["labelnames"] if one != words["name"]]
    positional = draw(st.integers(0, 3))
    head = list(words)[:positional]
    constants, arguments = [], []
    for name, value in words.items():
        text = repr(value)
        style = draw(st.sampled_from(["plain", "constant", "split"]))
        if style == "constant":
            constants.append(f"{name.upper()}_ = {text}")
            text = f"{name.upper()}_"
        elif style == "split" and isinstance(value, str):
            middle = len(value) // 2
            constants.append(f"{name.upper()}_ = {value[:middle]!r}")
            text = f'f"{{{name.upper()}_}}{value[middle:]}"'
        arguments.append(text if name in head else f"{name}={text}")
    imported, called = draw(
        st.sampled_from(
            [
                (f"from prometheus_client import {kind}", kind),
                (f"from prometheus_client import {kind} as K", "K"),
                ("import prometheus_client", f"prometheus_client.{kind}"),
                ("import prometheus_client as p", f"p.{kind}"),
            ]
        )
    )
    return "\n".join([imported, *constants, f"METRIC = {called}({', '.join(arguments)})", ""])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(declarations())
def test_any_declaration_is_read_as_it_is_exposed(tmp_path: Path, text: str) -> None:
    folder = tmp_path / str(next(_numbers))
    source = read(folder, text)
    if source.findings:
        assert [finding.rule for finding in source.findings] == ["declaration-refused"]
        with pytest.raises(ValueError):
            scrape(folder / "metrics.py")
    else:
        assert_same(source.emitted, scrape(folder / "metrics.py"))


@pytest.mark.parametrize(
    "text",
    [
        'Histogram("a", "A.", buckets=(2, 1))',
        'Histogram("a", "A.", buckets=())',
        'Histogram("a", "A.", ["le"])',
        'Summary("a", "A.", ["quantile"])',
        'Counter("a", "A.", ["__x"])',
        'Counter("", "A.")',
        'Enum("a", "A.")',
        'Info("a", "A.", unit="bytes")',
    ],
)
def test_a_declaration_that_raises_where_it_runs_is_an_error(text: str, tmp_path: Path) -> None:
    source = read(
        tmp_path, f"from prometheus_client import Counter, Enum, Histogram, Info, Summary\n{text}\n"
    )
    assert [(f.rule, f.level, f.where) for f in source.findings] == [
        ("declaration-refused", "error", f"{tmp_path / 'metrics.py'}:2")
    ]
    with pytest.raises(ValueError):
        scrape(tmp_path / "metrics.py")


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ('Counter(os.environ["N"], "A.")', ".+", "anything_total"),
        ('Info(os.environ["N"], "A.")', ".+", "anything_info"),
        ('Counter(os.environ["N"] + "_orders", "A.")', "_orders", "shop_orders_total"),
        ('Gauge("q", "A.", namespace=os.environ["N"])', "_q", "shop_q"),
        ("def f(n):\n    return Gauge(f'job_{n}', 'A.')", "job_", "job_x"),
    ],
)
def test_a_name_that_depends_on_the_run_is_said_with_what_is_known_of_it(
    text: str, pattern: str, fits: str, tmp_path: Path
) -> None:
    source = read(tmp_path, f"import os\nfrom prometheus_client import Counter, Gauge, Info\n{text}\n")
    assert source.emitted == []
    (unread,) = source.unread
    assert unread.where.startswith(str(tmp_path / "metrics.py"))
    assert pattern in unread.pattern
    assert re.fullmatch(unread.pattern, fits)
    assert unread.says_nothing == (pattern == ".+")


def test_labels_that_cannot_be_read_are_said_and_the_metric_is_kept(tmp_path: Path) -> None:
    source = read(
        tmp_path, "from prometheus_client import Counter\nimport x\nC = Counter('a', 'A.', x.LABELS)\n"
    )
    assert [(m.name, m.labels) for m in source.emitted] == [("a_total", None)]
    assert [(f.rule, f.level) for f in source.findings] == [("declaration-not-read", "info")]


SERVICE = {
    "shop/__init__.py": "",
    "shop/names.py": 'PREFIX = "shop"\nBUCKETS = (0.1, 0.5, 1.0, 5.0)\nHTTP = ("method", "path")\n',
    "shop/metrics.py": (
        "from prometheus_client import Counter, Gauge, Histogram\n"
        "from . import names\nfrom .names import BUCKETS, HTTP, PREFIX\n\n"
        'REQUESTS = Counter("requests", "Requests.", [*HTTP, "status"], namespace=PREFIX)\n'
        'LATENCY = Histogram(f"{PREFIX}_request_duration_seconds", "Time.", HTTP, buckets=BUCKETS)\n'
        'CHECKOUTS = Counter(f"{names.PREFIX}_checkouts_total", "Checkouts.", labelnames=["outcome"])\n'
        'CARTS = Gauge("carts", "Open carts.", namespace=names.PREFIX)\n'
    ),
    "shop/api.py": (
        "import time\nfrom fastapi import FastAPI, Request\nfrom prometheus_client import make_asgi_app\n"
        "from shop.metrics import CARTS, CHECKOUTS, LATENCY, REQUESTS\n\n"
        'app = FastAPI()\napp.mount("/metrics", make_asgi_app())\n\n'
        '@app.middleware("http")\nasync def measure(request: Request, call_next):\n'
        "    started = time.perf_counter()\n    response = await call_next(request)\n"
        "    REQUESTS.labels(request.method, request.url.path, response.status_code).inc()\n"
        "    LATENCY.labels(method=request.method, path=request.url.path).observe(time.perf_counter() - started)\n"
        "    return response\n\n"
        '@app.post("/checkout")\ndef checkout(ok: bool = True):\n    CARTS.dec()\n'
        '    CHECKOUTS.labels("paid" if ok else "declined").inc()\n    return {}\n\n'
        '@app.post("/fail")\ndef fail():\n    CHECKOUTS.labels(outcome="failed").inc()\n    return {}\n'
    ),
    "tests/test_api.py": 'from prometheus_client import Counter\nC = Counter("of_a_test", "A.")\n',
    ".venv/lib/x.py": 'from prometheus_client import Counter\nC = Counter("of_a_library", "A.")\n',
    "node_modules/x.py": "not Python at all (",
}


@pytest.fixture
def service(tmp_path: Path) -> Path:
    for name, text in SERVICE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("root", ["", "shop"])
def test_a_service_s_constants_are_followed_through_its_modules(
    service: Path, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read_sources([service / root])
    assert not source.findings
    assert not source.unread
    monkeypatch.syspath_prepend(str(service))
    (service / "run.py").write_text("import shop.metrics\n")
    try:
        assert_same(source.emitted, scrape(service / "run.py"))
    finally:
        import sys

        for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
            del sys.modules[name]


def test_a_label_s_values_are_known_where_every_call_gives_a_constant(service: Path) -> None:
    values = {metric.name: dict(metric.values) for metric in read_sources([service]).emitted}
    assert values["shop_checkouts_total"] == {"outcome": ("paid", "declined", "failed")}
    assert values["shop_requests_total"] == {}


@pytest.mark.parametrize(
    "more",
    [
        "def f(x): C.labels(outcome=x).inc()",
        "def f(x): C.labels(*x).inc()",
        "def f(x): C.labels(**x).inc()",
        "other = C",
        "register(C)",
        "child = C.labels",
    ],
)
def test_a_label_s_values_are_open_where_a_metric_goes_out_of_sight(more: str, tmp_path: Path) -> None:
    head = (
        "from prometheus_client import Counter\nC = Counter('c', 'C.', ['outcome'])\nC.labels('paid').inc()\n"
    )
    assert dict(read(tmp_path, head).emitted[0].values) == {"outcome": ("paid",)}
    assert dict(read(tmp_path, f"{head}{more}\n").emitted[0].values) == {}


def test_tests_are_read_where_one_asks(service: Path) -> None:
    assert "of_a_test_total" in {metric.name for metric in read_sources([service], tests=True).emitted}


def test_a_file_that_is_no_python_is_said(tmp_path: Path) -> None:
    source = read(tmp_path, "def (\n")
    assert [(f.rule, f.where) for f in source.findings] == [
        ("source-not-read", f"{tmp_path / 'metrics.py'}:1")
    ]


def test_the_library_s_own_declarations_are_read(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        """
        from orders_obs import metrics
        import orders_obs as o

        A = metrics.counter("refunds", labels={"status": ["done", "failed"]})
        B = o.metrics.histogram("refund_seconds", "How long.", buckets=(0.1, 1), labels=("kind",))
        C = metrics.gauge("refunds_open")
        metrics.orders_created.labels(status="refunded").inc()
        """,
    )
    assert source.uses_ours
    assert [(m.name, m.kind, m.labels, m.buckets) for m in source.emitted] == [
        ("refunds_total", "counter", ("status",), None),
        ("refund_seconds", "histogram", ("kind",), (0.1, 1.0)),
        ("refunds_open", "gauge", (), None),
    ]
    assert dict(source.emitted[0].values) == {"status": ("done", "failed")}
    assert source.calls == {"orders_created_total": {"status": ("refunded",)}}


def test_the_library_s_own_declarations_are_read_as_the_library_exposes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orders_obs.telemetry import guard
    from orders_obs.telemetry.metrics.api import Metrics

    # The newest metrics count telemetry's own faults: those of the process are to do so again afterwards.
    monkeypatch.setattr(guard, "_count", guard._count)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.counter("refunds", labels={"status": ["done", "failed"]})
    metrics.gauge("refunds_open").set(1)
    metrics.histogram("refund_seconds", buckets=(0.1, 1), labels={"kind": ["a"]})
    source = read(
        tmp_path,
        """
        from orders_obs import metrics
        metrics.counter("refunds", labels={"status": ["done", "failed"]})
        metrics.gauge("refunds_open").set(1)
        metrics.histogram("refund_seconds", buckets=(0.1, 1), labels={"kind": ["a"]})
        """,
    )
    assert_same(source.emitted, parsed(generate_latest(registry).decode()))


@pytest.mark.parametrize(
    ("call", "name", "kind"),
    [
        ('create_counter("http.server.requests", unit="{request}")', "http_server_requests_total", "counter"),
        (
            'create_histogram("http.server.request.duration", "s")',
            "http_server_request_duration_seconds",
            "histogram",
        ),
        ('create_observable_gauge("pool.use", callbacks=[], unit="1")', "pool_use_ratio", "gauge"),
        ('create_up_down_counter("queue.size", unit="By")', "queue_size_bytes", "gauge"),
        ('create_counter("io", unit="By/s")', "io_bytes_per_second_total", "counter"),
    ],
)
def test_instruments_of_opentelemetry_get_the_names_that_prometheus_gives_them(
    call: str, name: str, kind: str, tmp_path: Path
) -> None:
    source = read(
        tmp_path, f"from opentelemetry import metrics\nmeter = metrics.get_meter('x')\nA = meter.{call}\n"
    )
    assert [(m.name, m.kind, m.labels) for m in source.emitted] == [(name, kind, None)]


def test_reading_follows_no_folder_twice_and_no_link_out(service: Path) -> None:
    assert read_sources([service, service / "shop"]).files == read_sources([service]).files
    (service / "shop" / "loop").symlink_to(service)
    assert read_sources([service]).files == 4
