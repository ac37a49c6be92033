from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def preflight(t: Context) -> None:
    """What would break the release holds it by name, what would miss its canary is told; mended, it goes on by itself."""
    shop = t.shop(rate=60, stages=((25, "6s"), (100, "6s")))
    shop.start()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": shop.meta("small"), "spec": {"hard": {"pods": "5"}}}
    policy = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": shop.meta("only-gateway"),
        "spec": {"podSelector": {"matchLabels": {"app": shop.name}}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 8080}]}]},
    }
    for obj in (quota, policy):
        api.apply(obj, "gitops")
    shop.users()
    shop.deploy("v2")
    held = until("it is held", waits.RELEASE_TAKEN_UP, shop.held, instead=shop.state)
    check(held["reason"] == "QuotaTooSmall" and "small" in held["message"], f"held for {held}")
    check(not api.find("Deployment", shop.namespace, shop.canary), "a canary was made into a quota that cannot hold it")
    told = shop.condition("Preflight")
    check(told.get("status") == "False" and told["reason"] == "QuotaTooSmall", f"condition Preflight: {told}")
    quota["spec"]["hard"]["pods"] = "20"
    api.apply(quota, "gitops")
    shop.ends("Succeeded")
    told = shop.condition("Preflight")
    check(told.get("status") == "True" and "only-gateway" in told["message"], f"condition Preflight: {told}")
    shop.leaves_nothing()
    t.note(f"told while held: {held['message']}")
