"""The application that test_server.py serves: plain, streaming for as long as one likes, and failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from orders_obs import instrument

app = FastAPI()


@app.get("/plain/{n}")
def plain(n: int) -> int:
    return n


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"piece\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(pieces())


@app.get("/fail")
async def fail() -> None:
    raise RuntimeError("on purpose")


instrument(app, service="served")
