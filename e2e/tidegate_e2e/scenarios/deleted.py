from .. import api
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import GONE, PODS_READY, RELEASE_ENDS, check, until


def rolls(shop: Shop, version: str) -> str:
    """Releases a version until the workload itself rolls to it, while the canary carries the traffic; the attempt's record."""
    shop.deploy(version, START_DELAY="5s")
    attempt = shop.in_phase("Promote")["metadata"]["name"]
    until("the workload rolls", RELEASE_ENDS, lambda: version in shop.running() and len(shop.running()) == 2, every=0.05, instead=shop.state)
    return attempt


def goes_forward(shop: Shop, attempt: str, version: str) -> None:
    """What the workload was taking over is what runs, with all users, and nothing else is left."""
    shop.leaves_nothing()
    until("the workload is whole", PODS_READY, lambda: shop.running() == {version: shop.replicas} and shop.all_ready(), instead=shop.running)
    check(not shop.paused(), "the workload is held")
    status = shop.record_named(attempt)["status"]
    check(status["outcome"] == "Abandoned" and "rollback" not in status, f"the attempt ended as {status['outcome']}: {status['summary']}")


@scenario(core=False)
def deleted(t: Context) -> None:
    """The GatedRelease is deleted, in mid-release and in mid-promotion: it goes only after traffic is back on stable, or on the workload that was taking over, which goes on serving."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    api.delete("GatedRelease", shop.namespace, shop.name)
    until("the GatedRelease is gone", GONE, lambda: not api.find("GatedRelease", shop.namespace, shop.name), instead=shop.state)
    check(not shop.canary_weight(), "the GatedRelease went while the canary had traffic")
    shop.leaves_nothing()
    check(shop.paused(), "the template that was not released was let go")

    # Put back, it judges what is held; this time it goes when the workload rolls already.
    api.apply(shop.gated_release(), "gitops")
    until("it is under the gate again", GONE, lambda: shop.live_release()["metadata"].get("finalizers"))
    attempt = rolls(shop, "v3")
    api.delete("GatedRelease", shop.namespace, shop.name)
    until("the GatedRelease is gone", RELEASE_ENDS, lambda: not api.find("GatedRelease", shop.namespace, shop.name), instead=shop.state)
    check(not shop.canary_weight(), "the GatedRelease went while the canary had traffic")
    goes_forward(shop, attempt, "v3")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"in promotion: {shop.record_named(attempt)['status']['summary']}")
    t.note(f"seen by users: {answers.describe()}")
