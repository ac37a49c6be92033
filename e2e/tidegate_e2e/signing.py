"""Who signs outside the cluster: keys, tokens of OpenID Connect and DSSE envelopes, as CI systems and cosign make them."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path

from .people import openssl

PAYLOAD = "application/vnd.in-toto+json"


@dataclass(frozen=True)
class Key:
    """A private key in a file: RSA of 2048 bits for tokens, P-256 for envelopes."""

    file: Path

    @classmethod
    def rsa(cls, file: Path) -> Key:
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file)
        return cls(file)

    @classmethod
    def p256(cls, file: Path) -> Key:
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)
        return cls(file)

    def sign(self, message: bytes) -> bytes:
        return openssl("dgst", "-sha256", "-sign", self.file, stdin=message)

    def pem(self) -> str:
        return openssl("pkey", "-in", self.file, "-pubout").decode()

    def jwk(self, name: str) -> dict[str, str]:
        """An RSA key as an issuer publishes it; openssl's exponent is 65537."""
        modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": url(bytes.fromhex(modulus)), "e": "AQAB"}


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(key: Key, name: str, claims: dict[str, object], age: int = 0) -> str:
    """A token that lives for five minutes and was given out so many seconds ago."""
    issued = int(time.time()) - age
    parts = ({"alg": "RS256", "kid": name, "typ": "JWT"}, {"iat": issued, "nbf": issued, "exp": issued + 300, **claims})
    message = ".".join(url(json.dumps(part).encode()) for part in parts)
    return f"{message}.{url(key.sign(message.encode()))}"


def envelope(key: Key, subject: dict[str, str], predicate: dict[str, object]) -> str:
    """A statement about what has this digest, in an envelope."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "checkout", "digest": subject}],
        "predicateType": "https://tidegate.io/evidence/v1", "predicate": predicate,
    }
    payload = json.dumps(statement).encode()
    signature = key.sign(f"DSSEv1 {len(PAYLOAD)} {PAYLOAD} {len(payload)} ".encode() + payload)
    plain = lambda data: base64.b64encode(data).decode()
    return json.dumps({"payloadType": PAYLOAD, "payload": plain(payload), "signatures": [{"keyid": "", "sig": plain(signature)}]})
