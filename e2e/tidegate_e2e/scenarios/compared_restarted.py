from collections.abc import Iterator
from typing import NamedTuple

from ..api import Object
from ..history import History
from ..load import Answers
from ..scenario import Context, scenario
from ..waits import check, ms_of
from .compared import RULES
from .controller_killed import kill_leader_after

INTERVAL = 4_000  # milliseconds
# An interval has the requests between two scrapes, a second apart, stretched to its ends: never twice what users asked in it.
AT_MOST = 1.5


class Step(NamedTuple):
    """What one write of the record counted."""

    intervals: int
    start: int  # Unix milliseconds
    end: int
    requests: float  # of both versions


def tally_of(record: Object) -> Object:
    found = record.get("status", {}).get("comparison") or {}
    return found.get("errors", {}).get("tally", {})


def requests_of(tally: Object) -> float:
    return tally["all"]["requests"] + tally["all"]["baseRequests"]


def counted(record: History) -> Iterator[Step]:
    """Write by write, from the first interval on: what came before it has no beginning of its own."""
    before: Object = {}
    for _, obj in list(record.seen):
        tally = tally_of(obj)
        if not tally.get("until") or tally == before:
            continue
        if before:
            start, end = ms_of(before["until"]), ms_of(tally["until"])
            yield Step(tally["intervals"] - before["intervals"], start, end, requests_of(tally) - requests_of(before))
        before = tally


def counted_once(step: Step, answers: Answers) -> None:
    check(step.intervals == 1, f"one write counted {step.intervals} intervals: {step}")
    check(step.end - step.start >= INTERVAL, f"an interval is counted that overlaps with the one before: {step}")
    asked = len(answers.between(step.start, step.end))
    check(step.requests <= AT_MOST * asked, f"{step.requests:.0f} requests are counted where users made {asked}: {step}")


@scenario(core=False, alone=True)
def compared_restarted(t: Context) -> None:
    """Tidegate is killed while it compares: its successor goes on where it was, counts what was missed as one interval, and none twice."""
    shop = t.shop(rate=100, stages=((50, "40s"), (100, "6s")), analysis={"comparison": RULES, "undecidedFor": "4m", "window": "20s"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    record = shop.follow("ReleaseRecord", shop.taken_up()["metadata"]["name"])
    intervals = lambda at_least: record.wait_for(f"{at_least} intervals are counted", 120, lambda obj: tally_of(obj).get("intervals", 0) >= at_least)
    last = kill_leader_after(lambda: intervals(3))
    before = tally_of(record.seen[-1].obj)["intervals"]
    intervals(before + 2)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers, steps = shop.all_answers(), list(counted(record))
    check(len(steps) >= 4, f"only {len(steps)} intervals were followed: this shows nothing")
    for step in steps:
        counted_once(step, answers)
    longest = max(step.end - step.start for step in steps)
    t.note(f"{len(steps)} intervals of {INTERVAL / 1000:g} s and more, the longest {longest / 1000:g} s; the killed one's last write: {last}")
    t.note(f"seen by users: {answers.describe()}")
