from .. import waits
from ..history import weight_of
from ..load import Answers
from ..scenario import Context, scenario
from ..waits import check, until

# Longer than a canary lives, shorter than the verification: what exits are the workload's own pods.
CRASH, VERIFY = 80, 240  # seconds
STAGES = ((50, "4s"), (100, "3s"))


@scenario(core=False)
def crash_in_verify(t: Context) -> None:
    """A version whose processes exit after its promotion, one after the other: one crash says nothing, at the second of a container the previous version takes the traffic."""
    contract = {"errorRatePercent": 50, "latencyAdded": "5s", "timeBudget": "30s"}
    shop = t.shop(rate=50, replicas=3, stages=STAGES, strategy={"verify": f"{VERIFY}s", "handBack": "3s"}, rollback=contract)
    shop.start()
    shop.users()
    shop.deploy("v2", CRASH=f"{CRASH}s")
    shop.in_phase("Verify")
    route = shop.follow("HTTPRoute")
    route.wait_for("the previous version has all traffic", VERIFY, lambda r: weight_of(r, shop.previous) == 100)
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    check((rollback["trigger"], rollback["phase"], rollback["trafficTo"]) == ("Crashed", "Verify", shop.previous), f"it came back by {rollback}")
    twice = "CrashLoopBackOff" in rollback["value"] or "2 restarts" in rollback["value"]
    check(rollback["value"].startswith(f"{shop.name}-") and "exit code 1" in rollback["value"] and twice, f"what crashed is not said: {rollback}")
    check(rollback["withinTimeBudget"], f"it took {rollback['took']}")
    until("Ready says that Git is not what serves", waits.RELEASE_TAKEN_UP, lambda: shop.condition("Ready").get("status") == "False", instead=shop.state)
    answers = shop.all_answers()
    # A router tells a connection that broke by its own answer, without a version.
    bad = Answers(a for a in answers.failed() if a.version not in ("v2", "-"))
    check(not bad, f"requests failed that v2 does not explain: {bad.examples()}")
    t.note(f"{rollback['value']}; {rollback['took']} by the record; seen by users: {answers.describe()}")
