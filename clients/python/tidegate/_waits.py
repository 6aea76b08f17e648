"""Waits for the end of work that takes a while (`LongRunning` in the graph)."""

from __future__ import annotations

import time

from ._effects import Flow, Lost, Pause, Refused
from ._requests import ANSWER_WITHIN_MS, Backoff, ask
from .types import LongRunning, Pauses, RequestRefused, Waited

_FIELDS = "id __typename ... on LongRunning { state reason startedAt finishedAt progressPercent }"
_READ = f"query ($id: ID!) {{ root: node(id: $id) {{ {_FIELDS} }} }}"
_LOOK = """mutation ($input: RelayOperationSettleInput!) {
  root: relayOperationSettle(input: $input) { userErrors { code } }
}"""
_LONGEST_PAUSE_MS = 2_000
_LOOK_WITHIN_MS = 45_000

_UNDER_WAY = frozenset({"PENDING", "SENT", "ACCEPTED", "RUNNING", "PAUSED"})
_ENDED = frozenset({"SUCCEEDED", "FAILED", "REJECTED", "CANCELLED", "UNKNOWN"})


def wait_for(id: str, timeout_ms: float, pauses: Pauses) -> Flow[Waited]:
    ends_at_s = time.monotonic() + timeout_ms / 1000
    backoff = Backoff(pauses, _LONGEST_PAUSE_MS)
    work: LongRunning | None = None
    why = "there was no answer"

    def left_ms() -> float:
        return max(0.0, (ends_at_s - time.monotonic()) * 1000)

    while left_ms() > 0:
        result = yield from ask(_READ, {"id": id}, min(left_ms(), ANSWER_WITHIN_MS), partly=True)
        at_least_ms: float | None = None
        if isinstance(result, (Lost, Refused)):
            if isinstance(result, Refused) and result.code != "RATE_LIMITED":
                raise RequestRefused(result.code, result.message)
            why = result.why if isinstance(result, Lost) else f"{result.code}: {result.message}"
            at_least_ms = result.retry_after_ms
        else:
            found = result.data.get("root")
            if found is None:
                raise RequestRefused("NOT_FOUND", f"there is no work with the id {id}, or it may not be seen")
            if "state" not in found:
                raise RequestRefused("INVALID_INPUT", f"{id} is a {found['__typename']}, not work with an end")
            if work is None or work.state != found["state"]:
                backoff.restart()
            work = LongRunning(
                id=found["id"],
                typename=found["__typename"],
                state=found["state"],
                reason=found["reason"],
                started_at=found["startedAt"],
                finished_at=found["finishedAt"],
                progress_percent=found["progressPercent"],
            )
            if _has_ended(work):
                return Waited(True, work, None)
            why = f"it was {work.state}"
            # The relay reads the device's job only if somebody asks. It calls nothing on the device.
            if work.state == "ACCEPTED" and work.typename == "RelayOperation":
                yield from ask(_LOOK, {"input": {"id": id}}, min(left_ms(), _LOOK_WITHIN_MS), partly=True)
        yield Pause(min(backoff.next_ms(at_least_ms), left_ms()))
    return Waited(False, work, why)


def _has_ended(work: LongRunning) -> bool:
    """A state that this client does not know has ended if the work says when."""
    return work.state in _ENDED or (work.state not in _UNDER_WAY and work.finished_at is not None)
