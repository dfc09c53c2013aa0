"""The web server of the gateway, with an application that reads a body and answers 200, and no more."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(
        answer,
        port=int(sys.argv[1]),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
    )
