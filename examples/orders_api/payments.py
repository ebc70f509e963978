"""The payments API that the orders API calls: `uvicorn examples.orders_api.payments:app --port 8001`.

What becomes of a charge is in its token: `tok_ok`, `tok_declined`, `tok_error`, `tok_slow`.
PAYMENTS_FAIL_RATIO   share of all other charges that fail, 0 to 1
PAYMENTS_DELAY_MS     how long each charge takes at least; 15 by default
"""

from __future__ import annotations

import asyncio
import os
import random

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from orders_obs import bind_context, get_logger, instrument, span

FAIL_RATIO = float(os.environ.get("PAYMENTS_FAIL_RATIO", "0"))
DELAY = float(os.environ.get("PAYMENTS_DELAY_MS", "15")) / 1000
SLOW = 1.3

log = get_logger(__name__)
app = instrument(FastAPI(title="Payments API", version="2.0.1"), service="payments-api", version="2.0.1")


class Charge(BaseModel):
    order_id: str
    amount_cents: int = Field(ge=0)
    token: str = Field(max_length=64)


@app.post("/charges")
async def charge(new: Charge) -> dict[str, str]:
    bind_context(order_id=new.order_id)
    with span("authorize-card"):
        await asyncio.sleep(SLOW if new.token == "tok_slow" else DELAY)
    if new.token == "tok_declined":
        raise HTTPException(402, "declined")
    if new.token == "tok_error" or random.random() < FAIL_RATIO:
        log.error("the card network refused")
        raise HTTPException(502, "the card network refused")
    log.info("charged", amount=new.amount_cents / 100)
    return {"status": "charged", "order_id": new.order_id}
