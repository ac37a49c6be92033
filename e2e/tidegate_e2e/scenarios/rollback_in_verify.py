from .. import api, waits
from ..history import weight_of
from ..load import Answers
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, ms_of, now_ms, until
from .autoscaler import CPU

BUDGET = 30  # seconds


@scenario(core=False)
def rollback_in_verify(t: Context) -> None:
    """Errors begin in Verify: the previous version takes the traffic within the time budget, and its route stays listed; a revert, and then a fix, bring the workload back."""
    contract = {"errorRatePercent": 5, "latencyAdded": "5s", "timeBudget": f"{BUDGET}s"}
    shop = t.shop(rate=150, strategy={"verify": "30s"}, rollback=contract)
    shop.start()
    api.apply(shop.autoscaler(15, CPU), "gitops")
    shop.users()
    # First Git reverts, then, at the next bad version, it ships a fix.
    spoilt = [comes_back(t, shop, "v2")]
    mended(t, shop, "v1")
    spoilt += [comes_back(t, shop, "v3")]
    mended(t, shop, "v4")
    answers = shop.all_answers()
    bad = [a for a in answers.failed() if not any(a.version == version and since <= a.done and a.sent < home + 1_000 for version, since, home in spoilt)]
    check(not bad, f"requests failed that no version explains: {Answers(bad).examples()}")
    t.note(f"seen by users: {answers.describe()}")


def held_routes(shop: Shop) -> list[str]:
    return shop.live_release()["status"].get("heldRoutes", [])


def unlists(shop: Shop) -> str:
    """What the API server says to whoever puts another route in the place of the one that carries the traffic; nothing is written."""
    other = {"spec": {"traffic": {"httpRoutes": [{"name": "other"}]}}}
    try:
        api.call("PATCH", api.path("GatedRelease", shop.namespace, shop.name, dryRun="All"), other, "application/merge-patch+json")
    except api.Refused as refused:
        return str(refused)
    return ""


def comes_back(t: Context, shop: Shop, version: str) -> tuple[str, int, int]:
    """Releases a version that begins to fail in Verify; when it did, and when its last request was sent."""
    shop.deploy(version)
    shop.in_phase("Verify")
    route = shop.follow("HTTPRoute")
    began = now_ms()
    shop.spoil(version, error_rate="0.3")
    route.wait_for("the previous version has all traffic", BUDGET + 15, lambda r: weight_of(r, shop.previous) == 100)
    home = now_ms()
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    check((rollback["trigger"], rollback["phase"], rollback["trafficTo"]) == ("ErrorRate", "Verify", shop.previous), f"it came back by {rollback}")
    check(rollback["withinTimeBudget"], f"it took {rollback['took']}")
    not_ready = lambda: (ready := shop.condition("Ready"))["status"] == "False" and ready
    ready = until("Ready says that Git is not what serves", waits.RELEASE_TAKEN_UP, not_ready, instead=shop.state)
    check("revert" in ready["message"].lower(), f"what to do now is not said: {ready}")
    until("status names the route that leads to the previous version", waits.RELEASE_TAKEN_UP, lambda: held_routes(shop) == [shop.name], instead=lambda: held_routes(shop))
    check("revert or fix in Git first" in (said := unlists(shop)), f"the route may be taken off the list: {said!r}")
    for kind in ("PodDisruptionBudget", "HorizontalPodAutoscaler", "Service"):
        check(api.find(kind, shop.namespace, shop.previous), f"the previous version serves without a {kind}")
    floor = api.get("HorizontalPodAutoscaler", shop.namespace, shop.previous)["spec"]["minReplicas"]
    check(floor == shop.replicas, f"its autoscaler may shrink it to {floor}")
    check(shop.running() == {version: 3} and not shop.paused(), f"the workload was left with {shop.running()}, held: {shop.paused()}")
    last = max(a.sent for a in shop.so_far().of(version))
    check(last < home + 1_000, f"{version} got requests for {last - home} ms after it had no weight")
    t.note(f"{version}: {rollback['value']}, limit {rollback['threshold']}; {(home - began) / 1000:.1f} s from the first error to the route, {rollback['took']} by the record")
    t.note(f"said: {ready['message']}")
    return version, began, home


def mended(t: Context, shop: Shop, version: str) -> None:
    """Git brings another template: it is judged in the workload, which has no traffic, and gets it back."""
    shop.deploy(version)
    record = shop.ends("Succeeded")
    check(record["spec"]["arm"] == "Workload", f"{version} was released by arm {record['spec']['arm']}")
    shop.leaves_nothing()
    until("no route is held", waits.RELEASE_TAKEN_UP, lambda: not held_routes(shop), instead=lambda: held_routes(shop))
    check(not (said := unlists(shop)), f"the list of routes cannot be changed: {said}")
    until("the workload is let go and whole", waits.PODS_READY, lambda: shop.running() == {version: 3} and shop.all_ready() and not shop.paused(), instead=shop.state)
    stages = [s["weight"] for s in record["status"]["stages"]]
    t.note(f"{version}: type {record['spec']['change']['type']}, stages {stages}")
