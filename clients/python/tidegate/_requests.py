"""One GraphQL request and its result, and the login under which it is sent."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Union

from ._effects import Answer, Flow, Lost, Post, Refused, Reply, Token
from .types import Pauses

ANSWER_WITHIN_MS = 15_000

#: The request itself was wrong, and no resolver ran.
REFUSALS = frozenset(
    {
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "INVALID_INPUT",
        "LIMIT_EXCEEDED",
        "RATE_LIMITED",
        "BAD_REQUEST",
        "BAD_USER_INPUT",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "NOT_PUBLISHED",
        "NOT_PLANNED",
    }
)

Result = Union[Answer, Refused, Lost]


def ask(
    document: str, variables: Mapping[str, Any], within_ms: float, *, partly: bool = False
) -> Flow[Result]:
    """`partly`: a root field that has a value is an answer, whatever is wrong below it. Once more after UNAUTHENTICATED."""
    refused: str | None = None
    while True:
        bearer = yield Token(refused)
        if not isinstance(bearer, str):
            failed: Refused | Lost = bearer
            return failed
        result = yield from post(document, variables, bearer, within_ms, partly=partly)
        is_expired = isinstance(result, Refused) and result.code == "UNAUTHENTICATED"
        if not is_expired or refused is not None:
            return result
        refused = bearer


def post(
    document: str, variables: Mapping[str, Any], bearer: str, within_ms: float, *, partly: bool = False
) -> Flow[Result]:
    reply: Reply | Lost = yield Post({"query": document, "variables": dict(variables)}, bearer, within_ms)
    return reply if isinstance(reply, Lost) else read(reply, partly=partly)


def read(reply: Reply, *, partly: bool = False) -> Result:
    answer = reply.json()
    if answer is None:
        return Lost(f"HTTP {reply.status} without a GraphQL answer", retry_after_ms=_retry_after_ms(reply))
    data = answer.get("data")
    has_value = isinstance(data, dict) and any(value is not None for value in data.values())
    if not answer.get("errors") or (partly and has_value):
        return Answer(data if isinstance(data, dict) else {})
    return fault_of(answer, _retry_after_ms(reply))


def fault_of(answer: Mapping[str, Any], retry_after_ms: float | None = None) -> Refused | Lost:
    """What the first error of an answer means."""
    error = (answer.get("errors") or [{"message": "no answer"}])[0]
    extensions = error.get("extensions") or {}
    code = str(extensions.get("code", "no code"))
    message = str(error.get("message", ""))
    told = extensions.get("retryAfterMs")
    if code in REFUSALS:
        return Refused(code, message, told)
    outcome = extensions.get("outcome") if code == "OUTCOME_NOT_RECORDED" else None
    return Lost(f"{code}: {message}", code, retry_after_ms if told is None else told, outcome)


def _retry_after_ms(reply: Reply) -> float | None:
    """RFC 9110 section 10.2.3, in seconds, sent by load balancers with 429 and 503."""
    try:
        seconds = float(reply.retry_after or "")
    except ValueError:
        return None
    return seconds * 1000 if seconds >= 0 else None


class Backoff:
    """Doubling, plus up to a tenth at random so that clients do not return all at once."""

    def __init__(self, pauses: Pauses, most_ms: float = float("inf")) -> None:
        self._first_ms = float(pauses.first_ms)
        self._most_ms = min(float(pauses.longest_ms), most_ms)
        self._next_ms = self._first_ms

    def restart(self) -> None:
        self._next_ms = self._first_ms

    def next_ms(self, at_least_ms: float | None = None) -> float:
        chosen_ms = max(self._next_ms, at_least_ms or 0)
        self._next_ms = min(self._next_ms * 2, self._most_ms)
        return chosen_ms * (1 + random.random() / 10)


_FIELDS = "{ accessToken accessTokenExpiresAt refreshToken userErrors { code message } }"
_LOGIN = f"mutation ($input: LoginInput!) {{ root: login(input: $input) {_FIELDS} }}"
_REFRESH = f"mutation ($input: SessionRefreshInput!) {{ root: sessionRefresh(input: $input) {_FIELDS} }}"
#: A token that ends sooner is exchanged first.
_EARLY_S = 30.0


class Login:
    """An API token, or a name and a password with which sessions are begun. One flow at a time may use it: a refresh token is good once."""

    def __init__(self, *, token: str | None, name: str | None, password: str | None) -> None:
        if (token is None) == (name is None or password is None):
            raise ValueError("give either a token, or a name and a password")
        self._fixed = token
        self._credentials = {"name": name, "password": password}
        self._access: str | None = None
        self._refresh: str | None = None
        self._good_until_s = 0.0

    def token(self, refused: str | None) -> Flow[str | Refused | Lost]:
        if self._fixed is not None:
            return self._fixed
        if self._access is not None and self._access != refused and time.monotonic() < self._good_until_s:
            return self._access
        if self._refresh is not None:
            refresh, self._refresh = self._refresh, None
            result = yield from self._exchange(_REFRESH, {"refreshToken": refresh})
            if isinstance(result, Lost):
                # Whether the token is spent is not known: a new session is always right.
                self._access = None
            if result is not None:
                return result
        result = yield from self._exchange(_LOGIN, self._credentials)
        return Refused("UNAUTHENTICATED", "the name or the password is wrong") if result is None else result

    def _exchange(self, document: str, given: Mapping[str, Any]) -> Flow[str | Lost | None]:
        """None: the credentials are wrong."""
        result = yield from post(document, {"input": given}, "", ANSWER_WITHIN_MS)
        if isinstance(result, Lost):
            return result
        if isinstance(result, Refused):
            return Lost(f"{result.code}: {result.message}", result.code, result.retry_after_ms)
        payload = result.data.get("root") or {}
        errors = payload.get("userErrors") or []
        if errors:
            code, message = errors[0]["code"], errors[0]["message"]
            return None if code == "BAD_CREDENTIALS" else Lost(f"{code}: {message}", code)
        self._access, self._refresh = str(payload["accessToken"]), str(payload["refreshToken"])
        lives_s = _seconds_until(payload.get("accessTokenExpiresAt"))
        self._good_until_s = time.monotonic() + lives_s - min(_EARLY_S, lives_s / 2)
        return self._access


def _seconds_until(text: str | None) -> float:
    if text is None:
        return 0.0
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())
