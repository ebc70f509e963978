"""The orders API: `uvicorn examples.orders_api.app:app`.

ORDERS_DATABASE_URL   SQLAlchemy URL; a SQLite file in the temporary folder by default
ORDERS_REDIS_URL      such as redis://127.0.0.1:6379/0; a cache in memory by default
ORDERS_PAYMENTS_URL   the payments API; http://127.0.0.1:8001 by default
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from examples.orders_api.cache import Cache, open_cache
from examples.orders_api.store import OrderRow, Store
from orders_obs import bind_context, get_logger, instrument, metrics, span

log = get_logger(__name__)


class Item(BaseModel):
    sku: str = Field(min_length=1, max_length=64)
    quantity: int = Field(gt=0, le=1000)
    price_cents: int = Field(ge=0, le=10_000_000)


class NewOrder(BaseModel):
    customer_id: str = Field(min_length=1, max_length=64)
    items: list[Item] = Field(min_length=1, max_length=100)
    # What the payments API is to do with it: tok_ok, tok_declined, tok_error, tok_slow.
    payment_token: str = Field(default="tok_ok", max_length=64)


class Order(BaseModel):
    id: str
    customer_id: str
    status: str
    total_cents: int
    items: list[Item]


class Services:
    """What the handlers use, one of each per application."""

    def __init__(self, database_url: str, redis_url: str | None, payments_url: str) -> None:
        self.store = Store(database_url)
        self.cache: Cache = open_cache(redis_url)
        self.payments = httpx.Client(base_url=payments_url, timeout=5.0)


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Use = Annotated[Services, Depends(services)]
router = APIRouter(prefix="/api/v1/orders", tags=["orders"])


@router.post("", status_code=201)
def create_order(new: NewOrder, use: Use) -> Order:
    bind_context(customer_id=new.customer_id, items=len(new.items))
    with span("create-order", customer_id=new.customer_id, item_count=len(new.items)) as current:
        row = use.store.create(new.customer_id, [(i.sku, i.quantity, i.price_cents) for i in new.items])
        bind_context(order_id=row.id, total=row.total_cents / 100)
        current.set_attribute("order_id", row.id)
        try:
            pay(use, row, new.payment_token)
        except HTTPException:
            use.store.set_status(row.id, "failed")
            metrics.orders_created.labels(status="failed").inc()
            raise
        row = use.store.set_status(row.id, "paid") or row
        order = show(row)
        use.cache.set(row.id, order.model_dump_json())
        current.add_event("order_created", {"order_id": row.id})
    metrics.orders_created.labels(status="success").inc()
    log.info("order created")
    return order


@router.get("")
def list_orders(
    use: Use, limit: Annotated[int, Query(ge=1, le=100)] = 20, offset: Annotated[int, Query(ge=0)] = 0
) -> list[Order]:
    return [show(row) for row in use.store.page(limit, offset)]


@router.get("/export")
async def export_orders(use: Use, rows: Annotated[int, Query(ge=1, le=1000)] = 100) -> StreamingResponse:
    async def lines() -> AsyncIterator[bytes]:
        sent = 0
        while sent < rows:
            page = await asyncio.to_thread(use.store.page, min(10, rows - sent), sent)
            if not page:
                return
            for row in page:
                yield (
                    json.dumps({"id": row.id, "status": row.status, "total_cents": row.total_cents}).encode()
                    + b"\n"
                )
                # As slowly as a report that works something out, so that a client can leave in the middle.
                await asyncio.sleep(0.02)
            sent += len(page)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@router.get("/{order_id}")
def read_order(order_id: str, use: Use) -> Order:
    bind_context(order_id=order_id)
    cached = use.cache.get(order_id)
    if cached is not None:
        return Order.model_validate_json(cached)
    order = show(found(use.store.get(order_id)))
    use.cache.set(order_id, order.model_dump_json())
    return order


@router.post("/{order_id}/cancel")
def cancel_order(order_id: str, use: Use) -> Order:
    bind_context(order_id=order_id)
    if found(use.store.get(order_id)).status == "cancelled":
        raise HTTPException(409, "the order is cancelled already")
    row = found(use.store.set_status(order_id, "cancelled"))
    use.cache.drop(order_id)
    log.info("order cancelled")
    return show(row)


def pay(use: Services, row: OrderRow, token: str) -> None:
    try:
        answer = use.payments.post(
            "/charges", json={"order_id": row.id, "amount_cents": row.total_cents, "token": token}
        )
    except httpx.HTTPError as error:
        log.error("the payments API does not answer", reason=type(error).__name__)
        raise HTTPException(503, "payments are not available") from error
    if answer.status_code == 402:
        raise HTTPException(402, "the payment was declined")
    if answer.status_code >= 400:
        log.error("the payments API failed", payment_status=answer.status_code)
        raise HTTPException(502, "the payment failed")


def found(row: OrderRow | None) -> OrderRow:
    if row is None:
        raise HTTPException(404, "there is no such order")
    return row


def show(row: OrderRow) -> Order:
    items = [Item(sku=item.sku, quantity=item.quantity, price_cents=item.price_cents) for item in row.items]
    return Order(
        id=row.id, customer_id=row.customer_id, status=row.status, total_cents=row.total_cents, items=items
    )


def create_app(
    database_url: str | None = None, redis_url: str | None = None, payments_url: str | None = None
) -> FastAPI:
    """The application with its services; what is not given comes from the environment."""
    default = f"sqlite:///{Path(tempfile.gettempdir()) / 'orders-api.db'}"
    use = Services(
        database_url or os.environ.get("ORDERS_DATABASE_URL") or default,
        redis_url or os.environ.get("ORDERS_REDIS_URL") or None,
        payments_url or os.environ.get("ORDERS_PAYMENTS_URL") or "http://127.0.0.1:8001",
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(use.store.create_tables)
        yield
        use.payments.close()
        use.store.engine.dispose()

    application = FastAPI(title="Orders API", version="1.4.2", lifespan=lifespan)
    application.state.services = use
    application.include_router(router)
    checks: dict[str, Any] = {"database": use.store.ping, "cache": use.cache.ping}
    return instrument(application, service="orders-api", version="1.4.2", readiness=checks)


app = create_app()
