from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import Failed, check, until


def evict(shop: Shop, pod: api.Object) -> None:
    """As a drain of its node does."""
    name = pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": shop.namespace}}
    api.call("POST", api.path("Pod", shop.namespace, name) + "/eviction", body)


@scenario(core=False)
def disruption(t: Context) -> None:
    """The team's PodDisruptionBudget holds for canary and previous version, scaled to their size: of two canary pods one may be evicted and not both, and the release goes on."""
    shop = t.shop(stages=((50, "30s"), (100, "6s")))
    shop.start()
    shop.users()
    own = {"minAvailable": 2, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": {"matchLabels": {"app": shop.name}}}
    api.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": shop.meta(), "spec": own}, "gitops")

    def copied(name: str) -> api.Object:
        """The copy: one of the team's three pods may go, a third of the copy's."""
        budget = api.get("PodDisruptionBudget", shop.namespace, name)
        wanted = {"maxUnavailable": "33%", "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": {"matchLabels": {"app": name}}}
        check(budget["spec"] == wanted, f"{name}: {budget['spec']}")
        return budget

    shop.deploy("v2")
    shop.at_weight(50)
    copied(shop.canary)
    allowed = lambda: api.get("PodDisruptionBudget", shop.namespace, shop.canary).get("status", {})
    until("one pod of the canary may go", waits.PODS_READY, lambda: allowed().get("disruptionsAllowed") == 1, instead=allowed)
    first, second = api.every("Pod", shop.namespace, labelSelector=f"app={shop.canary}")
    evict(shop, first)
    try:
        evict(shop, second)
    except api.Refused as refused:
        check(refused.code == 429, f"the second pod: {refused.code} {refused}")
        t.note(f"the second pod: {refused}")
    else:
        raise Failed("both pods of the canary were evicted")
    shop.in_phase("Verify")
    copied(shop.previous)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
