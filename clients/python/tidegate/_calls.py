"""The retry contract (docs/retries.md): carries one mutation to its outcome. Every request has the same key and the same input."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from ._effects import Flow, Lost, Pause, Refused
from ._requests import ANSWER_WITHIN_MS, Backoff, ask
from .types import DeviceError, Operation, Outcome, OutcomeKind, Pauses, Refusal

#: How long a request lets the relay wait for the device, and the part of the deadline that is reserved for the last answer.
LONGEST_WAIT_MS = 30_000
LAST_ANSWER_MS = 1_000

_OPERATION = """id name state result deviceError { code message } quietUntil
  changedMappings { id resource scope objectKey uuid mappingState }"""
_PAYLOAD = f"operation {{ {_OPERATION} }} userErrors {{ code message field retry retryAfterMs }}"
_READ = f"query ($id: ID!) {{ root: relayOperation(id: $id) {{ {_OPERATION} }} }}"
_LOOK = f"mutation ($input: RelayOperationSettleInput!) {{ root: relayOperationSettle(input: $input) {{ {_PAYLOAD} }} }}"

#: The same request succeeds only after a person has done this.
_PERSON_FIRST = {
    "UNAUTHENTICATED": "the token is not, or no longer, accepted: get another",
    "BACKEND_DISABLED": "the backend is disabled: enable it",
    "HOST_KEY_UNKNOWN": "no host key of the backend is accepted: compare it, and accept it",
    "CERTIFICATE_UNKNOWN": "no certificate of the backend is accepted: compare it, and accept it",
    "CREDENTIALS_UNUSABLE": "the stored credentials of the backend are missing, or do not open at its address: send them again",
    "UNSETTLED_PREDECESSOR": "an earlier call on the same object has no verdict: settle it",
}


@dataclass
class Progress:
    """The knowledge so far."""

    idempotency_key: str
    operation: Operation | None = None
    refusals: tuple[Refusal, ...] = ()
    device_answer: Any = None
    #: A request got no answer: it may still arrive and be executed, whatever the answers to later ones.
    is_uncertain: bool = False
    requests: int = 0


@dataclass(frozen=True)
class Next:
    """`send`: the mutation, same key. `read`: the operation. `look`: have the relay read the job that the call became."""

    request: str
    after_ms: float | None = None


Step = Union[Next, Outcome]


@dataclass(frozen=True)
class Call:
    mutation: str
    idempotency_key: str
    input: Mapping[str, Any]
    deadline_ms: float
    pauses: Pauses
    progress: Progress = field(init=False)
    ends_at_s: float = field(init=False)

    def __post_init__(self) -> None:
        if re.fullmatch(r"[a-z][A-Za-z]{0,63}", self.mutation) is None:
            raise ValueError(f"{self.mutation!r} is not a mutation's name")
        if self.idempotency_key == "":
            raise ValueError("an idempotency key is needed")
        if self.input.get("dryRun") is True:
            raise ValueError("a dry run has no outcome to wait for")
        # Every request sends the same input, even if the caller changes its object meanwhile.
        object.__setattr__(self, "input", copy.deepcopy(dict(self.input)))
        json.dumps(self.input)
        object.__setattr__(self, "progress", Progress(self.idempotency_key))
        object.__setattr__(self, "ends_at_s", time.monotonic() + self.deadline_ms / 1000)

    def left_ms(self) -> float:
        return max(0.0, (self.ends_at_s - time.monotonic()) * 1000)


def carry_out(call: Call) -> Flow[Outcome]:
    backoff = Backoff(call.pauses)
    requests = {"send": _send, "read": _read, "look": _look}
    request = "send"
    while call.left_ms() > 0:
        call.progress.requests += 1
        step = yield from requests[request](call)
        if isinstance(step, Outcome):
            return step
        if step.request != request:
            backoff.restart()
        request = step.request
        yield Pause(min(backoff.next_ms(step.after_ms), call.left_ms()))
    return _when_over(call.progress)


def _send(call: Call) -> Flow[Step]:
    """The mutation, with its key; the relay waits for the device meanwhile."""
    progress = call.progress
    wait_ms = int(max(0.0, min(LONGEST_WAIT_MS, call.left_ms() - LAST_ANSWER_MS)))
    kind = f"{call.mutation[0].upper()}{call.mutation[1:]}Input"
    document = f"mutation ($input: {kind}!) {{ root: {call.mutation}(input: $input) {{ {_PAYLOAD} }} }}"
    variables = {"input": {**call.input, "idempotencyKey": call.idempotency_key, "waitMs": wait_ms}}
    result = yield from ask(document, variables, min(call.left_ms(), wait_ms + ANSWER_WITHIN_MS), partly=True)
    if isinstance(result, Lost):
        progress.is_uncertain = True
        if result.outcome is not None:
            progress.device_answer = result.outcome
        return Next("send", result.retry_after_ms)
    if isinstance(result, Refused):
        return _after_refusal(progress, (_refusal_of(result),))
    operation, errors = _payload(result.data.get("root"))
    if errors:
        return _after_refusal(progress, errors)
    if operation is not None:
        return _after_state(progress, operation)
    return _end(progress, OutcomeKind.OPEN, "the key was used for a call that the journal no longer has: look at the backend")


def _read(call: Call) -> Flow[Step]:
    """The current state of the operation."""
    progress = call.progress
    operation = progress.operation
    if operation is None:
        return Next("send")
    result = yield from ask(_READ, {"id": operation.id}, min(call.left_ms(), ANSWER_WITHIN_MS), partly=True)
    if isinstance(result, Lost) or (isinstance(result, Refused) and result.code == "RATE_LIMITED"):
        return Next("read", result.retry_after_ms)
    if isinstance(result, Refused):
        why = f"operation {operation.id} was {operation.state}, and can't be read ({result.code}: {result.message})"
        return _end(progress, OutcomeKind.OPEN, why)
    found = result.data.get("root")
    # Missing or no longer visible: the key still finds it.
    return Next("send") if found is None else _after_state(progress, _operation_of(found))


def _look(call: Call) -> Flow[Step]:
    """Has the relay read the device's job of an ACCEPTED call. Only a read: it calls nothing on the device."""
    progress = call.progress
    operation = progress.operation
    if operation is None:
        return Next("send")
    within_ms = min(call.left_ms(), LONGEST_WAIT_MS + ANSWER_WITHIN_MS)
    result = yield from ask(_LOOK, {"input": {"id": operation.id}}, within_ms, partly=True)
    if isinstance(result, Lost):
        return Next("look", result.retry_after_ms)
    if isinstance(result, Refused):
        return _after_look_refused(progress, operation, _refusal_of(result))
    seen, errors = _payload(result.data.get("root"))
    if seen is not None:
        return _after_state(progress, seen)
    return _after_look_refused(progress, operation, errors[0] if errors else None)


