from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

QUICK = ((50, "6s"), (100, "4s"))


def policies(shop: Shop) -> list[api.Object]:
    """One that closes the application's pods but for a port; one of other pods that lets the application's in."""
    own = {"matchLabels": {"app": shop.name}}
    specs = {
        "only-http": {"podSelector": own, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 8080}]}]},
        "database": {"podSelector": {"matchLabels": {"app": "database"}}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": own}]}]},
    }
    return [{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": shop.meta(name), "spec": spec} for name, spec in specs.items()]


@scenario(core=False)
def network_policies(t: Context) -> None:
    """What would cut the canary off refuses the start; with `cloneNetworkPolicies` copies speak of canary and previous version, follow edits of the team's, and go with them."""
    shop = t.shop(stages=QUICK, strategy={"verify": "15s"})
    shop.start()
    for policy in policies(shop):
        api.apply(policy, "gitops")
    before = {name: spec(shop, name) for name in ("only-http", "database")}
    shop.users()
    shop.deploy("v2")
    held = until("it is held", waits.RELEASE_TAKEN_UP, shop.held, instead=shop.state)
    check(held["reason"] == "NetworkPolicyPeerMissesCanary" and "cloneNetworkPolicies" in held["message"], f"held for {held}")
    t.note(held["message"])

    shop.traffic = {"cloneNetworkPolicies": True}
    api.apply(shop.gated_release(), "gitops")
    shop.at_weight(50)
    are_there(t, shop, shop.canary)
    shop.in_phase("Verify")
    until("the canary's copies are gone with it", waits.GONE, lambda: not copies(shop, shop.canary), instead=lambda: copies(shop, shop.canary))
    are_there(t, shop, shop.previous)
    edited = policies(shop)[0]
    edited["spec"]["ingress"][0]["ports"].append({"port": 9090})
    api.apply(edited, "gitops")
    before["only-http"] = spec(shop, "only-http")
    copy = f"only-http-{shop.previous}"
    until("the copy follows the edit", waits.ROUTE_ANSWERS, lambda: copies(shop, shop.previous)[copy]["ingress"] == before["only-http"]["ingress"], instead=lambda: copies(shop, shop.previous))
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check({name: spec(shop, name) for name in before} == before, "a policy of the team was changed")
    check(not copies(shop, ""), f"copies are left: {sorted(copies(shop, ''))}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")


def spec(shop: Shop, name: str) -> api.Object:
    return api.get("NetworkPolicy", shop.namespace, name)["spec"]


def copies(shop: Shop, carrier: str) -> dict[str, api.Object]:
    """What Tidegate made for a carrier, or for any."""
    found = [p for p in api.every("NetworkPolicy", shop.namespace) if "tidegate.io/role" in p["metadata"].get("labels", {})]
    return {p["metadata"]["name"]: p["spec"] for p in found if p["metadata"]["name"].endswith(carrier)}


def are_there(t: Context, shop: Shop, carrier: str) -> None:
    """Two copies, which mean the carrier's pods in the same words."""
    made, value = copies(shop, carrier), {"matchLabels": {"app": carrier}}
    check(set(made) == {f"only-http-{carrier}", f"database-{carrier}"}, f"copies: {sorted(copies(shop, ''))}")
    closed, peers = made[f"only-http-{carrier}"], made[f"database-{carrier}"]
    check(closed["podSelector"] == value and closed["ingress"] == spec(shop, "only-http")["ingress"], f"the copy says {closed}")
    selectors = [peer["podSelector"] for peer in peers["ingress"][0]["from"]]
    check(value in selectors and {"matchLabels": {"app": shop.name}} in selectors, f"the copy lets in {selectors}")
    check(peers["podSelector"] == spec(shop, "database")["podSelector"], f"the copy is about {peers['podSelector']}")
    t.note(f"while {carrier} stands: {', '.join(sorted(made))}")
