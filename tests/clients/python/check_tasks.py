"""Carries out the tasks of `tidegate check-client` with the client in Python: `check_tasks.py sync|async URL`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any
from urllib.request import Request, urlopen

from tidegate import (
    AsyncClient,
    Change,
    Client,
    Outcome,
    Pauses,
    Query,
    RequestRefused,
    Snapshot,
    StatusFilter,
    StatusItem,
    Waited,
)


def main(kind: str, origin: str) -> None:
    while True:
        task = _ask(Request(f"{origin}/next"))
        if task.get("done"):
            return
        report = asyncio.run(_with_async(task)) if kind == "async" else _with_sync(task)
        body = json.dumps({"task": task["task"], **report}).encode()
        _ask(Request(f"{origin}/report", data=body, method="POST"))


def _with_sync(task: dict[str, Any]) -> dict[str, Any]:
    with Client(task["url"], **_how(task)) as client:
        if task["do"] == "call":
            return _of_call(client.carry_out(*_call(task), deadline_ms=task["deadlineMs"]))
        if task["do"] == "wait":
            return _of_wait(client.wait_for(task["id"], task["timeoutMs"]))
        saw: list[str] = []
        items = client.follow(**_follow(task))
        try:
            for item in items:
                if _add(saw, item, task):
                    break
                if _is_first_change(saw, item):
                    time.sleep(task["consumerPauseMs"] / 1000)
        except RequestRefused as error:
            return {"saw": saw, "gaveUp": error.code}
        return {"saw": saw}


async def _with_async(task: dict[str, Any]) -> dict[str, Any]:
    async with AsyncClient(task["url"], **_how(task)) as client:
        if task["do"] == "call":
            return _of_call(await client.carry_out(*_call(task), deadline_ms=task["deadlineMs"]))
        if task["do"] == "wait":
            return _of_wait(await client.wait_for(task["id"], task["timeoutMs"]))
        saw: list[str] = []

        async def take() -> None:
            async for item in client.follow(**_follow(task)):
                if _add(saw, item, task):
                    return
                if _is_first_change(saw, item):
                    await asyncio.sleep(task["consumerPauseMs"] / 1000)

        try:
            await asyncio.wait_for(take(), task["deadlineMs"] / 1000)
        except RequestRefused as error:
            return {"saw": saw, "gaveUp": error.code}
        except asyncio.TimeoutError:
            pass
        return {"saw": saw}


def _how(task: dict[str, Any]) -> dict[str, Any]:
    hurry = task["hurry"]
    return {**task["login"], "pauses": Pauses(hurry["firstPauseMs"], hurry["longestPauseMs"])}


def _call(task: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    return task["mutation"], task["idempotencyKey"], task["input"]


def _follow(task: dict[str, Any]) -> dict[str, Any]:
    snapshot = Query(task["snapshot"]["query"], task["snapshot"]["variables"])
    silent_after_ms = task["hurry"]["silentAfterMs"]
    return {
        "filter": StatusFilter(subject_id=task["subjectId"]),
        "snapshot": snapshot,
        "silent_after_ms": silent_after_ms,
    }


def _of_call(outcome: Outcome) -> dict[str, Any]:
    return {"outcome": outcome.kind.value}


def _of_wait(waited: Waited) -> dict[str, Any]:
    return {"outcome": waited.work.state if waited.has_ended and waited.work is not None else "OPEN"}


def _add(saw: list[str], item: StatusItem, task: dict[str, Any]) -> bool:
    """True at the last one."""
    if isinstance(item, Snapshot):
        assert item.data is not None
        saw.append(f"snapshot {item.data['backend']['version']}")
    else:
        saw.append(item.change.id)
        # Of a real installation, which does not know the ids of its events beforehand.
        if item.change.to_status == task.get("untilStatus"):
            return True
    return bool(saw[-1] == task["until"])


def _is_first_change(saw: list[str], item: StatusItem) -> bool:
    return isinstance(item, Change) and sum(each.startswith("event") for each in saw) == 1


def _ask(request: Request) -> dict[str, Any]:
    with urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
