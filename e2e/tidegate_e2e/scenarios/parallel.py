from .. import audit, waits
from ..scenario import Context, scenario
from ..shop import partition_of
from ..waits import check, now_ms, until
from .errors import only_the_canary_fails, stays_at_stable
from .stateful import HELD, partitions, shares_now

STAGES = ((25, "15s"), (50, "8s"), (100, "6s"))


@scenario(core=False)
def parallel(t: Context) -> None:
    """A StatefulSet of `podManagementPolicy: Parallel`: pods added in mid-stage come with the new version and are put back, a bad version comes back pod by pod."""
    shop = t.shop(kind="StatefulSet", routed=False, replicas=4, stages=STAGES, spec={"podManagementPolicy": "Parallel"})
    shop.start()
    workload = shop.follow("StatefulSet")
    shop.users()
    shop.deploy("v2")
    until("the first stage has begun", waits.RELEASE_ENDS, lambda: shares_now(shop.record()) == 1, instead=shop.state)
    check(shop.running() == {"v1": 3, "v2": 1}, f"in the stage of 25 % it runs {shop.running()}")
    began = now_ms()
    shop.scale(6)
    most = 0

    def put_back() -> bool:
        nonlocal most
        running = shop.running()
        most = max(most, running.get("v2", 0))
        return sum(running.values()) == 6 and running.get("v2", 0) <= 2 and most > 2 and shop.all_ready()

    until("the share is the stage's again", waits.PODS_READY, put_back, every=0.1, instead=shop.running)
    t.note(f"scaled from 4 to 6 in the stage of 25 %: {most} pods ran v2, after {(now_ms() - began) / 1000:.0f} s {shop.running().get('v2')}")
    check(shares_now(shop.record()) == 1, "the next stage began while the share was another")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check(shop.running() == {"v2": 6} and not shop.paused(), f"it ended with {shop.running()}, held: {shop.paused()}")
    check(not shop.so_far().failed(), f"requests failed: {shop.so_far().failed().examples()}")
    t.note(f"good version: partitions {partitions(workload)}, {shop.so_far().describe()}")

    seen = len(workload.seen)
    shop.deploy("v3")
    until("the second stage has begun", waits.RELEASE_ENDS, lambda: shares_now(shop.record()) == 2, instead=shop.state)
    began = now_ms()
    spoilt = shop.spoil("v3", error_rate="0.2")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    stays_at_stable(shop)
    check(shop.running() == {"v2": 6} and partition_of(shop.live()) == HELD, f"after the rollback {shop.running()} run, partition {partition_of(shop.live())}")
    deleted = [w for w in audit.writes(began) if w.namespace == shop.namespace and (w.verb, w.resource) == ("delete", "pods") and w.took_effect]
    check([w.name for w in deleted] == [f"{shop.name}-{5 - n}" for n in range(spoilt)], f"deleted: {[w.name for w in deleted]}")
    least = min(version.obj["status"].get("readyReplicas", 0) for version in workload.seen[seen:])
    check(least >= shop.replicas - 1, f"{least} of {shop.replicas} pods were ready at the least")
    answers = shop.all_answers()
    only_the_canary_fails(answers, "v3")
    t.note(f"bad version: {rollback['trigger']} {rollback['value']} from {rollback['fromWeight']} %; {spoilt} pods, gone after {rollback['took']}")
    t.note(f"seen by users: {answers.describe()}")
