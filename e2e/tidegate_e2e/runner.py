"""Runs scenarios, several at a time where they do not disturb each other, and says how each ended."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from . import bed, evidence
from .scenario import Context, Scenario
from .waits import Failed

AT_A_TIME = 3
_speaking = threading.Lock()


def say(text: str) -> None:
    with _speaking:
        print(text, flush=True)


def _run(scenario: Scenario, keep: bool) -> bool:
    context, start = Context(scenario.name), time.monotonic()
    try:
        scenario.run(context)
        problem = None
    except Failed as failed:
        problem = str(failed)
    except Exception:  # a mistake of the scenario counts as its failure and must not end the others
        problem = traceback.format_exc()
    if problem:
        (context.results / "failure.txt").write_text(problem + "\n")
        evidence.keep(context.results, [shop.namespace for shop in context.shops])
    try:
        context.clean_up(keep)
    except Exception:
        problem = problem or f"cleaning up: {traceback.format_exc()}"
    lines = [f"{'FAIL' if problem else 'ok'}   {scenario.name} ({time.monotonic() - start:.0f} s): {scenario.intent}"]
    lines += [f"       {note}" for note in context.notes]
    if problem:
        lines += [f"       {line}" for line in problem.splitlines()] + [f"       kept in {context.results}"]
    say("\n".join(lines))
    return problem is None


def run(scenarios: Sequence[Scenario], keep: bool) -> bool:
    together = [s for s in scenarios if not s.alone]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        passed = list(pool.map(lambda s: _run(s, keep), together))
    passed += [_run(s, keep) for s in scenarios if s.alone]
    failed = passed.count(False)
    if failed:
        print(f"kept in {bed.RESULTS}, with the cluster's logs")
    print(f"{len(passed) - failed} passed, {failed} failed")
    return failed == 0
