from .. import api, ledger, waits
from ..history import weight_of
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until
from .adopted_in_mid_roll import ungated


def label(shop: Shop, value: str | None) -> None:
    api.patch("Deployment", shop.namespace, shop.name, {"metadata": {"labels": {"tidegate.io/gated": value}}})


def closes(shop: Shop, attempt: str) -> api.Object:
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    record = shop.record_named(attempt)
    check(record["status"]["outcome"] == "Abandoned", f"the attempt ended as {record['status']['outcome']}")
    return record


def bypassed(shop: Shop) -> api.Object:
    """What shipped is on record and charged while the label is off."""
    record = until("what ran ungated is on record", waits.RELEASE_TAKEN_UP, shop.ended, instead=shop.state)
    status = record["status"]
    check(status["outcome"] == "Bypassed" and "tidegate.io/gated" in status["summary"], f"it is on record as {status['outcome']}: {status['summary']}")
    check(status["charge"]["exception"], f"a bypass was charged as {status['charge']}")
    check("tidegate.io/gated" not in shop.live()["metadata"].get("labels", {}), "the label was back by then")
    check(shop.condition("Ready").get("reason") == "NotGated", f"Ready says {shop.condition('Ready')}")
    return record


@scenario(core=False)
def label_removed(t: Context) -> None:
    """The label is taken off, in mid-release and in promotion: traffic goes home and nothing is let go; what ships without it is on record and charged at once, and its return charges nothing."""
    shop = t.shop(stages=((25, "10s"), (100, "4s")))
    attempt = shop.in_mid_release()
    shop.remember_attempts()
    label(shop, None)
    first = closes(shop, attempt)
    shop.leaves_nothing()
    check(shop.paused() and shop.running() == {"v1": 3}, f"the workload was left with {shop.running()}, held: {shop.paused()}")
    ready = shop.condition("Ready")
    check(ready["status"] == "False" and ready["reason"] == "NotGated", f"Ready says {ready}")
    t.note(f"attempt: {first['status']['summary']}")
    t.note(f"said: {ready['message']}")

    # Without the label nothing is held: whoever resumes it ships it.
    api.patch("Deployment", shop.namespace, shop.name, {"spec": {"paused": False}})
    until("the workload runs v2", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.running)
    second = bypassed(shop)
    t.note(f"resumed: {second['status']['summary']}")
    # So does whoever pushes another template.
    shop.remember_attempts()
    shop.version, shop.change = "v3", {"tidegate.io/change": "git:v3"}
    api.apply(ungated(shop), "gitops")
    until("the workload runs v3", waits.PODS_READY, lambda: shop.running() == {"v3": 3} and shop.all_ready(), instead=shop.running)
    third = bypassed(shop)
    check("changedBy" not in third["spec"], f"nobody stamped who changed it: {third['spec'].get('changedBy')}")
    label(shop, "")
    until("the gate is in force", waits.RELEASE_TAKEN_UP, lambda: shop.condition("Ready").get("status") == "True", instead=shop.state)
    shop.deploy("v4")
    fourth = shop.ends("Succeeded")
    shop.leaves_nothing()
    check(fourth["spec"]["stable"] == third["spec"]["revision"], f"what ran without the label is not stable: {fourth['spec']}")

    # From a promotion users come back to the previous version, and the label's return is no second exposure.
    shop.deploy("v5", START_DELAY="5s")
    attempt = shop.in_phase("Promote")["metadata"]["name"]
    until("the workload rolls", waits.RELEASE_ENDS, lambda: set(shop.running()) == {"v4", "v5"}, every=0.05, instead=shop.state)
    label(shop, None)
    fifth = closes(shop, attempt)
    serves = lambda: weight_of(shop.live_route(), shop.previous) == 100
    check(serves(), f"the route says {shop.live_route()['spec']['rules']}")
    t.note(f"in promotion: {fifth['status']['summary']}")
    label(shop, "")
    closed = lambda: shop.condition("Ready").get("reason") == "Abandoned"
    until("it says that v5 is closed", waits.RELEASE_TAKEN_UP, closed, instead=shop.state)
    check(serves(), f"the route says {shop.live_route()['spec']['rules']}")
    shop.deploy("v6")
    sixth = shop.ends("Succeeded")
    shop.leaves_nothing()
    check(sixth["spec"]["stable"] == fourth["spec"]["revision"], f"the version that served is not stable: {sixth['spec']}")
    ledger.settles(shop, first, second, third, fourth, fifth, sixth)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
