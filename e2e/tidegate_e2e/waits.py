"""Every wait has a name and a deadline; nothing here tries a failed action again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")

# Seconds. Generous, as two cores run a whole cluster; what a promise limits is asserted where it is measured.
PODS_READY = 90
ROUTE_ANSWERS = 30
TIDEGATE_READY = 90
RELEASE_TAKEN_UP = 40
RELEASE_ENDS = 200
LEADER_CHANGES = 60
BUDGET_MEASURED = 90
RULES_RECORD = 360  # rules that count every five minutes
GONE = 60
OTHER_NAMESPACES_SEEN = 17  # the controller's look at them serves all releases for 15 seconds

# What every deadline is multiplied by: more where the controller is killed again and again, and most of the time none leads.
patience = 1.0


class Failed(AssertionError):
    """What a scenario promised does not hold."""


def check(holds: object, what: str) -> None:
    if not holds:
        raise Failed(what)


def until(what: str, seconds: float, probe: Callable[[], T | None], every: float = 0.2, instead: Callable[[], object] | None = None) -> T:
    """Polls until the probe answers something true, and returns it; `instead` tells, in the failure, how things are."""
    seconds *= patience
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:g} s: {what}" + (f"; instead: {instead()}" if instead else ""))
        time.sleep(every)


def next_second() -> None:
    """Until the API server writes a later time than now: of what one person says in one second the stricter counts."""
    time.sleep(1 - time.time() % 1 + 0.01)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def ms_of(timestamp: str) -> int:
    """A time as the API server writes it, in Unix milliseconds."""
    return int(datetime.fromisoformat(timestamp).timestamp() * 1000)
