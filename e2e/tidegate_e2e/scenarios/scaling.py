from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "20m"}}}
WINDOW = 20  # seconds of the autoscaler's stabilisation
QUIET, BUSY = 40, 400  # requests per second


def measured(shop: Shop) -> bool:
    """The autoscaler has figures; without them it does nothing, and neither would the scenario."""
    conditions = api.get("HorizontalPodAutoscaler", shop.namespace, shop.name).get("status", {}).get("conditions", [])
    return any(c["type"] == "ScalingActive" and c["status"] == "True" for c in conditions)


@scenario(core=False, alone=True)
def scaling(t: Context) -> None:
    """Load rises in mid-release: a real autoscaler adds pods to stable, the canary follows, none is taken away until a window after the end."""
    slow = ((25, "90s"), (50, "10s"), (100, "10s"))
    shop = t.shop(replicas=2, stages=slow, rate=QUIET, container={"resources": {"requests": {"cpu": "10m"}}})
    shop.start()
    api.apply(shop.autoscaler(WINDOW, CPU), "gitops")
    until("the autoscaler is fed", 120, lambda: measured(shop), every=1, instead=lambda: api.get("HorizontalPodAutoscaler", shop.namespace, shop.name).get("status"))
    workload, autoscaler = shop.follow("Deployment"), shop.follow("HorizontalPodAutoscaler")
    quiet = shop.users(QUIET)
    shop.deploy("v2")
    shop.at_weight(25)
    canary = shop.follow("Deployment", shop.canary)
    small = size(api.get("Deployment", shop.namespace, shop.canary))
    check(size(shop.live()) == 2, f"stable has {size(shop.live())} pods before the load rises")
    quiet.stop()
    busy = shop.users(BUSY)
    rose = now_ms()
    until("the autoscaler adds pods to stable", 90, lambda: size(shop.live()) > 2, instead=lambda: autoscaler.seen[-1].obj["status"])
    check(shop.canary_weight() == 25, f"the weight was {shop.canary_weight()} by then")
    t.note(f"stable grew {(now_ms() - rose) / 1000:.0f} s after the load")
    until("the canary follows", 60, lambda: size(api.get("Deployment", shop.namespace, shop.canary)) > small, instead=lambda: canary.seen[-1].obj["spec"])
    # Half of the users are on the canary soon, then all: stable has less and less to do.
    shop.at_weight(100)
    busy.stop()
    shop.users(QUIET)
    shop.ends("Succeeded")
    ended = now_ms()
    sizes = [size(seen.obj) for seen in workload.seen]
    check(sizes == sorted(sizes), f"pods were taken away during the release: {sizes}")
    check(shop.scale_down_policy() == "Disabled", "the autoscaler was let go with the release, before one of its windows had passed")
    until("the autoscaler has its hand back", waits.GONE, lambda: shop.scale_down_policy() != "Disabled", instead=shop.scale_down_policy)
    after = (now_ms() - ended) / 1000
    check(after >= WINDOW - 2, f"it had its hand back {after:.0f} s after the end, and its window is {WINDOW} s")
    until("it takes pods away again", 120, lambda: size(shop.live()) < max(sizes), instead=lambda: autoscaler.seen[-1].obj["status"])
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    grown = sorted({size(seen.obj) for seen in canary.seen})
    t.note(f"stable had {sorted(set(sizes))} pods, the canary {grown}; the autoscaler had its hand back {after:.0f} s after the end")
    t.note(f"seen by users: {answers.describe()}")


def size(deployment: api.Object) -> int:
    return deployment["spec"]["replicas"]
