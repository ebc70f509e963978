"""The demo's services, each behaviour once, with telemetry on: they are what an application team would write."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from orders_obs.telemetry import runtime
from orders_obs.telemetry.export.delivery import Delivery
from orders_obs.telemetry.export.lines import LineWriter

Talk = Callable[..., Any]
ORDER = {
    "customer_id": "c1",
    "items": [{"sku": "a", "quantity": 2, "price_cents": 500}, {"sku": "b", "quantity": 1, "price_cents": 1}],
}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    written: list[dict[str, Any]] = []
    monkeypatch.setattr(LineWriter, "write", lambda _self, line: written.append(json.loads(line)))
    monkeypatch.setattr(runtime, "_present", None)
    monkeypatch.setattr(Delivery, "chain_sigterm", lambda _self: None)
    root = logging.getLogger()
    finders, handlers, level = list(sys.meta_path), list(root.handlers), root.level
    root.handlers.clear()
    structlog.reset_defaults()
    yield written
    structlog.reset_defaults()
    sys.meta_path[:] = finders
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def talk(tmp_path: Path, lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Talk]:
    """`talk("POST", "/api/v1/orders", json=…)` asks the orders API, whose payments API runs in the same process."""
    monkeypatch.setenv("ORDERS_DATABASE_URL", f"sqlite:///{tmp_path / 'module.db'}")
    from examples.orders_api import payments
    from examples.orders_api.app import create_app

    monkeypatch.setattr(payments, "DELAY", 0.0)
    monkeypatch.setattr(payments, "SLOW", 0.01)
    app = create_app(f"sqlite:///{tmp_path / 'orders.db'}", None, "http://payments")
    services = app.state.services
    services.store.create_tables()
    services.payments.close()

    def pay(request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(payments.app), base_url="http://payments"
            ) as client:
                return await client.post("/charges", content=request.content, headers=request.headers)

        answer = asyncio.run(ask())
        return httpx.Response(answer.status_code, content=answer.content)

    services.payments = httpx.Client(transport=httpx.MockTransport(pay), base_url="http://payments")

    def ask(method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://orders") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    yield ask
    services.payments.close()
    services.store.engine.dispose()


def test_an_order_is_created_paid_read_listed_and_cancelled(talk: Talk) -> None:
    created = talk("POST", "/api/v1/orders", json=ORDER)
    assert created.status_code == 201
    order = created.json()
    assert (order["status"], order["total_cents"], len(order["items"])) == ("paid", 1001, 2)
    assert talk("GET", f"/api/v1/orders/{order['id']}").json() == order
    assert talk("GET", "/api/v1/orders").json() == [order]
    cancelled = talk("POST", f"/api/v1/orders/{order['id']}/cancel").json()
    assert cancelled["status"] == "cancelled"
    assert talk("GET", f"/api/v1/orders/{order['id']}").json()["status"] == "cancelled"
    assert talk("POST", f"/api/v1/orders/{order['id']}/cancel").status_code == 409


@pytest.mark.parametrize(("token", "status"), [("tok_declined", 402), ("tok_error", 502), ("tok_slow", 201)])
def test_the_switches_of_the_payments(talk: Talk, token: str, status: int) -> None:
    assert talk("POST", "/api/v1/orders", json={**ORDER, "payment_token": token}).status_code == status
    assert talk("GET", "/api/v1/orders").json()[0]["status"] == ("paid" if status == 201 else "failed")


def test_payments_that_do_not_answer_are_a_503(
    talk: Talk, tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    from examples.orders_api.app import create_app

    app = create_app(f"sqlite:///{tmp_path / 'two.db'}", None, "http://127.0.0.1:9")
    app.state.services.store.create_tables()

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orders") as client:
            return await client.post("/api/v1/orders", json=ORDER)

    assert asyncio.run(send()).status_code == 503
    assert [line["reason"] for line in lines if "reason" in line] == ["ConnectError"]
    app.state.services.payments.close()
    app.state.services.store.engine.dispose()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/orders/ord_none", 404),
        ("POST", "/api/v1/orders/ord_none/cancel", 404),
        ("POST", "/api/v1/orders", 422),
        ("GET", "/api/v1/orders?limit=0", 422),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 200),
    ],
)
def test_what_else_it_answers(talk: Talk, method: str, path: str, status: int) -> None:
    assert talk(method, path).status_code == status


def test_the_export_streams_every_order_once(talk: Talk) -> None:
    ids = {talk("POST", "/api/v1/orders", json=ORDER).json()["id"] for _ in range(12)}
    rows = [json.loads(line) for line in talk("GET", "/api/v1/orders/export?rows=50").text.splitlines()]
    assert sorted(row["id"] for row in rows) == sorted(ids)


def test_the_lines_of_a_request_carry_order_customer_total_and_items(
    talk: Talk, lines: list[dict[str, Any]]
) -> None:
    created = talk("POST", "/api/v1/orders", json=ORDER)
    mine = [line for line in lines if line.get("request_id") == created.headers["x-request-id"]]
    assert [line["event"] for line in mine] == ["order created", "API metrics"]
    for line in mine:
        assert (line["order_id"], line["customer_id"]) == (created.json()["id"], "c1")
        assert (line["total"], line["items"]) == (10.01, 2)
    assert mine[1]["db_query_time_ms"] > 0
    assert mine[1]["cache_hit"] is None


def test_a_read_says_whether_the_cache_had_it(talk: Talk, lines: list[dict[str, Any]]) -> None:
    order_id = talk("POST", "/api/v1/orders", json=ORDER).json()["id"]
    talk("GET", f"/api/v1/orders/{order_id}")
    talk("POST", f"/api/v1/orders/{order_id}/cancel")
    talk("GET", f"/api/v1/orders/{order_id}")
    reads = [
        line
        for line in lines
        if line["event"] == "API metrics" and line["endpoint"] == "/api/v1/orders/{order_id}"
    ]
    assert [line["cache_hit"] for line in reads] == [True, False]


def test_the_caches_entries_run_out_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from examples.orders_api import cache

    now = [100.0]
    monkeypatch.setattr("examples.orders_api.cache.time.monotonic", lambda: now[0])
    made = cache.MemoryCache(size=2)
    for key in "abc":
        made.set(key, key)
    assert [made.get(key) for key in "abc"] == [None, "b", "c"]
    made.drop("b")
    now[0] += 61
    assert [made.get(key) for key in "bc"] == [None, None]
