from itertools import groupby

from .. import api, audit, waits
from ..history import History
from ..scenario import Context, scenario
from ..shop import partition_of, version_of
from ..waits import check, now_ms, until
from .by_count import shares
from .errors import only_the_canary_fails, stays_at_stable

HELD = 2**31 - 1


def partitions(workload: History) -> list[int]:
    """The partitions that the StatefulSet had, one after another."""
    return [partition for partition, _ in groupby(partition_of(seen.obj) for seen in workload.seen)]


@scenario()
def stateful(t: Context) -> None:
    """A StatefulSet goes by its partition and keeps its first pod through Verify; a bad version's pods are deleted, the highest first."""
    shop = t.shop(kind="StatefulSet", routed=False, strategy={"verify": "10s"})
    shop.start()
    workload = shop.follow("StatefulSet")
    shop.users()
    shop.deploy("v2")
    good = shop.in_phase("Verify")
    check(shares(good) == [(5, "1 of 3"), (25, "1 of 3"), (50, "1 of 3"), (100, "2 of 3")], f"the record says {shares(good)}")
    first = next(pod for pod in shop.pods() if pod["metadata"]["name"] == f"{shop.name}-0")
    check(version_of(first) == "v1", "the first pod does not keep the former version through Verify")
    check(shop.paused(), "the template is held from nobody in Verify")
    shop.ends("Succeeded")
    check(shop.running() == {"v2": 3} and not shop.paused(), f"it ended with {shop.running()}, held: {shop.paused()}")
    check(partitions(workload) == [0, HELD, 2, 1, 0], f"partitions {partitions(workload)}")
    check(not shop.so_far().failed(), f"requests failed: {shop.so_far().failed().examples()}")
    t.note(f"good version: partitions {partitions(workload)}, {shop.so_far().describe()}")

    shop.deploy("v3")
    until("two pods run v3 and are watched", waits.RELEASE_ENDS, lambda: shares_now(shop.record()) == 4, instead=shop.state)
    began = now_ms()
    check(shop.spoil("v3", error_rate="0.2") == 2, f"pods: {shop.running()}")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    stays_at_stable(shop)
    check(shop.running() == {"v2": 3}, f"after the rollback {shop.running()} run")
    check(partition_of(shop.live()) == HELD, f"the partition is {partition_of(shop.live())} after the rollback")
    deleted = [w for w in audit.writes(began) if w.namespace == shop.namespace and (w.verb, w.resource) == ("delete", "pods")]
    check([w.name for w in deleted if w.took_effect] == [f"{shop.name}-2", f"{shop.name}-1"], f"deleted: {[(w.name, w.code) for w in deleted]}")
    least = min(seen.obj["status"].get("readyReplicas", 0) for seen in workload.seen)
    check(least >= shop.replicas - 1, f"{least} of {shop.replicas} pods were ready at the least")
    answers = shop.all_answers()
    only_the_canary_fails(answers, "v3")
    t.note(f"bad version: {rollback['trigger']} {rollback['value']} from {rollback['fromWeight']} %; gone after {rollback['took']}, {(deleted[1].at - deleted[0].at) / 1000:.1f} s between the two deletions")
    t.note(f"seen by users: {answers.describe()}")


def shares_now(record: api.Object | None) -> int:
    """How many stages have begun."""
    return sum("startedAt" in stage for stage in record["status"].get("stages", [])) if record else 0
