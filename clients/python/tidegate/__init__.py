"""A client of Tidegate: calls that reach the device at most once, waits, and streams that resume (README.md)."""

from ._async import AsyncClient
from ._sync import Client
from .types import (
    Change,
    ClientClosed,
    DeviceError,
    LongRunning,
    NoAnswer,
    Operation,
    Outcome,
    OutcomeKind,
    Pauses,
    Query,
    Refusal,
    RequestRefused,
    Snapshot,
    StatusChange,
    StatusFilter,
    StatusItem,
    TidegateError,
    Waited,
)

__all__ = [
    "AsyncClient",
    "Change",
    "Client",
    "ClientClosed",
    "DeviceError",
    "LongRunning",
    "NoAnswer",
    "Operation",
    "Outcome",
    "OutcomeKind",
    "Pauses",
    "Query",
    "Refusal",
    "RequestRefused",
    "Snapshot",
    "StatusChange",
    "StatusFilter",
    "StatusItem",
    "TidegateError",
    "Waited",
]
