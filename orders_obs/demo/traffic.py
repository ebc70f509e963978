"""Bounded traffic for the demonstration: what customers do, and what goes wrong."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NORMAL", "TROUBLE", "Followed", "Phase", "Sent", "follow_one", "run_phase"]

_ORDERS = "/api/v1/orders"
_MOST_IN_FLIGHT = 60


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of traffic: what is sent, each so many times a second.

    `missing` asks for orders that do not exist, `odd` for paths and methods that do not, `leave` starts to read an export and goes
    away in the middle.
    """

    name: str
    seconds: float
    create: float = 0.0
    failing: float = 0.0
    slow: float = 0.0
    read: float = 0.0
    missing: float = 0.0
    list: float = 0.0
    cancel: float = 0.0
    odd: float = 0.0
    leave: float = 0.0


NORMAL = Phase("normal", 6, create=3, read=4, missing=1, list=1, cancel=0.4, odd=0.7, leave=0.3)
TROUBLE = Phase("trouble", 14, create=14, failing=3.5, slow=6, read=3, list=1)
"""Payments fail and are slow, and far more orders come in than usual."""


@dataclass(slots=True)
class Sent:
    """What was sent, by kind, and what came back, by status; `0` stands for no answer."""

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Followed:
    """The order that the report follows."""

    order_id: str
    trace_id: str
    request_id: str
    status: int


async def follow_one(client: httpx.AsyncClient) -> Followed:
    """Create one order with a trace id of our own.

    Raises:
        httpx.HTTPError: The API does not answer.
    """
    trace_id = f"{random.getrandbits(128) or 1:032x}"
    headers = {"traceparent": f"00-{trace_id}-{random.getrandbits(64) or 1:016x}-01"}
    answer = await client.post(_ORDERS, json=_order("tok_ok"), headers=headers)
    content = answer.json() if answer.status_code == 201 else {}
    return Followed(
        content.get("id", ""), trace_id, answer.headers.get("x-request-id", ""), answer.status_code
    )


async def run_phase(
    client: httpx.AsyncClient, phase: Phase, sent: Sent, *, until: Callable[[], bool] = lambda: False
) -> None:
    """Send one phase's traffic; it ends by itself after its time, and earlier when `until` says so.

    No failed request ends it; at most 60 are under way at once, beyond which none is sent.
    """
    kinds = {
        "create": (phase.create, _create),
        "failing": (phase.failing, _failing),
        "slow": (phase.slow, _slow),
        "read": (phase.read, _read),
        "missing": (phase.missing, _missing),
        "list": (phase.list, _list),
        "cancel": (phase.cancel, _cancel),
        "odd": (phase.odd, _odd),
        "leave": (phase.leave, _leave),
    }
    known: list[str] = []
    due = dict.fromkeys(kinds, 0.0)
    tasks: set[asyncio.Task[None]] = set()
    start = last = time.monotonic()
    while time.monotonic() - start < phase.seconds and not until():
        now = time.monotonic()
        for kind, (rate, send) in kinds.items():
            due[kind] += rate * (now - last)
            while due[kind] >= 1:
                due[kind] -= 1
                if len(tasks) < _MOST_IN_FLIGHT:
                    sent.kinds[kind] += 1
                    task = asyncio.create_task(_safely(send, client, known, sent))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
        last = now
        await asyncio.sleep(0.02)
    if tasks:
        _, left = await asyncio.wait(tasks, timeout=5)
        for task in left:
            task.cancel()


async def _safely(send: object, client: httpx.AsyncClient, known: list[str], sent: Sent) -> None:
    try:
        status: int = await send(client, known)  # type: ignore[operator]  # one of the coroutines below
    except httpx.HTTPError:
        status = 0
    sent.statuses[status] += 1


def _order(token: str) -> dict[str, object]:
    items = [
        {
            "sku": f"sku-{random.randrange(50)}",
            "quantity": random.randint(1, 3),
            "price_cents": random.randrange(100, 9900),
        }
        for _ in range(random.randint(1, 3))
    ]
    return {"customer_id": f"cus_{random.randrange(1000)}", "items": items, "payment_token": token}


async def _post(client: httpx.AsyncClient, known: list[str], token: str) -> int:
    answer = await client.post(_ORDERS, json=_order(token))
    if answer.status_code == 201:
        known.append(answer.json()["id"])
        del known[:-200]
    return answer.status_code


async def _create(client: httpx.AsyncClient, known: list[str]) -> int:
    return await _post(client, known, "tok_declined" if random.random() < 0.05 else "tok_ok")


async def _failing(client: httpx.AsyncClient, known: list[str]) -> int:
    return await _post(client, known, "tok_error")


async def _slow(client: httpx.AsyncClient, known: list[str]) -> int:
    return await _post(client, known, "tok_slow")


async def _read(client: httpx.AsyncClient, known: list[str]) -> int:
    order_id = random.choice(known) if known else "ord_none"
    return (await client.get(f"{_ORDERS}/{order_id}")).status_code


async def _missing(client: httpx.AsyncClient, _known: list[str]) -> int:
    return (await client.get(f"{_ORDERS}/ord_{random.getrandbits(64):016x}")).status_code


async def _list(client: httpx.AsyncClient, _known: list[str]) -> int:
    return (await client.get(_ORDERS, params={"limit": 10})).status_code


async def _cancel(client: httpx.AsyncClient, known: list[str]) -> int:
    order_id = known.pop(0) if known else "ord_none"
    return (await client.post(f"{_ORDERS}/{order_id}/cancel")).status_code


async def _odd(client: httpx.AsyncClient, _known: list[str]) -> int:
    if random.random() < 0.5:
        return (await client.get(f"/wp-admin/{random.getrandbits(32):x}.php")).status_code
    return (await client.request("BREW", _ORDERS)).status_code


async def _leave(client: httpx.AsyncClient, _known: list[str]) -> int:
    async with client.stream("GET", f"{_ORDERS}/export", params={"rows": 200}) as answer:
        async for _ in answer.aiter_raw():
            return answer.status_code  # after the first piece; leaving the block closes the connection
    return answer.status_code
