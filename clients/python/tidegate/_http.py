"""What both clients put into requests and read from responses."""

from __future__ import annotations

import time
from typing import Any

import httpx

from ._effects import Flow, Head, Lost, Open, Post, Read, Reply

_LARGEST_ANSWER_BYTES = 8 * 1024 * 1024


def exchange(effect: Post) -> Flow[Reply | Lost]:
    head: Head | Lost = yield Open(
        effect.body, effect.bearer, "application/json", effect.within_ms, effect.within_ms
    )
    return head if isinstance(head, Lost) else (yield from whole_answer(head, effect.within_ms))


def whole_answer(head: Head, within_ms: float) -> Flow[Reply | Lost]:
    ends_at_s = time.monotonic() + within_ms / 1000
    body = bytearray()
    while True:
        chunk: bytes | Lost = yield Read()
        if isinstance(chunk, Lost):
            return chunk
        if chunk == b"":
            return Reply(head.status, head.retry_after, bytes(body))
        body += chunk
        if len(body) > _LARGEST_ANSWER_BYTES:
            return Lost("the answer is larger than allowed")
        if time.monotonic() > ends_at_s:
            return Lost("no answer in time")


def request_of(effect: Open) -> dict[str, Any]:
    """The arguments of httpx's `build_request`."""
    # Streams are never compressed; an answer is small.
    headers = {"accept": effect.accept, "accept-encoding": "identity"}
    if effect.bearer != "":
        headers["authorization"] = f"Bearer {effect.bearer}"
    within_s = max(0.001, effect.within_ms / 1000)
    timeout = httpx.Timeout(within_s, read=min(within_s, effect.silent_after_ms / 1000))
    return {"json": effect.body, "headers": headers, "timeout": timeout}


def head_of(response: httpx.Response) -> Head:
    is_stream = response.is_success and response.headers.get("content-type", "").startswith("text/event-stream")
    return Head(response.status_code, response.headers.get("retry-after"), is_stream)


def lost(error: httpx.HTTPError) -> Lost:
    return Lost(f"no answer: {error or type(error).__name__}")
