"""Certificates as the webhook's Secret holds them, made older than they are."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta

# A SEQUENCE of two UTCTimes: the validity of a certificate. What follows each tag is as long as it always is.
VALIDITY, TIME, WHOLE = b"\x30\x1e\x17\x0d", b"\x17\x0d", 32


def aged(certificate: str, key: str, days_old: int, days_left: int) -> str:
    """The same self-signed certificate, as if it had been made so many days ago and were good for so many more: name, key and
    extensions are untouched, so that what it signed stays signed."""
    der = ssl.PEM_cert_to_DER_cert(certificate)
    begin = body(der, 0)
    at = der.index(VALIDITY, begin)
    now = datetime.now(UTC)
    moments = (now - timedelta(days=days_old), now + timedelta(days=days_left))
    times = b"".join(TIME + moment.strftime("%y%m%d%H%M%SZ").encode() for moment in moments)
    signed = der[begin : after(der, begin)].replace(der[at : at + WHOLE], VALIDITY[:2] + times)
    algorithm = der[after(der, begin) : after(der, after(der, begin))]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(key)
        file.flush()
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", file.name], input=signed, capture_output=True, check=True).stdout
    return ssl.DER_cert_to_PEM_cert(element(0x30, signed + algorithm + element(0x03, b"\0" + signature)))


def served(address: str, port: int, name: str) -> str:
    """The certificate that a server shows to who calls it by this name, whoever signed it."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address, port), timeout=5) as plain, anybody.wrap_socket(plain, server_hostname=name) as shown:
        return ssl.DER_cert_to_PEM_cert(shown.getpeercert(binary_form=True) or b"")


def text(secret: dict, key: str) -> str:
    """What a Secret holds."""
    return base64.b64decode(secret.get("data", {}).get(key, "")).decode()


def body(der: bytes, at: int) -> int:
    """Where the content of the element at this place begins."""
    return at + 2 + (der[at + 1] & 0x7F if der[at + 1] & 0x80 else 0)


def after(der: bytes, at: int) -> int:
    """Where the element at this place ends."""
    begin = body(der, at)
    length = int.from_bytes(der[at + 2 : begin]) if der[at + 1] & 0x80 else der[at + 1]
    return begin + length


def element(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag]) + (size if len(content) < 0x80 else bytes([0x80 | len(size)]) + size) + content
