import json
import time

from .. import api, bed, ledger, waits
from ..scenario import Context, scenario
from ..shop import Shop, partition_of
from ..users import SETTLES, all_answered, counted, has_share, met
from ..waits import check, now_ms, until
from .resumed_by_hand import ANNE, grant

STAGES = ((25, "60s"), (100, "4s"))
STANDS = 2  # the partition of three pods while the first stage exposes one


def partition(value: int | None) -> api.Object:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": value}}}


def exposes(shop: Shop, version: str, stable: str) -> str:
    """Waits for the first stage: one pod of three runs the new version, ready; the attempt's record."""

    def one() -> api.Object | None:
        record = shop.record()
        begun = record and "startedAt" in (record["status"].get("stages") or [{}])[0]
        return record if begun and shop.running() == {stable: 2, version: 1} and shop.all_ready() else None

    record = until(f"one pod runs {version}, and is watched", waits.RELEASE_ENDS, one, instead=lambda: (shop.running(), shop.state()))
    check(partition_of(shop.live()) == STANDS, f"the partition is {partition_of(shop.live())}")
    return record["metadata"]["name"]


def set_by(who: str, shop: Shop, value: int) -> None:
    bed.kubectl("patch", "statefulset", shop.name, "-n", shop.namespace, "-p", json.dumps({"spec": partition(value)}), "--as", who)


@scenario(core=False)
def stateful_by_hand(t: Context) -> None:
    """A machine's partition, and a person's that is not 0, come to nothing in mid-release of a StatefulSet; a person's 0 lets all pods go, and is stamped, charged and on record by name."""
    shop = t.shop(kind="StatefulSet", routed=False, stages=STAGES, strategy={"verify": "4s"})
    shop.start()
    workload = shop.follow("StatefulSet")
    shop.users()
    shop.deploy("v2")
    attempt = exposes(shop, "v2", "v1")
    exposed, since = now_ms() + SETTLES, len(workload.seen)
    pipeline = grant(shop)

    # A patch, another that is no way out, and an apply of what `kubectl get -o yaml` prints of one that is not held.
    for who, value in ((pipeline, 0), (pipeline, 1), (ANNE, 1)):
        set_by(who, shop, value)
    manifest = shop.workload()
    manifest["spec"] |= partition(0)
    bed.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=pipeline", "-f", "-", "--as", pipeline, stdin=json.dumps(manifest))
    time.sleep(4)  # nothing may come of it
    had = {partition_of(seen.obj) for seen in workload.seen[since:]} | {partition_of(shop.live())}
    check(had == {STANDS} and shop.running() == {"v1": 2, "v2": 1}, f"partitions {had} came of it, and {shop.running()}")
    check("outcome" not in shop.record_named(attempt)["status"], f"it moved the release: {shop.state()}")
    check("tidegate.io/resumed-by" not in shop.live()["metadata"]["annotations"], "somebody was stamped who let nothing go")
    has_share(counted(shop, exposed), "v2", 100 / 3)

    set_at = now_ms()
    set_by(ANNE, shop, 0)
    stamp = shop.live()["metadata"]["annotations"].get("tidegate.io/resumed-by")
    check(stamp == ANNE and not shop.paused(), f"let go by {stamp}, held: {shop.paused()}")
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    status = shop.record_named(attempt)["status"]
    check(status["outcome"] == "Bypassed" and ANNE in status["summary"], f"the record says {status}")
    told = until("an event tells of it by name", waits.GONE, lambda: [e for e in shop.events() if ANNE in e["message"]], instead=shop.events)
    until("the workload runs v2", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)
    home = now_ms() + SETTLES
    counted(shop, home)
    # It is what runs from now on: the next version is judged against it.
    shop.stages = ((50, "4s"), (100, "3s"))
    api.apply(shop.gated_release(), "gitops")
    paid = ledger.price(shop.record_named(attempt))
    pushed = now_ms()
    answers = shop.ships("v3")
    check(shop.record()["spec"]["stable"] == shop.record_named(attempt)["spec"]["revision"], f"what was let go is not stable: {shop.record()['spec']}")
    check(ledger.price(shop.record_named(attempt)) == paid, "what it costs to let it go was changed later")
    risk = ledger.agrees(shop)
    check(risk["releases"] == 2, f"charged were {risk['releases']} releases, and users met two")
    all_answered(answers)
    met(answers.between(0, home), "v1", "v2")
    met(answers.between(home, pushed), "v2")
    met(answers.between(pushed, now_ms()), "v2", "v3")
    t.note(f"what was let go was charged {paid} of {risk['consumed']} RP")
    t.note(f"record: {status['summary']}")
    t.note(f"event {told[0]['reason']}: {told[0]['message']}")
    t.note(f"from the patch until v2 alone ran: {answers.between(set_at, home).describe()}")
    t.note(f"seen by users: {answers.describe()}")
