"""What the API server held, moment by moment: every version of one object, or of all of a kind, as a watch delivers it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from . import api, waits
from .waits import Failed, now_ms


class Seen(NamedTuple):
    at: int  # Unix milliseconds
    obj: api.Object


class History:
    """Follows one object, or without a name all of the kind in the namespace, on a thread of its own until `stop`."""

    def __init__(self, kind: str, namespace: str, name: str = "") -> None:
        self.seen: list[Seen] = []
        self.changed = threading.Condition()
        self._watch = api.Watch(kind, namespace, name)
        self._thread = threading.Thread(target=self._follow, name=f"watch {kind} {namespace}/{name}", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        for obj in self._watch:
            with self.changed:
                self.seen.append(Seen(now_ms(), obj))
                self.changed.notify_all()

    def wait_for(self, what: str, seconds: float, holds: Callable[[api.Object], object], since: int = 0) -> int:
        """Which version, from number `since` on, is the first for which this holds; answers within milliseconds of the write."""
        seconds *= waits.patience
        end, looked_at = time.monotonic() + seconds, since
        with self.changed:
            while True:
                while looked_at < len(self.seen):
                    if holds(self.seen[looked_at].obj):
                        return looked_at
                    looked_at += 1
                if not self.changed.wait(max(0.0, end - time.monotonic())):
                    raise Failed(f"not within {seconds:g} s: {what}")

    def stop(self) -> None:
        self._watch.close()
        self._thread.join(5)


def weight_of(route: api.Object, backend: str) -> int:
    """A backend's weight in the first rule; 0 where it is absent."""
    return next((b.get("weight", 1) for b in route["spec"]["rules"][0]["backendRefs"] if b["name"] == backend), 0)


class Weight(NamedTuple):
    at: int
    shares: dict[str, int]  # backend to weight


def weights(route: History) -> list[Weight]:
    """Each change of the first rule's weights, in order."""
    changes: list[Weight] = []
    for at, obj in list(route.seen):
        shares = {b["name"]: b.get("weight", 1) for b in obj["spec"]["rules"][0]["backendRefs"]}
        if not changes or changes[-1].shares != shares:
            changes.append(Weight(at, shares))
    return changes


def canary_weights(route: History, canary: str) -> list[tuple[int, int]]:
    """When the canary's weight changed, and to what; absent counts as 0."""
    changes: list[tuple[int, int]] = []
    for at, shares in weights(route):
        weight = shares.get(canary, 0)
        if not changes or changes[-1][1] != weight:
            changes.append((at, weight))
    return changes
