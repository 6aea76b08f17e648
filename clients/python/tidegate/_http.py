"""What both clients put into requests and read from responses."""

from __future__ import annotations

import httpx

from ._effects import Lost, Reply

LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
#: A refusal may be one of HTTP.
TYPES_OF_STREAMS = "text/event-stream"


def headers_of(bearer: str, accept: str) -> dict[str, str]:
    # Streams are never compressed; an answer is small.
    headers = {"accept": accept, "accept-encoding": "identity"}
    return headers if bearer == "" else {**headers, "authorization": f"Bearer {bearer}"}


def reply_of(response: httpx.Response, body: bytes) -> Reply:
    return Reply(response.status_code, response.headers.get("retry-after"), body)


def lost(error: httpx.HTTPError) -> Lost:
    return Lost(f"no answer: {error or type(error).__name__}")
