"""Sends waiting status events to Tidegate, each once, with the credentials that "tidegate join" has written. It needs cryptography."""
import datetime
import json
import os
import random
import ssl
import sys
import time
import urllib.request

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ADD = """mutation ($input: StatusEventsAddInput!) {
  statusEventsAdd(input: $input) { userErrors { code message field retry retryAfterMs } } }"""
RENEW = """mutation ($input: MachineRenewInput!) {
  machineRenew(input: $input) { certificate authority token expiresAt } }"""
IDLE_SECONDS = 0.05
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30
RENEW_BEFORE = datetime.timedelta(days=3.5)


def send_events(store, machine_file):
    """Runs as long as the process."""
    pause = SHORTEST_PAUSE
    while True:
        try:
            renew_in_time(machine_file)
            batch = store.next()
            wait = IDLE_SECONDS if batch is None else send(store, machine_file, *batch)
            pause = SHORTEST_PAUSE
            time.sleep(wait)
        except Exception as error:  # The answer may be lost: the same batch with the same key is written once.
            print(f"the events wait: {error}", file=sys.stderr)
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, LONGEST_PAUSE)


def send(store, machine_file, key, events):
    """Returns the seconds before the next batch. Raises if the batch must be sent again after a growing pause."""
    errors = ask(machine_file, ADD, {"idempotencyKey": key, "events": events})["userErrors"]
    if not errors:
        store.done()
        return 0
    faulty = [each for each in errors if each["field"][1:2] == ["events"] and len(each["field"]) > 2]
    if faulty:
        for each in faulty:
            print(f"an event is left out: {each['code']}: {each['message']}", file=sys.stderr)
        store.leave_out({int(each["field"][2]) for each in faulty})
        return 0
    first = errors[0]
    if first["retry"] == "SAME_KEY" and first["retryAfterMs"] is not None:
        return first["retryAfterMs"] / 1000
    raise RuntimeError(f"{first['code']}: {first['message']}")


def renew_in_time(machine_file):
    machine = read(machine_file)
    expires_at = datetime.datetime.fromisoformat(machine["expiresAt"].replace("Z", "+00:00"))
    if expires_at - datetime.datetime.now(datetime.timezone.utc) > RENEW_BEFORE:
        return
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    renewed = ask(machine_file, RENEW, {"publicKey": public_key})
    if renewed["token"] is None:
        raise RuntimeError("Tidegate refused to renew the credentials")
    private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    new = f"{machine_file}.new"
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({**machine, **renewed, "key": private_key}, file)
    os.replace(new, machine_file)


def ask(machine_file, query, given):
    """The payload of a mutation."""
    machine = read(machine_file)
    body = json.dumps({"query": query, "variables": {"input": given}}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {machine['token']}"}
    request = urllib.request.Request(machine["endpoint"], body, headers)
    context = ssl.create_default_context(cadata=machine.get("endpointCa"))
    context = context if machine["endpoint"].startswith("https:") else None
    with urllib.request.urlopen(request, timeout=30, context=context) as response:
        answer = json.load(response)
    payload = next(iter((answer.get("data") or {}).values()), None)
    if payload is None:
        raise RuntimeError(f"no result: {answer.get('errors')}")
    return payload


def read(machine_file):
    with open(machine_file, encoding="utf-8") as file:
        return json.load(file)
