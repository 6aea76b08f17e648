"""What the flows of this package ask for. A flow decides, and is a generator; a client, sync or async, does what it asks for and sends
the result back. So every decision is written once."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from .types import StatusItem

T = TypeVar("T")


@dataclass(frozen=True)
class Post:
    """One request with its whole answer, on a connection of its own. The result is a Reply, or Lost."""

    body: Mapping[str, Any]
    bearer: str
    within_ms: float


@dataclass(frozen=True)
class Open:
    """Sends a request. The result is a Head, or Lost. Read gives the body."""

    body: Mapping[str, Any]
    bearer: str
    accept: str
    within_ms: float
    silent_after_ms: float


@dataclass(frozen=True)
class Read:
    """The next bytes of the open response. The result is empty at its end, or Lost."""


@dataclass(frozen=True)
class Close:
    """Closes the open response, if there is one."""


@dataclass(frozen=True)
class Pause:
    ms: float


@dataclass(frozen=True)
class Token:
    """The access token; another one than `refused`. The result is a text, Lost, or Refused."""

    refused: str | None


@dataclass(frozen=True)
class Emit:
    """An item for the caller, who takes it when he is ready."""

    item: StatusItem


Effect = Union[Post, Open, Read, Close, Pause, Token, Emit]
Flow = Generator[Effect, Any, T]


@dataclass(frozen=True)
class Head:
    status: int
    retry_after: str | None
    is_stream: bool


@dataclass(frozen=True)
class Reply:
    status: int
    retry_after: str | None
    body: bytes

    def json(self) -> Mapping[str, Any] | None:
        """The GraphQL answer, if it is one."""
        try:
            answer = json.loads(self.body)
        except ValueError:
            return None
        return answer if isinstance(answer, dict) and ("data" in answer or "errors" in answer) else None


@dataclass(frozen=True)
class Answer:
    """The values of the root fields; without data, empty."""

    data: Mapping[str, Any]


@dataclass(frozen=True)
class Refused:
    """Refused before anything was done: the same request would be refused again, RATE_LIMITED only until `retry_after_ms`."""

    code: str
    message: str
    retry_after_ms: int | None = None


@dataclass(frozen=True)
class Lost:
    """It may or may not have been executed: no answer, a lost part, a bug."""

    why: str
    #: Of an error in the answer.
    code: str = ""
    retry_after_ms: float | None = None
    #: `extensions.outcome` of OUTCOME_NOT_RECORDED.
    outcome: Any = None
