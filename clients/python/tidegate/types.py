"""What a client returns: outcomes of calls, ends of work, and items of streams. All of it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Union

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    """An entry of `userErrors`, or a refusal of the whole request."""

    code: str
    message: str
    field: tuple[str, ...]
    retry: str
    retry_after_ms: int | None


@dataclass(frozen=True)
class DeviceError:
    code: str
    message: str


@dataclass(frozen=True)
class Operation:
    """A call that was relayed to a backend, as last read."""

    id: str
    name: str
    state: str
    result: Any
    device_error: DeviceError | None
    #: Until then a call with the outcome UNKNOWN may still take effect.
    quiet_until: str | None
    changed_mappings: tuple[Json, ...]


class OutcomeKind(str, Enum):
    #: The device executed it.
    SUCCEEDED = "SUCCEEDED"
    #: The device refused: `operation.device_error`.
    FAILED = "FAILED"
    #: Nothing happened, and nothing will without a new request: `refusals`, or a call that was never sent.
    REFUSED = "REFUSED"
    #: It was sent, and there is no verdict.
    UNKNOWN = "UNKNOWN"
    #: The requests ended before the outcome was known. The same request with the same key continues from here.
    OPEN = "OPEN"


@dataclass(frozen=True)
class Outcome:
    kind: OutcomeKind
    idempotency_key: str
    operation: Operation | None
    refusals: tuple[Refusal, ...]
    #: The device's answer when the journal could not store it (OUTCOME_NOT_RECORDED); else None.
    device_answer: Any
    #: What a person has to check; None: nothing.
    person: str | None
    #: The number of requests.
    requests: int


@dataclass(frozen=True)
class LongRunning:
    """Work that takes a while: a relayed call, a change of a ring, a move of the primary."""

    id: str
    #: The type in the graph, for example RelayOperation.
    typename: str
    #: A state of `LongRunningState`, or one that a later release has added.
    state: str
    reason: str | None
    started_at: str | None
    finished_at: str | None
    progress_percent: float | None


@dataclass(frozen=True)
class Waited:
    #: Whether the work has ended: `work.state` is SUCCEEDED, FAILED, REJECTED or CANCELLED, or UNKNOWN until a person settles it.
    has_ended: bool
    #: As last read; None: it could not be read.
    work: LongRunning | None
    #: Why it has not ended here; None if it has.
    why: str | None


@dataclass(frozen=True)
class StatusChange:
    id: str
    changed_at: str
    kind: str
    subject_type: str
    subject_id: str
    #: A snapshot that shows the subject with this version, or a higher one, has the change already.
    subject_version: int
    from_status: str | None
    to_status: str
    reason: str | None
    request_id: str | None


@dataclass(frozen=True)
class Snapshot:
    """What the stream keeps up to date, read as a whole. What was known before is no longer good."""

    #: START, or the code of the error behind which changes may be missing.
    reason: str
    #: The data of the snapshot's query; None without one.
    data: Json | None
    cursor: str


@dataclass(frozen=True)
class Change:
    change: StatusChange
    cursor: str


StatusItem = Union[Snapshot, Change]


@dataclass(frozen=True)
class Query:
    """A document with its variables."""

    document: str
    variables: Json | None = None


@dataclass(frozen=True)
class StatusFilter:
    """The arguments of `statusChanges`, without `after`."""

    project_id: str | None = None
    kinds: tuple[str, ...] | None = None
    subject_id: str | None = None
    subject_types: tuple[str, ...] | None = None
    #: For example {"type": "tenant", "externalId": "42"}.
    cmp_object: Json | None = None


@dataclass(frozen=True)
class Pauses:
    """Pauses between requests. They double, and are never shorter than the server asks."""

    first_ms: int = 250
    longest_ms: int = 10_000


class TidegateError(Exception):
    """The base of what this package raises."""


class RequestRefused(TidegateError):
    """The request is refused, and trying again does not help."""

    def __init__(self, code: str, message: str, cursor: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        #: Of a stream: to go on after it later.
        self.cursor = cursor


class NoAnswer(TidegateError):
    """There was no answer before the deadline."""


class ClientClosed(TidegateError):
    """The client was closed while it was used."""