def _after_refusal(progress: Progress, refusals: tuple[Refusal, ...]) -> Step:
    """Refused: this request did nothing. An earlier one without an answer may have done something."""
    progress.refusals = refusals
    if any(each.code == "IN_PROGRESS" for each in refusals):
        progress.is_uncertain = True
    words = _words_of(refusals)
    doing = next((_PERSON_FIRST[each.code] for each in refusals if each.code in _PERSON_FIRST), None)
    retries = {each.retry for each in refusals}
    if doing is None and retries == {"SAME_KEY"}:
        return Next("send", refusals[0].retry_after_ms)
    if doing is not None:
        correct = f"{doing}; then send the same request with the same key"
    elif "SAME_KEY_AFTER_ACTION" in retries:
        correct = "remove the cause; then send the same request with the same key"
    elif "NEVER" in retries:
        correct = "no retry helps"
    else:
        correct = "correct the input, and send it with a new key"
    if not progress.is_uncertain:
        return _end(progress, OutcomeKind.REFUSED, f"{words}: {correct}")
    if doing is None:
        correct = "look at the operations of the backend before you send it with another key"
    person = f"refused ({words}), but an earlier request had no answer and may have been carried out: {correct}"
    return _end(progress, OutcomeKind.OPEN, person)


def _after_state(progress: Progress, operation: Operation) -> Step:
    progress.operation = operation
    progress.refusals = ()
    state, error = operation.state, operation.device_error
    if state == "SUCCEEDED":
        return _end(progress, OutcomeKind.SUCCEEDED, None)
    if state == "REJECTED" or (state == "FAILED" and error is not None and error.code == "NOT_SENT"):
        # Nothing left the relay, and the key is free again.
        return Next("send")
    if state == "FAILED":
        return _end(progress, OutcomeKind.FAILED, None)
    if state == "ACCEPTED":
        return Next("look")
    if state in ("PENDING", "SENT"):
        return Next("read")
    # UNKNOWN, or a state of a later release, which counts as it.
    until = "" if operation.quiet_until is None else f"; until {operation.quiet_until} it may still take effect"
    said = "" if progress.device_answer is None else "; the device had answered: see device_answer"
    person = (
        f"operation {operation.id} was sent and has no verdict{until}{said}: look at the backend, or let "
        "relayOperationSettle look; do not send it with another key before that"
    )
    return _end(progress, OutcomeKind.UNKNOWN, person)


