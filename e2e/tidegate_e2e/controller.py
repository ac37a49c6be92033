"""Tidegate itself, seen from outside: its pods, its end and its return."""

from __future__ import annotations

import os
import signal

from . import api, waits
from .bed import TIDEGATE_NAMESPACE, process_of
from .waits import until


def pods() -> list[api.Object]:
    """The controller's living pods."""
    found = api.every("Pod", TIDEGATE_NAMESPACE, labelSelector="app.kubernetes.io/name=tidegate")
    return [p for p in found if p["status"].get("phase") == "Running" and not p["metadata"].get("deletionTimestamp")]


def ready() -> list[api.Object]:
    return [p for p in pods() if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))]


def lease() -> api.Object | None:
    return api.find("Lease", TIDEGATE_NAMESPACE, "tidegate")


def leader() -> api.Object | None:
    """The pod that holds the Lease; its identity begins with the pod's name."""
    found = lease()
    holder = (found or {}).get("spec", {}).get("holderIdentity") or ""
    return next((p for p in pods() if holder.startswith(p["metadata"]["name"])), None)


def wait_for_leader(other_than: str = "") -> api.Object:
    def changed() -> api.Object | None:
        pod = leader()
        return pod if pod and pod["metadata"]["name"] != other_than else None

    return until("a controller leads", waits.LEADER_CHANGES, changed)


def process(pod: api.Object) -> int:
    return process_of(pod, "tidegate")


def kill(pod: api.Object, pid: int) -> None:
    """SIGKILL; the pod is removed, so that its successor need not sit out the kubelet's back-off."""
    os.kill(pid, signal.SIGKILL)
    api.delete("Pod", TIDEGATE_NAMESPACE, pod["metadata"]["name"], gracePeriodSeconds=0)


def scale(replicas: int) -> None:
    api.patch("Deployment", TIDEGATE_NAMESPACE, "tidegate", {"spec": {"replicas": replicas}})
    if replicas == 0:
        until("no controller runs", waits.GONE, lambda: not api.every("Pod", TIDEGATE_NAMESPACE, labelSelector="app.kubernetes.io/name=tidegate"))
    else:
        until(f"{replicas} controllers are ready", waits.TIDEGATE_READY, lambda: len(ready()) == replicas and len(pods()) == replicas)
