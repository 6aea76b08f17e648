"""The client for programs without an event loop. It may be used by several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from ._calls import Call, carry_out
from ._effects import Close, Effect, Emit, Flow, Head, Open, Pause, Post, Read, T, Token
from ._http import exchange, head_of, lost, request_of
from ._queries import query as query_flow
from ._requests import Login
from ._streams import Follow
from ._waits import wait_for as wait_for_flow
from .types import ClientClosed, Json, Outcome, Pauses, Query, StatusFilter, StatusItem, Waited


class Client:
    """`url`: for example https://tidegate.example/graphql. Give `token`, an API token, or `name` and `password`.

    `http`: a client of your own, for example with your certificates. It must not follow redirects: the token would get there.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        name: str | None = None,
        password: str | None = None,
        pauses: Pauses = Pauses(),
        http: httpx.Client | None = None,
    ) -> None:
        self._url = url
        self._pauses = pauses
        self._login = Login(token=token, name=name, password=password)
        self._login_lock = threading.Lock()
        self._closed = threading.Event()
        self._followed: set[_Connection] = set()
        self._is_own = http is None
        self._http = http or httpx.Client()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """What is under way in other threads ends with ClientClosed; a request on the wire first ends at its deadline. Calls on devices go on."""
        self._closed.set()
        for connection in list(self._followed):
            connection.close()
        if self._is_own:
            try:
                self._http.close()
            except RuntimeError:
                # Requests on the wire end with their connections.
                pass

    def carry_out(
        self, mutation: str, idempotency_key: str, input: Mapping[str, Any], *, deadline_ms: float = 300_000
    ) -> Outcome:
        """Carries one relaying mutation to its outcome: the device is called at most once.

        `idempotency_key`: your own id of the task, stored before the first request. `input`: without idempotencyKey, waitMs and dryRun.
        """
        return self._run(carry_out(Call(mutation, idempotency_key, input, deadline_ms, self._pauses)))

    def wait_for(self, id: str, timeout_ms: float) -> Waited:
        """Waits for the end of long work: a relayed call, a change of a ring, a move of the primary. Raises RequestRefused."""
        return self._run(wait_for_flow(id, timeout_ms, self._pauses))

    def query(self, document: str, variables: Json | None = None, *, deadline_ms: float = 60_000) -> Json:
        """The data of a query, which is repeated until there is an answer. Raises RequestRefused and NoAnswer."""
        return self._run(query_flow(Query(document, variables), deadline_ms, self._pauses))

    def follow(
        self,
        filter: StatusFilter = StatusFilter(),
        *,
        snapshot: Query | None = None,
        after: str | None = None,
        silent_after_ms: float = 75_000,
    ) -> Iterator[StatusItem]:
        """Status changes, endlessly, after a snapshot. `after`: the cursor of the last item that you dealt with, in place of the snapshot.

        A Snapshot in the middle says that changes may be missing, and why. Raises RequestRefused. Close the iterator to end it early.
        """
        follow = Follow(
            filter=filter, snapshot=snapshot, after=after, pauses=self._pauses, silent_after_ms=silent_after_ms
        )
        return self._items(follow.flow())

    def _run(self, flow: Flow[T]) -> T:
        result: object = None
        connection = _Connection()
        try:
            while True:
                result = self._perform(flow.send(result), connection)
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            connection.close()

    def _items(self, flow: Flow[None]) -> Iterator[StatusItem]:
        connection = _Connection()
        self._followed.add(connection)
        try:
            result: object = None
            while True:
                effect = flow.send(result)
                if isinstance(effect, Emit):
                    result = None
                    yield effect.item
                else:
                    result = self._perform(effect, connection)
        finally:
            self._followed.discard(connection)
            connection.close()

    def _perform(self, effect: Effect, connection: _Connection) -> object:
        try:
            result = self._perform_open(effect, connection)
        except httpx.HTTPError as error:
            result = lost(error)
        except (RuntimeError, httpx.StreamError):
            # What httpx says of a client that was closed.
            if not self._closed.is_set():
                raise
            result = None
        if self._closed.is_set():
            raise ClientClosed("the client was closed")
        return result

    def _perform_open(self, effect: Effect, connection: _Connection) -> object:
        if isinstance(effect, Post):
            return self._run(exchange(effect))
        if isinstance(effect, Token):
            # A refresh token is good once.
            with self._login_lock:
                return self._run(self._login.token(effect.refused))
        if isinstance(effect, Pause):
            self._closed.wait(effect.ms / 1000)
        elif isinstance(effect, Open):
            return connection.open(self._http, self._url, effect)
        elif isinstance(effect, Read):
            return next(connection.chunks, b"")
        elif isinstance(effect, Close):
            connection.close()
        return None


class _Connection:
    """At most one response, read as fast as its chunks are taken."""

    def __init__(self) -> None:
        self._response: httpx.Response | None = None
        self.chunks: Iterator[bytes] = iter(())

    def open(self, http: httpx.Client, url: str, effect: Open) -> Head:
        request = http.build_request("POST", url, **request_of(effect))
        self._response = response = http.send(request, stream=True, follow_redirects=False)
        self.chunks = response.iter_bytes()
        return head_of(response)

    def close(self) -> None:
        response, self._response = self._response, None
        self.chunks = iter(())
        if response is not None:
            response.close()
