"""Blocks an address for a tenant at a firewall, and follows the call to its end, through lost answers and restarts.

usage: block_address.py URL TOKEN_FILE TENANT ADDRESS         Python 3.9, without packages
"""
import http.client
import json
import sys
import time
import urllib.error
import urllib.request

url, token_file, tenant, address = sys.argv[1:]
with open(token_file) as file:
    token = file.read().strip()

BLOCK = """mutation ($input: FirewallAddressSetElementAddInput!) { firewallAddressSetElementAdd(input: $input) {
  operation { id state } userErrors { code message retry retryAfterMs } } }"""
SHOW = "query ($id: ID!) { relayOperation(id: $id) { id state deviceError { code message } } }"
FOLLOW = """subscription ($tenant: CmpObjectInput!, $after: String) { statusChanges(cmpObject: $tenant, after: $after) {
  cursor change { kind subjectId from to reason } } }"""
FINAL = {"SUCCEEDED", "FAILED", "REJECTED", "UNKNOWN"}
# The request may or may not have been carried out: the same key tells (docs/errors.md).
AGAIN = {"NO_ANSWER", "RATE_LIMITED", "BUSY", "UNAVAILABLE", "SUBGRAPH_UNAVAILABLE", "DISK_FULL", "INTERNAL",
         "OUTCOME_UNCERTAIN", "OUTCOME_NOT_RECORDED", "OUTCOME_NOT_READ"}
RESYNC = {"CURSOR_EXPIRED", "RESYNC_REQUIRED", "INVALID_CURSOR"}
LOST = (OSError, ValueError, http.client.HTTPException)


def no_answer(why, retry_after=""):
    """As an error of the graph. A Retry-After that is a date is left out."""
    wait = {"retryAfterMs": int(retry_after) * 1000} if retry_after.isdigit() else {}
    return {"errors": [{"message": why, "extensions": {"code": "NO_ANSWER", **wait}}]}


def post(query, variables, accept):
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "accept": accept}
    body = json.dumps({"query": query, "variables": variables}).encode()
    return urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60)


def ask(query, variables, deadline_seconds=120):
    """The data of the answer. Sends the same request again until there is one."""
    end, pause = time.monotonic() + deadline_seconds, 0.5
    while True:
        try:
            with post(query, variables, "application/json") as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            is_json = "json" in error.headers.get("content-type", "")
            answer = json.load(error) if is_json else no_answer(f"HTTP {error.code}", error.headers.get("retry-after", ""))
        except LOST as error:
            answer = no_answer(getattr(error, "reason", error))
        if not answer.get("errors"):
            return answer["data"]
        error = answer["errors"][0]
        code = error["extensions"]["code"]
        if code not in AGAIN or time.monotonic() > end:
            sys.exit(f"{code}: {error['message']}")
        wait = error["extensions"].get("retryAfterMs", pause * 1000) / 1000
        if code == "NO_ANSWER":
            print(f"no answer from {url} ({error['message']}); again in {wait:g} s", file=sys.stderr)
        time.sleep(wait)
        pause = min(pause * 2, 10)


def block():
    """The operation. The key is made from the task, so that this program may die and start again at any moment."""
    wanted = {"idempotencyKey": f"block-{tenant}-{address}", "backend": {"name": "lab-firewall"}, "set": "blocked",
              "cmpObject": {"type": "tenant", "externalId": tenant}, "address": address, "waitMs": 0}
    while True:
        payload = ask(BLOCK, {"input": wanted})["firewallAddressSetElementAdd"]
        if not payload["userErrors"]:
            return payload["operation"]
        error = payload["userErrors"][0]
        if error["retry"] != "SAME_KEY":
            sys.exit(f"{error['code']}: {error['message']}")
        time.sleep((error["retryAfterMs"] or 1000) / 1000)


def follow(cursor):
    """The tenant's status changes. None: some may be missing, so read again what you show."""
    while True:
        try:
            variables = {"tenant": {"type": "tenant", "externalId": tenant}, "after": cursor}
            with post(FOLLOW, variables, "text/event-stream") as stream:
                for line in stream:
                    if not line.startswith(b"data: {"):
                        continue
                    item = json.loads(line[6:])
                    errors = item.get("errors")
                    told = errors[0]["extensions"] if errors else {}
                    if "cursor" in told:  # One event can't be read, and the stream goes on.
                        cursor = told["cursor"]
                        yield None
                        continue
                    if told.get("code") in RESYNC:
                        cursor = ask("{ statusCursor }", {})["statusCursor"]
                        yield None
                    if errors:
                        break
                    cursor = item["data"]["statusChanges"]["cursor"]
                    if item["data"]["statusChanges"]["change"]:
                        yield item["data"]["statusChanges"]["change"]
        except urllib.error.HTTPError as error:
            if error.code in (400, 401, 403):
                sys.exit(f"HTTP {error.code}: {error.read().decode()}")
        except LOST:
            pass
        time.sleep(1)


cursor = ask("{ statusCursor }", {})["statusCursor"]
operation = block()
changes = follow(cursor)
while operation["state"] not in FINAL:
    change = next(changes)
    if change and change["kind"] == "relayOperation.state":
        print(change["to"], flush=True)
    if change is None or change["subjectId"] == operation["id"]:
        operation = ask(SHOW, {"id": operation["id"]})["relayOperation"]
print(operation["id"], operation["state"])
