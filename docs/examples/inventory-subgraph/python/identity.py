"""Checks who sent a request: Tidegate's gateway signs the caller's identity for your subgraph and for this one request.

The header x-tidegate-identity is a compact JWS with Ed25519 (RFC 7515, RFC 8037). Everything else must be refused: 401.
It needs the package cryptography. docs/extending.md describes the content; identity-vectors.json has examples to test with.
"""
import base64
import hashlib
import json
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key

CLOCK_SKEW_SECONDS = 10
MOST_REMEMBERED = 100_000
ROLES = ["VIEWER", "MEMBER", "OPERATOR"]


class IdentityError(Exception):
    """The request must not be answered."""


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _part(text):
    try:
        part = json.loads(_decoded(text))
    except ValueError as error:
        raise IdentityError("not a compact JWS") from error
    if not isinstance(part, dict):
        raise IdentityError("not a compact JWS")
    return part


class IdentityVerifier:
    """`keys_file`: public.keys of the installation; `audience`: the name of your subgraph in its settings."""

    def __init__(self, keys_file, audience):
        with open(keys_file, encoding="utf-8") as file:
            keys = json.load(file)["gateway"]
        self._keys = {key_id: load_der_public_key(base64.b64decode(text)) for key_id, text in keys.items()}
        self._audience = audience
        self._seen = {}
        self._lock = threading.Lock()

    def verify(self, header, body, now=None):
        """Returns (identity, request id). Raises IdentityError. `body`: bytes; each header is accepted once."""
        now = time.time() if now is None else now
        parts = (header or "").split(".")
        if len(parts) != 3:
            raise IdentityError("not a compact JWS")
        head = _part(parts[0])
        key = self._keys.get(head.get("kid")) if head.get("alg") == "EdDSA" else None
        if key is None:
            raise IdentityError("signed with an unknown key")
        try:
            key.verify(_decoded(parts[2]), f"{parts[0]}.{parts[1]}".encode())
        except (InvalidSignature, ValueError) as error:
            raise IdentityError("the signature is not valid") from error
        claims = _part(parts[1])
        if claims.get("aud") != self._audience:
            raise IdentityError("signed for another subgraph")
        if claims["exp"] + CLOCK_SKEW_SECONDS < now or claims["iat"] - CLOCK_SKEW_SECONDS > now:
            raise IdentityError("expired: compare the clocks of both hosts")
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        if claims.get("bdy") != digest:
            raise IdentityError("signed for another request")
        self._take_once(claims["jti"], claims["exp"] + CLOCK_SKEW_SECONDS, now)
        return claims["identity"], claims["rid"]

    def _take_once(self, one, until, now):
        with self._lock:
            for old in list(self._seen):
                if self._seen[old] >= now:
                    break
                del self._seen[old]
            if one in self._seen:
                raise IdentityError("sent before")
            if len(self._seen) >= MOST_REMEMBERED:
                raise IdentityError("too many requests to recognise repeated ones")
            self._seen[one] = until


def allows(identity, project_id, least):
    """Whether the caller has at least the role in the project, given by its id in the graph."""
    if identity is None:
        return False
    role = identity["projects"].get(_decoded(project_id).decode().partition(":")[2])
    return identity["admin"] or (role in ROLES and ROLES.index(role) >= ROLES.index(least))
