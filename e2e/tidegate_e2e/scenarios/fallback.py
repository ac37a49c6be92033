from .. import api, waits
from ..history import weight_of
from ..scenario import Context, scenario
from ..waits import check, now_ms, until
from .errors import only_the_canary_fails

QUICK = ((50, "4s"), (100, "4s"))


@scenario(core=False)
def fallback(t: Context) -> None:
    """`fallbackPercent: 50`: the previous version is kept at half of the pods, and a rollback in Verify is served by them."""
    shop = t.shop(replicas=4, stages=QUICK, strategy={"fallbackPercent": 50, "verify": "60s"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.in_phase("Verify")
    previous = shop.follow("Deployment", shop.previous)
    kept = lambda: api.get("Deployment", shop.namespace, shop.previous)
    check(kept()["spec"]["replicas"] == 2 and kept()["status"].get("readyReplicas") == 2, f"of 4 pods {kept()['spec']['replicas']} are kept, {kept()['status']}")
    route = shop.follow("HTTPRoute")
    began = now_ms()
    check(shop.spoil("v2", error_rate="0.3") == 4, f"pods: {shop.running()}")
    route.wait_for("the previous version has all traffic", 60, lambda r: weight_of(r, shop.previous) == 100)
    home = now_ms()
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    check((rollback["trigger"], rollback["phase"], rollback["trafficTo"]) == ("ErrorRate", "Verify", shop.previous), f"it came back by {rollback}")
    check(rollback["check"].startswith("Good: 2 of 2 pods serve"), f"the check afterwards says {rollback['check']}")
    # The pods that were kept serve alone now, all users, for as long as Git takes.
    serving = lambda: shop.so_far().between(home + 1_000, now_ms())
    until("they have answered a while", waits.GONE, lambda: len(serving()) > 1_000)
    check(set(serving().versions()) == {"v1"} and not serving().failed(), f"after the rollback users saw {serving().describe()}")
    sizes = sorted({seen.obj["spec"]["replicas"] for seen in previous.seen})
    check(sizes == [2], f"the previous version had {sizes} pods")
    check(len([p for p in shop.pods() if p["metadata"]["labels"].get("tidegate.io/role") == "previous" or p["metadata"]["name"].startswith(shop.previous)]) == 2, "its pods are not two")

    shop.deploy("v1")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    until("the workload is let go and whole", waits.PODS_READY, lambda: shop.running() == {"v1": 4} and shop.all_ready() and not shop.paused(), instead=shop.state)
    answers = shop.all_answers()
    only_the_canary_fails(answers, "v2")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; the route said so {(home - began) / 1000:.1f} s after the first error; {rollback['check']}")
    t.note(f"seen by users: {answers.describe()}")
