from .. import api, waits
from ..history import weight_of
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until

BUDGET = 60  # seconds


@scenario(core=False)
def previous_deleted(t: Context) -> None:
    """Somebody deletes the previous version in Verify, and again while it serves after a late rollback: it is made again of the template that ran, and it is the way back both times; its Service follows a port that the team adds."""
    contract = {"errorRatePercent": 5, "latencyAdded": "5s", "timeBudget": f"{BUDGET}s"}
    shop = t.shop(rate=50, stages=((50, "4s"), (100, "3s")), strategy={"verify": "60s", "handBack": "3s"}, rollback=contract)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.in_phase("Verify")
    more = shop.service()
    more["spec"]["ports"].append({"name": "admin", "port": 9000, "targetPort": 9000})
    api.apply(more, "gitops")
    until("the Service of the previous version has the new port", waits.RELEASE_TAKEN_UP, lambda: ports(shop, shop.previous) == ports(shop, shop.name), instead=lambda: ports(shop, shop.previous))
    t.note(f"made again in Verify within {made_again(shop)} s")
    check(shop.record()["status"]["phase"] == "Verify", f"Verify was over too soon: {shop.state()}")
    route = shop.follow("HTTPRoute")
    began = now_ms()
    shop.spoil("v2", error_rate="0.5")
    route.wait_for("the previous version has all traffic", BUDGET + 15, lambda r: weight_of(r, shop.previous) == 100)
    home = now_ms()
    shop.ends("RolledBack")
    # What it serves with goes: its requests fail until it is there again, and nobody else's.
    gone = now_ms()
    t.note(f"made again while it serves within {made_again(shop)} s")
    whole = now_ms()
    check(weight_of(shop.live_route(), shop.previous) == 100, f"the route leads elsewhere: {shop.live_route()['spec']}")
    shop.deploy("v3")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    explained = lambda a: (a.version == "v2" and began <= a.done and a.sent < home + 1_000) or (gone <= a.done and a.sent < whole + 2_000)
    bad = [a for a in answers.failed() if not explained(a)]
    check(not bad, f"requests failed that nothing explains: {bad[:5]}")
    t.note(f"seen by users: {answers.describe()}")


def ports(shop: Shop, name: str) -> list[tuple[str, int]]:
    return [(port["name"], port["port"]) for port in api.get("Service", shop.namespace, name)["spec"]["ports"]]


def made_again(shop: Shop) -> float:
    """Deletes the previous version's Deployment; how long it took until all of its pods were ready again."""
    began, before = now_ms(), api.get("Deployment", shop.namespace, shop.previous)
    api.delete("Deployment", shop.namespace, shop.previous)

    def whole() -> bool:
        live = api.find("Deployment", shop.namespace, shop.previous)
        return bool(live) and live["metadata"]["uid"] != before["metadata"]["uid"] and live.get("status", {}).get("readyReplicas", 0) == shop.replicas

    until("the previous version is made again, and ready", waits.PODS_READY, whole, instead=shop.state)
    image = lambda one: [(c["image"], c["env"]) for c in one["spec"]["template"]["spec"]["containers"]]
    check(image(api.get("Deployment", shop.namespace, shop.previous)) == image(before), "it runs another template")
    return round((now_ms() - began) / 1000, 1)
