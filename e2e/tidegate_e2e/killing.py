"""Kills the leading controller beside whatever scenario runs, at moments that a seed decides."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from . import api, controller, waits
from .waits import Failed

# Seconds between a new leader and its end: some kills fall into a first look, some into the middle of a stage.
BETWEEN = (2.0, 20.0)
# After a kill nobody leads until the Lease has run out, which is 15 s: a release takes some times as long.
PATIENCE = 4.0


@contextmanager
def at_random(seed: int) -> Iterator[None]:
    dice, over, moments = random.Random(seed), threading.Event(), []

    def kill() -> None:
        while not over.wait(pause := dice.uniform(*BETWEEN)):
            try:
                leader = controller.wait_for_leader()
                controller.kill(leader, controller.process(leader))
                moments.append(pause)
                controller.wait_for_leader(other_than=leader["metadata"]["name"])
            except (Failed, OSError, RuntimeError, api.Refused):
                continue  # the pod went by itself meanwhile; the next one is found

    waits.patience = PATIENCE
    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        waits.patience = 1.0
        print(f"the leader was killed {len(moments)} times, seed {seed}", flush=True)
