"""Records what both versions answered in real releases, for the benchmark of the comparison to replay.

Each course is one release behind the real router: first stable alone, then a canary with a tenth of the traffic. Nothing brings
it back meanwhile (the contract allows nearly everything), so that every rule can be asked what it would have done. Which requests
fail is drawn by lot, or in clumps: failures that a counter spreads evenly would be steadier than any that chance brings.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone

from . import api, bed, prometheus
from .shop import Shop
from .waits import check

STEP = 15  # seconds from one row to the next; Prometheus scrapes every second
BEFORE = 600  # seconds of stable alone
WEIGHT = 10  # percent for the canary
FOLDER = bed.CHECKOUT / "benches" / "canary" / "recorded"
CONTRACT = {"errorRatePercent": 95, "latencyAdded": "9s"}


@dataclass(frozen=True)
class Course:
    name: str
    what: str
    rate: int
    stable: str
    canary: str
    # Seconds after the canary's first request at which something happens, and what.
    later: tuple[tuple[int, Callable[[Shop], object]], ...] = ()
    turns_bad_after: int | None = None
    # Which requests fail, as the application is told it (FAILURES), and in words.
    failures: tuple[str, str] = ("lot:7", "failures drawn by lot")


def both(error_rate: str) -> Callable[[Shop], object]:
    return lambda shop: [shop.spoil(version, error_rate=error_rate) for version in ("v1", "v2")]


COURSES = (
    Course("alike", "Both versions fail 2 % of their requests.", 60, "0.02", "0.02"),
    Course("alike-clumped", "Both versions fail 1 % of their requests, 20 in a row in the mean.", 60, "0.01", "0.01", failures=("clumps:7:20", "failures drawn in clumps of 20")),
    Course("alike-little", "Both versions fail 1 % of few requests.", 10, "0.01", "0.01"),
    Course("incident", "Both versions fail 0.5 %, and 20 % from minute 5 to minute 8.", 60, "0.005", "0.005", ((300, both("0.2")), (480, both("0.005")))),
    Course("worse", "Stable fails 0.1 %, the canary 3 % from the start.", 60, "0.001", "0.03", turns_bad_after=0),
    Course("late", "Both versions fail 0.1 %, the canary 5 % from minute 6 on.", 60, "0.001", "0.001", ((360, lambda shop: shop.spoil("v2", error_rate="0.05")),), turns_bad_after=360),
)


def counts(shop: Shop, service: str, since: int, rows: int) -> list[tuple[int, int]]:
    """Requests and bad ones of a Service in each step: differences of its raw counters. A series that is not there yet counts 0."""
    found = []
    for bad in ("", ',status!~"2..|3.."'):
        query = f'sum(http_requests_total{{namespace="{shop.namespace}",service="{service}"{bad}}})'
        samples = {round(float(at)): float(value) for at, value in prometheus.over(query, since, since + rows * STEP, STEP)}
        at = [samples.get(since + row * STEP, 0.0) for row in range(rows + 1)]
        steps = [round(later - before) for before, later in zip(at, at[1:])]
        check(min(steps) >= 0, f"a counter of {service} in {shop.namespace} went back: a pod restarted, and the trace is none")
        found.append(steps)
    return list(zip(*found))


def record(course: Course, during: int) -> str:
    stages = ((WEIGHT, f"{during + 600}s"), (100, "6s"))
    folder = bed.RESULTS / f"trace-{course.name}"
    folder.mkdir(parents=True, exist_ok=True)
    drawn, in_words = course.failures
    shop = Shop(namespace=f"e2e-trace-{course.name}", results=folder, rate=course.rate, stages=stages, rollback=CONTRACT, env={"ERROR_RATE": course.stable, "FAILURES": drawn})
    try:
        shop.start()
        # The client that the gate began with asks too: how many come is what was counted.
        shop.users()
        time.sleep(BEFORE + STEP)
        shop.deploy("v2", ERROR_RATE=course.canary, FAILURES=drawn)
        shop.at_weight(WEIGHT)
        first = round(time.time())
        for after, happens in course.later:
            time.sleep(max(0.0, first + after - time.time()))
            happens(shop)
        # One scrape more than the last row needs.
        time.sleep(max(0.0, first + during + 2 - time.time()))
        check(shop.canary_weight() == WEIGHT, f"{course.name}: the release did not stay: {shop.state()}")
        before = counts(shop, shop.name, first - BEFORE - STEP, BEFORE // STEP)
        pair = zip(counts(shop, shop.canary, first, during // STEP), counts(shop, shop.name, first, during // STEP))
        release = [(*canary, *stable) for canary, stable in pair]
    finally:
        shop.stop()
        api.delete("Namespace", None, shop.namespace)
    check(sum(row[0] for row in release) > 0, f"{course.name}: no request of the canary was counted")
    version = api.call("GET", "/version")["gitVersion"]
    trace = {
        "what": course.what,
        "origin": f"e2e/run record-traces on {datetime.now(timezone.utc):%Y-%m-%d}: Kubernetes {version}, Envoy Gateway, Prometheus scraping every second, the application and client of e2e/app, {in_words}",
        "stepSeconds": STEP,
        "requestsPerSecond": round(sum(row[0] + row[2] for row in release) / during),
        "canaryPercent": WEIGHT,
        "turnsBadAfter": course.turns_bad_after,
        "before": before,
        "release": release,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{course.name}.json"
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in trace.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return f"{path.relative_to(bed.CHECKOUT)}: {len(release)} rows, {sum(row[0] for row in release)} requests of the canary"


def main(minutes: int) -> int:
    during = minutes * 60
    longest = max((after for course in COURSES for after, _ in course.later), default=0)
    check(during > longest + 60, f"at least {longest // 60 + 2} minutes: something happens after {longest} s")
    print(f"{len(COURSES)} releases beside each other, {(BEFORE + during) // 60 + 2} minutes", flush=True)
    failed = 0
    with ThreadPoolExecutor(len(COURSES)) as pool:
        for course, told in [(course, pool.submit(record, course, during)) for course in COURSES]:
            try:
                print(told.result(), flush=True)
            except Exception as why:  # one that fails takes no other with it
                failed += 1
                print(f"{course.name} was not recorded: {why}", flush=True)
    return 1 if failed else 0
