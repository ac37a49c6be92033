from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def recreate_strategy(t: Context) -> None:
    """A Deployment with strategy Recreate is refused, with the reason: its changes are held, none is released, and nothing of them runs; with RollingUpdate the held one ships."""
    shop = t.shop(stages=((50, "4s"), (100, "4s")), spec={"strategy": {"type": "Recreate"}})
    shop.start(gated=False)
    shop.users()
    for obj in (shop.risk_budget(), shop.gated_release()):
        api.apply(obj, "gitops")

    def refused() -> api.Object | None:
        ready = shop.condition("Ready")
        return ready if (ready.get("status"), ready.get("reason")) == ("False", "RecreateStrategy") else None

    ready = until("Ready says why", waits.RELEASE_TAKEN_UP, refused, instead=shop.state)
    check("spec.strategy.type to RollingUpdate" in ready["message"], ready["message"])
    t.note(ready["message"])
    until("the first revision is taken over", waits.RELEASE_TAKEN_UP, shop.records)
    shop.deploy("v2")
    held = until("the change is held for it", waits.RELEASE_TAKEN_UP, lambda: shop.held("RecreateStrategy"), instead=shop.state)
    check(shop.paused() and shop.running() == {"v1": 3} and not shop.residue(), f"{shop.running()}, beside it {shop.residue()}: {held['message']}")
    shop.spec = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    api.apply(shop.workload(), "gitops")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check(shop.running() == {"v2": 3}, f"the workload ended with {shop.running()}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