def _after_look_refused(progress: Progress, operation: Operation, refusal: Refusal | None) -> Step:
    if refusal is not None and refusal.retry == "SAME_KEY":
        return Next("look", refusal.retry_after_ms)
    # Someone else has settled it meanwhile.
    if refusal is not None and refusal.code == "WRONG_STATE":
        return Next("read")
    why = "no answer" if refusal is None else _words_of((refusal,))
    person = (
        f"operation {operation.id} is a job on the device, and how it ended can't be read from here ({why}): "
        "have an operator run relayOperationSettle"
    )
    return _end(progress, OutcomeKind.OPEN, person)


def _when_over(progress: Progress) -> Outcome:
    """The deadline has passed."""
    operation, refusals = progress.operation, progress.refusals
    error = None if operation is None else operation.device_error
    is_unsent = operation is None or operation.state == "REJECTED" or (error is not None and error.code == "NOT_SENT")
    # The relay could not look up whether the key was used before.
    is_blind = any(
        each.code in ("UNAVAILABLE", "DISK_FULL") or (each.code == "BUSY" and not each.field) for each in refusals
    )
    if is_unsent and progress.requests > 0 and not progress.is_uncertain and not is_blind:
        why = _words_of(refusals) or (error.message if error is not None else "it was not sent")
        person = f"{why}: nothing was sent in time; the same request with the same key continues"
        return _end(progress, OutcomeKind.REFUSED, person)
    seen = "no operation was seen" if operation is None else f"operation {operation.id} was {operation.state}"
    last = f", and the last answer {_words_of(refusals)}" if refusals else ""
    person = f"not known at the deadline: {seen}{last}; the same request with the same key continues"
    return _end(progress, OutcomeKind.OPEN, person)


def _end(progress: Progress, kind: OutcomeKind, person: str | None) -> Outcome:
    return Outcome(
        kind,
        progress.idempotency_key,
        progress.operation,
        progress.refusals,
        progress.device_answer,
        person,
        progress.requests,
    )


def _words_of(refusals: tuple[Refusal, ...]) -> str:
    return "; ".join(f"{each.code}: {each.message}" for each in refusals)


def _refusal_of(refused: Refused) -> Refusal:
    """A refusal of the whole request as an entry of `userErrors`."""
    same_key = refused.code in ("UNAUTHENTICATED", "RATE_LIMITED")
    retry = "SAME_KEY" if same_key else "NEVER" if refused.code == "FORBIDDEN" else "NEW_KEY"
    return Refusal(refused.code, refused.message, (), retry, refused.retry_after_ms)


def _payload(value: Any) -> tuple[Operation | None, tuple[Refusal, ...]]:
    payload = value if isinstance(value, dict) else {}
    found = payload.get("operation")
    errors = tuple(
        Refusal(each["code"], each["message"], tuple(each["field"]), each["retry"], each.get("retryAfterMs"))
        for each in payload.get("userErrors") or []
    )
    return (None if found is None else _operation_of(found)), errors


def _operation_of(found: Mapping[str, Any]) -> Operation:
    error = found.get("deviceError")
    return Operation(
        id=found["id"],
        name=found["name"],
        state=found["state"],
        result=found.get("result"),
        device_error=None if error is None else DeviceError(error["code"], error["message"]),
        quiet_until=found.get("quietUntil"),
        changed_mappings=tuple(found.get("changedMappings") or ()),
    )
