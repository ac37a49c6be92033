from .. import api, ledger
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import GONE, RELEASE_ENDS, check, until
from .deleted import goes_forward, rolls


def detach(shop: Shop, value: str | None) -> None:
    api.patch("GatedRelease", shop.namespace, shop.name, {"metadata": {"annotations": {"tidegate.io/detach": value}}})


def leaves(shop: Shop, seconds: float = GONE) -> None:
    detach(shop, "now")
    until("Ready says Detached", seconds, lambda: shop.condition("Ready").get("reason") == "Detached", instead=shop.state)
    check(not shop.routed or not shop.canary_weight(), "the controller left while the canary had traffic")
    check(not shop.live_release()["metadata"].get("finalizers"), "the finalizer stayed")


def comes_back(shop: Shop) -> None:
    detach(shop, None)
    until("it is under the gate again", GONE, lambda: shop.live_release()["metadata"].get("finalizers"), instead=shop.state)


@scenario(core=False)
def detached(t: Context) -> None:
    """A GatedRelease is detached, in mid-release and in mid-promotion: traffic goes home, or to the workload that was taking over; the object stays, comes back under the gate, and nothing is charged twice."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    first = shop.taken_up()["metadata"]["name"]
    leaves(shop)
    check(shop.paused(), "the template that was not released was let go")
    shop.leaves_nothing()

    comes_back(shop)
    second = rolls(shop, "v3")
    leaves(shop, RELEASE_ENDS)
    goes_forward(shop, second, "v3")
    t.note(f"in promotion: {shop.record_named(second)['status']['summary']}")

    comes_back(shop)
    until("the gate is in force", GONE, lambda: shop.condition("Ready").get("reason") == "InForce", instead=shop.state)
    shop.deploy("v4")
    check(shop.running() == {"v3": 3}, f"the workload was left with {shop.running()}")
    third = shop.ends("Succeeded")
    shop.leaves_nothing()
    check(third["spec"]["stable"] == shop.record_named(second)["spec"]["revision"], f"what the workload took over is not stable: {third['spec']}")
    ledger.settles(shop, shop.record_named(first), shop.record_named(second), third)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
