from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def zero_and_back(t: Context) -> None:
    """A held workload is scaled to nothing and back: stable starts, although a younger ReplicaSet of another version stood by."""
    shop = t.shop(rate=100, strategy={"verify": "1s", "handBack": "2s"}, stages=((50, "3s"), (100, "3s")))
    shop.start()
    shop.users()
    for version in ("v2", "v1"):
        shop.deploy(version)
        shop.ends("Succeeded")
        shop.leaves_nothing()
    check(shop.running() == {"v1": 3}, f"the way back to v1 ended with {shop.running()}")
    shop.stages = ((5, "40s"), (100, "1s"))
    api.apply(shop.gated_release(), "gitops")
    shop.deploy("v3")
    shop.at_weight(5)
    shop.all_answers()
    shop.scale(0)
    until("the workload has no pods", waits.GONE, lambda: not shop.running(), instead=lambda: shop.running())
    shop.scale(4)
    until("pods start", waits.PODS_READY, lambda: sum(shop.running().values()) == 4, instead=lambda: shop.running())
    check(shop.running() == {"v1": 4}, f"{shop.running()} started, and stable is v1")
    check(shop.paused(), "the workload was let go")
