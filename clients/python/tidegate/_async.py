"""The client for asyncio. Cancel a task to end what it does; calls on devices go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any

import httpx

from ._calls import Call, carry_out
from ._effects import Close, Effect, Emit, Flow, Lost, Open, Pause, Post, Read, Refused, Reply, T, Token
from ._http import LARGEST_ANSWER_BYTES, TYPES_OF_STREAMS, headers_of, lost, reply_of
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
        self._streams: set[_Stream] = set()
        self._is_own = http is None
        self._http = http or httpx.AsyncClient()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for stream in list(self._streams):
            await stream.close()
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
        stream = _Stream()
        while True:
            try:
                effect = flow.send(result)
            except StopIteration as end:
                value: T = end.value
                return value
            result = await self._perform(effect, stream)

    async def _items(self, flow: Flow[None]) -> AsyncIterator[StatusItem]:
        stream = _Stream()
        self._streams.add(stream)
        try:
            result: object = None
            while True:
                effect = flow.send(result)
                if isinstance(effect, Emit):
                    result = None
                    yield effect.item
                else:
                    result = await self._perform(effect, stream)
        finally:
            self._streams.discard(stream)
            await stream.close()

    async def _perform(self, effect: Effect, stream: _Stream) -> object:
        if isinstance(effect, Post):
            return await self._post(effect)
        if isinstance(effect, Token):
            return await self._token(effect)
        if isinstance(effect, Pause):
            await asyncio.sleep(effect.ms / 1000)
        elif isinstance(effect, Open):
            return await stream.open(self._http, self._url, effect)
        elif isinstance(effect, Read):
            return await stream.read()
        elif isinstance(effect, Close):
            await stream.close()
        return None

    async def _token(self, effect: Token) -> str | Refused | Lost:
        # A refresh token is good once.
        async with self._login_lock:
            return await self._run(self._login.token(effect.refused))

    async def _post(self, effect: Post) -> Reply | Lost:
        ends_at_s = time.monotonic() + effect.within_ms / 1000
        timeout = httpx.Timeout(max(0.001, effect.within_ms / 1000))
        request = self._http.build_request(
            "POST", self._url, json=effect.body, headers=headers_of(effect.bearer, "application/json"), timeout=timeout
        )
        try:
            response = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER_BYTES:
                        return Lost("the answer is larger than allowed")
                    if time.monotonic() > ends_at_s:
                        return Lost("no answer in time")
                return reply_of(response, bytes(body))
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            return lost(error)


class _Stream:
    """At most one event stream, read as fast as its items are taken."""

    def __init__(self) -> None:
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def open(self, http: httpx.AsyncClient, url: str, effect: Open) -> bool | Reply | Lost:
        within_s, silent_after_s = effect.within_ms / 1000, effect.silent_after_ms / 1000
        timeout = httpx.Timeout(within_s, read=min(within_s, silent_after_s))
        headers = headers_of(effect.bearer, TYPES_OF_STREAMS)
        request = http.build_request("POST", url, json=effect.body, headers=headers, timeout=timeout)
        try:
            response = await http.send(request, stream=True, follow_redirects=False)
            if response.is_success and response.headers.get("content-type", "").startswith("text/event-stream"):
                self._response = response
                self._chunks = response.aiter_raw()
                return True
            try:
                return reply_of(response, await response.aread())
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            return lost(error)

    async def read(self) -> bytes | Lost:
        if self._chunks is None:
            return b""
        try:
            return await self._chunks.__anext__()
        except StopAsyncIteration:
            return b""
        except httpx.HTTPError as error:
            return lost(error)

    async def close(self) -> None:
        response, self._response = self._response, None
        self._chunks = None
        if response is not None:
            await response.aclose()
