"""The API server's audit log: every write by Tidegate, with the pod that sent it, and whatever it asked of Secrets."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from .bed import LOGS


READS = ("get", "list", "watch")


class Write(NamedTuple):
    at: int  # Unix milliseconds
    pod: str
    verb: str
    resource: str  # such as httproutes, leases, releaserecords/status
    namespace: str
    name: str
    body: dict
    code: int

    @property
    def took_effect(self) -> bool:
        return self.code < 300


def writes(start: int = 0, end: int | None = None) -> list[Write]:
    """Tidegate's writes in [start, end), in the order in which they were received."""
    return [request for request in _requests(start, end) if request.verb not in READS]


def of_secrets(start: int) -> list[Write]:
    """Every request for Secrets by Tidegate from then on, reads included."""
    return [request for request in _requests(start, None) if request.resource.startswith("secrets")]


def _requests(start: int, end: int | None) -> list[Write]:
    found: list[Write] = []
    for line in (LOGS / "audit.log").read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line, while it is written
        at = int(datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp() * 1000)
        if event["stage"] != "ResponseComplete" or at < start or (end is not None and at >= end):
            continue
        ref = event.get("objectRef", {})
        pod = event["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", ["?"])[0]
        resource = ref.get("resource", "") + (f"/{ref['subresource']}" if ref.get("subresource") else "")
        found.append(Write(at, pod, event["verb"], resource, ref.get("namespace", ""), ref.get("name", ""), event.get("requestObject", {}), event.get("responseStatus", {}).get("code", 0)))
    return sorted(found, key=lambda write: write.at)


def but_leases(found: list[Write]) -> list[Write]:
    return [w for w in found if w.resource != "leases"]
