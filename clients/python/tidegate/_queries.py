"""A query, repeated until there is an answer: it changes nothing."""

from __future__ import annotations

import time

from ._effects import Flow, Lost, Pause, Refused
from ._requests import ANSWER_WITHIN_MS, Backoff, ask
from .types import Json, NoAnswer, Pauses, Query, RequestRefused


def query(asked: Query, deadline_ms: float, pauses: Pauses) -> Flow[Json]:
    ends_at_s = time.monotonic() + deadline_ms / 1000
    backoff = Backoff(pauses)
    why = "the deadline was over before the first request"
    while True:
        left_ms = (ends_at_s - time.monotonic()) * 1000
        if left_ms <= 0:
            raise NoAnswer(why)
        result = yield from ask(asked.document, asked.variables or {}, min(left_ms, ANSWER_WITHIN_MS))
        if isinstance(result, Refused) and result.code != "RATE_LIMITED":
            raise RequestRefused(result.code, result.message)
        if not isinstance(result, (Refused, Lost)):
            return result.data
        why = result.why if isinstance(result, Lost) else f"{result.code}: {result.message}"
        yield Pause(min(backoff.next_ms(result.retry_after_ms), max(0.0, (ends_at_s - time.monotonic()) * 1000)))
