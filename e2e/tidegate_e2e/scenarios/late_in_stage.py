"""What turns bad at the very end of a stage is seen before the next weight."""

import time

from .. import waits
from ..history import weight_of
from ..scenario import Context, scenario
from ..waits import check, ms_of, now_ms, until

BAKE = 20  # seconds
BEFORE = 1.0  # seconds before the end; Prometheus scrapes as often


@scenario(core=False)
def late_in_stage(t: Context) -> None:
    """The new version begins to fail in the last second of a stage: no scrape has seen it when the stage ends, and it comes back from there all the same."""
    shop = t.shop(rate=200, stages=((25, f"{BAKE}s"), (100, "6s")), analysis={"window": "10s"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    route = shop.follow("HTTPRoute")
    started = until("the first stage begins", waits.RELEASE_ENDS, lambda: began(shop.record()), every=0.1, instead=shop.state)
    time.sleep(max(0.0, ms_of(started) / 1000 + BAKE - BEFORE - now_ms() / 1000))
    shop.spoil("v2", error_rate="0.6")
    ahead = ms_of(started) + BAKE * 1000 - now_ms()
    check(ahead > 0, f"the faults came {-ahead} ms after the end of the stage: this shows nothing")
    record = shop.ends("RolledBack")["status"]
    most = max(weight_of(seen.obj, shop.canary) for seen in route.seen)
    check(most == 25, f"the weight went to {most}")
    check(record["rollback"]["trigger"] == "ErrorRate", f"the trigger was {record['rollback']}")
    check("passedAt" not in record["stages"][0], f"the stage passed: {record['stages'][0]}")
    shop.leaves_nothing()
    t.note(f"bad {ahead} ms before the end of the stage; {record['rollback']['value']}, traffic home after {record['rollback']['took']}")


def began(record: dict | None) -> str | None:
    """When the first stage of the attempt began."""
    stages = ((record or {}).get("status") or {}).get("stages") or [{}]
    return stages[0].get("startedAt")
