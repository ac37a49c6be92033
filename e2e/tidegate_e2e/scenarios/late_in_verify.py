import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from .. import api, waits
from ..history import weight_of
from ..load import Answers
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, ms_of, now_ms, until

BUDGET, VERIFY = 30, 40  # seconds
# Each day tries another moment in the middle; E2E_DAY tries one of them again.
DAY = os.environ.get("E2E_DAY") or date.today().isoformat()
MIDDLE = round(random.Random(DAY).uniform(4, VERIFY - 10), 1)
# How far into Verify errors begin. The last leaves the analysis, which wants twenty requests of which some fail, time to see
# them before the verification would end.
BEGINS = {"-first": 1, "-middle": MIDDLE, "-last": VERIFY - 6}
STAGES = ((50, "4s"), (100, "3s"))


@scenario(core=False)
def late_in_verify(t: Context) -> None:
    """Three workloads side by side: errors that begin at the first, in the middle and near the last of Verify all go back to the previous version in time."""
    t.note(f"the middle is {MIDDLE:g} s: E2E_DAY={DAY}")
    contract = {"errorRatePercent": 5, "latencyAdded": "5s", "timeBudget": f"{BUDGET}s"}
    strategy = {"verify": f"{VERIFY}s", "handBack": "3s"}
    shops = {at: t.shop(at, rate=50, replicas=2, stages=STAGES, strategy=strategy, rollback=contract) for at in BEGINS}
    with ThreadPoolExecutor(len(shops)) as pool:
        for told in pool.map(lambda at: comes_back(shops[at], BEGINS[at]), shops):
            t.note(told)


def comes_back(shop: Shop, after: float) -> str:
    """Releases a version whose errors begin so many seconds into Verify; what became of it."""
    shop.start()
    shop.users()
    shop.deploy("v2")
    verifying = shop.in_phase("Verify")
    entered = ms_of(verifying["status"]["phaseSince"])
    until("the moment has come", after + 5, lambda: now_ms() >= entered + after * 1000, every=0.05)
    check(shop.record()["status"]["phase"] == "Verify", f"Verify was over before {after:g} s: {shop.state()}")
    route = shop.follow("HTTPRoute")
    began = now_ms()
    check(shop.spoil("v2", error_rate="0.5") >= shop.replicas, "no pods run v2")
    route.wait_for(f"the previous version has all traffic, errors {after:g} s into Verify", BUDGET + 15, lambda r: weight_of(r, shop.previous) == 100)
    home = now_ms()
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    check((rollback["trigger"], rollback["phase"], rollback["trafficTo"]) == ("ErrorRate", "Verify", shop.previous), f"it came back by {rollback}")
    check(rollback["withinTimeBudget"], f"it took {rollback['took']}")
    previous = api.get("Deployment", shop.namespace, shop.previous)
    check(previous["status"].get("readyReplicas", 0) == shop.replicas, f"the previous version serves with {previous['status']}")
    until("Ready says that Git is not what serves", waits.RELEASE_TAKEN_UP, lambda: shop.condition("Ready").get("status") == "False", instead=shop.state)
    answers = shop.all_answers()
    bad = Answers(a for a in answers.failed() if a.version != "v2" or a.done < began or a.sent >= home + 1_000)
    check(not bad, f"requests failed that v2 does not explain: {bad.examples()}")
    last = max(a.sent for a in answers.of("v2"))
    check(last < home + 1_000, f"v2 got requests for {last - home} ms after it had no weight")
    into = (began - entered) / 1000
    return f"errors {into:.1f} s into a Verify of {VERIFY}: {(home - began) / 1000:.1f} s to the route, {rollback['took']} by the record; {answers.describe()}"
