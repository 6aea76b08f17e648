"""The client for asyncio. Cancel a task to end what it does; calls on devices go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
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
from .types import Json, Outcome, Pauses, Query, StatusFilter, StatusItem, Waited


class AsyncClient:
    """As Client, with the same arguments and results."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        name: str | None = None,
        password: str | None = None,
        pauses: Pauses = Pauses(),
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = url
        self._pauses = pauses
        self._login = Login(token=token, name=name, password=password)
        self._login_lock = asyncio.Lock()
        self._followed: set[_Connection] = set()
        self._is_own = http is None
        self._http = http or httpx.AsyncClient()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for connection in list(self._followed):
            await connection.close()
        if self._is_own:
            await self._http.aclose()

    async def carry_out(
        self, mutation: str, idempotency_key: str, input: Mapping[str, Any], *, deadline_ms: float = 300_000
    ) -> Outcome:
        return await self._run(carry_out(Call(mutation, idempotency_key, input, deadline_ms, self._pauses)))

    async def wait_for(self, id: str, timeout_ms: float) -> Waited:
        return await self._run(wait_for_flow(id, timeout_ms, self._pauses))

    async def query(self, document: str, variables: Json | None = None, *, deadline_ms: float = 60_000) -> Json:
        return await self._run(query_flow(Query(document, variables), deadline_ms, self._pauses))

    def follow(
        self,
        filter: StatusFilter = StatusFilter(),
        *,
        snapshot: Query | None = None,
        after: str | None = None,
        silent_after_ms: float = 75_000,
    ) -> AsyncIterator[StatusItem]:
        follow = Follow(
            filter=filter, snapshot=snapshot, after=after, pauses=self._pauses, silent_after_ms=silent_after_ms
        )
        return self._items(follow.flow())

    async def _run(self, flow: Flow[T]) -> T:
        result: object = None
        connection = _Connection()
        try:
            while True:
                result = await self._perform(flow.send(result), connection)
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            await connection.close()

    async def _items(self, flow: Flow[None]) -> AsyncIterator[StatusItem]:
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
                    result = await self._perform(effect, connection)
        finally:
            self._followed.discard(connection)
            await connection.close()

    async def _perform(self, effect: Effect, connection: _Connection) -> object:
        try:
            if isinstance(effect, Post):
                return await self._run(exchange(effect))
            if isinstance(effect, Token):
                # A refresh token is good once.
                async with self._login_lock:
                    return await self._run(self._login.token(effect.refused))
            if isinstance(effect, Pause):
                await asyncio.sleep(effect.ms / 1000)
            elif isinstance(effect, Open):
                return await connection.open(self._http, self._url, effect)
            elif isinstance(effect, Read):
                return b"" if connection.chunks is None else await anext(connection.chunks, b"")
            elif isinstance(effect, Close):
                await connection.close()
            return None
        except httpx.HTTPError as error:
            return lost(error)


class _Connection:
    """At most one response, read as fast as its chunks are taken."""

    def __init__(self) -> None:
        self._response: httpx.Response | None = None
        self.chunks: AsyncIterator[bytes] | None = None

    async def open(self, http: httpx.AsyncClient, url: str, effect: Open) -> Head:
        request = http.build_request("POST", url, **request_of(effect))
        self._response = response = await http.send(request, stream=True, follow_redirects=False)
        self.chunks = response.aiter_bytes()
        return head_of(response)

    async def close(self) -> None:
        response, self._response = self._response, None
        self.chunks = None
        if response is not None:
            await response.aclose()
