"""The status changes of the graph as one endless stream: a snapshot, then each change after it once, through lost connections, restarts
of the server and ends of tokens. Where changes may be missing, another snapshot stands in the stream, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._effects import Close, Emit, Flow, Head, Lost, Open, Pause, Read, Refused, Reply, Token
from ._http import whole_answer
from ._requests import Backoff, ask, fault_of, read
from .types import Change, Json, Pauses, Query, RequestRefused, Snapshot, StatusChange, StatusFilter

_DOCUMENT = """subscription (
  $projectId: ID, $kinds: [String!], $subjectId: ID, $subjectTypes: [String!], $cmpObject: CmpObjectInput, $after: String
) {
  statusChanges(
    projectId: $projectId, kinds: $kinds, subjectId: $subjectId, subjectTypes: $subjectTypes, cmpObject: $cmpObject,
    after: $after
  ) {
    cursor
    change { id changedAt kind subjectType subjectId subjectVersion from to reason requestId }
  }
}"""
_CURSOR = Query("{ statusCursor }")
_ANSWER_WITHIN_MS = 60_000
#: Of changes already passed on, to know one that comes again.
_REMEMBERED_IDS = 1_000
_LARGEST_EVENT_BYTES = 8 * 1024 * 1024

#: After these the client reads a snapshot. FORBIDDEN: the rights have changed, or there never were any.
_SNAPSHOT_CODES = frozenset({"CURSOR_EXPIRED", "RESYNC_REQUIRED", "INVALID_CURSOR", "FORBIDDEN"})


@dataclass(frozen=True)
class _Again:
    at_least_ms: float | None = None


@dataclass(frozen=True)
class _SnapshotNeeded:
    code: str
    message: str
    has_lived: bool


class Follow:
    def __init__(
        self,
        *,
        filter: StatusFilter,
        snapshot: Query | None,
        after: str | None,
        pauses: Pauses,
        silent_after_ms: float,
    ) -> None:
        self._filter = filter
        self._snapshot = snapshot
        self._cursor = after
        self._backoff = Backoff(pauses)
        self._silent_after_ms = silent_after_ms
        #: The oldest first.
        self._recent: dict[str, None] = {}
        #: The token that was refused last.
        self._refused: str | None = None

    def flow(self) -> Flow[None]:
        reason = "START"
        is_forbidden = False
        while True:
            if self._cursor is None:
                data = yield from self._read_again(_CURSOR)
                self._cursor = str(data["statusCursor"])
                yield from self._emit_snapshot(reason)
            end = yield from self._connection()
            yield Close()
            if isinstance(end, _Again):
                yield Pause(self._backoff.next_ms(end.at_least_ms))
                continue
            if end.code == "FORBIDDEN" and is_forbidden and not end.has_lived:
                raise RequestRefused(end.code, end.message, self._cursor)
            is_forbidden = end.code == "FORBIDDEN"
            reason = end.code
            self._cursor = None
            yield Pause(self._backoff.next_ms())

    def _connection(self) -> Flow[_Again | _SnapshotNeeded]:
        """One subscription, from the cursor on, to its end."""
        bearer = yield Token(self._refused)
        if not isinstance(bearer, str):
            return self._end_of(bearer)
        body = {"query": _DOCUMENT, "variables": {**_variables(self._filter), "after": self._cursor}}
        # A refusal may be one of HTTP.
        head: Head | Lost = yield Open(body, bearer, "text/event-stream", _ANSWER_WITHIN_MS, self._silent_after_ms)
        if isinstance(head, Lost):
            return _Again()
        if not head.is_stream:
            reply = yield from whole_answer(head, _ANSWER_WITHIN_MS)
            return _Again() if isinstance(reply, Lost) else self._not_opened(reply, bearer)
        self._refused = None
        events = EventParser()
        signs = 0
        while True:
            chunk: bytes | Lost = yield Read()
            if isinstance(chunk, Lost) or chunk == b"":
                return _Again()
            for event, text in events.feed(chunk):
                signs += 1
                if event == "complete":
                    return _Again()
                if event != "next":
                    continue
                answer = json.loads(text)
                item = (answer.get("data") or {}).get("statusChanges")
                if item is not None:
                    yield from self._emit_change(item)
                    continue
                lost_cursor = _cursor_in(answer)
                if lost_cursor is None:
                    # The comment at the beginning and the error itself are no life.
                    return self._end_of(fault_of(answer), bearer, has_lived=signs > 2)
                self._cursor = lost_cursor
                yield from self._emit_snapshot("EVENT_LOST")

    def _not_opened(self, reply: Reply, bearer: str) -> _Again | _SnapshotNeeded:
        result = read(reply)
        if isinstance(result, Refused) and result.code == "UNAUTHENTICATED":
            # A second token was refused, too.
            if self._refused is not None:
                raise RequestRefused(result.code, result.message, self._cursor)
            self._refused = bearer
            return _Again()
        if isinstance(result, (Refused, Lost)):
            return self._end_of(result)
        return _Again()

    def _end_of(
        self, fault: Refused | Lost, bearer: str | None = None, *, has_lived: bool = False
    ) -> _Again | _SnapshotNeeded:
        """`bearer`: of a stream that had begun. Raises RequestRefused if trying again does not help."""
        message = fault.why if isinstance(fault, Lost) else fault.message
        if fault.code in _SNAPSHOT_CODES:
            return _SnapshotNeeded(fault.code, message, has_lived)
        if isinstance(fault, Lost) or fault.code == "RATE_LIMITED":
            return _Again(fault.retry_after_ms)
        if fault.code == "UNAUTHENTICATED" and bearer is not None:
            # The stream has ended with its token.
            self._refused = bearer
            return _Again()
        raise RequestRefused(fault.code, message, self._cursor)

    def _emit_change(self, item: Mapping[str, Any]) -> Flow[None]:
        cursor = str(item["cursor"])
        self._cursor = cursor
        self._backoff.restart()
        found = item.get("change")
        # Null: the cursor alone has moved.
        if found is None or found["id"] in self._recent:
            return
        self._recent[found["id"]] = None
        if len(self._recent) > _REMEMBERED_IDS:
            del self._recent[next(iter(self._recent))]
        change = StatusChange(
            id=found["id"],
            changed_at=found["changedAt"],
            kind=found["kind"],
            subject_type=found["subjectType"],
            subject_id=found["subjectId"],
            subject_version=found["subjectVersion"],
            from_status=found["from"],
            to_status=found["to"],
            reason=found["reason"],
            request_id=found["requestId"],
        )
        yield Emit(Change(change, cursor))

    def _emit_snapshot(self, reason: str) -> Flow[None]:
        data: Json | None = None
        if self._snapshot is not None:
            data = yield from self._read_again(self._snapshot)
        assert self._cursor is not None
        yield Emit(Snapshot(reason, data, self._cursor))

    def _read_again(self, query: Query) -> Flow[Json]:
        """Until there is an answer. A partial one is none: the snapshot would lack what the lost part has."""
        while True:
            result = yield from ask(query.document, query.variables or {}, _ANSWER_WITHIN_MS)
            if isinstance(result, Refused) and result.code != "RATE_LIMITED":
                raise RequestRefused(result.code, result.message, self._cursor)
            if isinstance(result, (Refused, Lost)):
                yield Pause(self._backoff.next_ms(result.retry_after_ms))
                continue
            return result.data


class EventParser:
    """Server-Sent Events (WHATWG HTML, section 9.2) as GraphQL over SSE uses them."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[tuple[str, str]]:
        """Event and data, ("", "") for a comment. What has no blank line behind it has not arrived as a whole."""
        search_from = len(self._rest)
        self._rest += chunk
        if len(self._rest) > _LARGEST_EVENT_BYTES:
            raise ValueError("an event is larger than allowed")
        if self._rest.find(b"\n", search_from) < 0:
            return
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        for line in lines:
            text = line.decode("utf-8").rstrip("\r")
            if text == "":
                if self._event != "":
                    yield self._event, "\n".join(self._data)
                self._event, self._data = "", []
            elif text.startswith(":"):
                yield "", ""
            else:
                name, _, value = text.partition(":")
                value = value[1:] if value.startswith(" ") else value
                if name == "event":
                    self._event = value
                elif name == "data":
                    self._data.append(value)


def _cursor_in(answer: Mapping[str, Any]) -> str | None:
    errors = answer.get("errors") or [{}]
    cursor = (errors[0].get("extensions") or {}).get("cursor")
    return cursor if isinstance(cursor, str) else None


def _variables(filter: StatusFilter) -> dict[str, Any]:
    given = {
        "projectId": filter.project_id,
        "kinds": filter.kinds,
        "subjectId": filter.subject_id,
        "subjectTypes": filter.subject_types,
        "cmpObject": filter.cmp_object,
    }
    return {name: value for name, value in given.items() if value is not None}
