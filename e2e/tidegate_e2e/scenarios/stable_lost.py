from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop, version_of
from ..users import SETTLES, all_answered, counted, met, missed
from ..waits import check, now_ms, until


def keep(shop: Shop, limit: int) -> None:
    api.patch(shop.kind, shop.namespace, shop.name, {"spec": {"revisionHistoryLimit": limit}})


def sets(shop: Shop) -> list[str]:
    """The versions of the workload's own ReplicaSets."""
    return [version_of(one) for one in api.every("ReplicaSet", shop.namespace, labelSelector=f"app={shop.name}")]


@scenario(core=False)
def stable_lost(t: Context) -> None:
    """A Deployment that keeps no history is held, refused, scaled to nothing and back: stable's ReplicaSet is gone, nothing runs in its place, it is told, and a revert is let go at once."""
    shop = t.shop(rate=60)
    shop.start()
    shop.users()
    keep(shop, 0)
    shop.deploy("v2")
    refused = until("preflight refuses it", waits.RELEASE_TAKEN_UP, lambda: shop.held("HistoryTooShort"), instead=shop.state)
    check("revisionHistoryLimit" in refused["message"], f"the hold says {refused}")
    pods = shop.follow_all("Pod")
    went = now_ms()
    shop.scale(0)
    until("Kubernetes has deleted stable's ReplicaSet", waits.GONE, lambda: not shop.running() and not sets(shop), instead=lambda: sets(shop))
    shop.scale(3)
    held = until("it says that stable is lost", waits.RELEASE_TAKEN_UP, lambda: (one := shop.held("StableLost")) and "no answer" in one["message"] and one, instead=shop.state)
    check("Revert in Git" in held["message"] and "kubectl rollout resume" in held["message"], f"the hold says {held}")
    check(shop.paused() and not sets(shop), f"something runs in stable's place: {sets(shop)}, {shop.running()}")
    t.note(f"held: {held['message']}")

    keep(shop, 10)
    shop.deploy("v1")
    until("stable runs again", waits.PODS_READY, lambda: shop.running() == {"v1": 3} and shop.all_ready(), instead=lambda: (shop.running(), shop.state()))
    away = (went, now_ms() + SETTLES)
    outcome = lambda: shop.records()[-1].get("status", {}).get("outcome")
    until("the attempt ends as Reverted", waits.RELEASE_ENDS, lambda: outcome() == "Reverted", instead=lambda: (outcome(), shop.state()))
    check("v2" not in {version_of(seen.obj) for seen in list(pods.seen)}, "pods of the new version started")
    shop.leaves_nothing()
    counted(shop, away[1])
    answers = shop.all_answers()
    all_answered(answers, away)
    met(answers, "v1")
    t.note(missed(answers, away))
    t.note(f"seen by users: {answers.describe()}")


@scenario(core=False)
def stable_deleted(t: Context) -> None:
    """Stable's ReplicaSet is deleted in the middle of a release and Kubernetes starts an older one: it answers, is told, is compared with nothing and no way back is made of it; a revert rolls over it at once."""
    shop = t.shop(rate=60, stages=((25, "90s"), (100, "5s")))
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    until("v2 runs alone", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)
    named = {version_of(one): one["metadata"]["name"] for one in api.every("ReplicaSet", shop.namespace, labelSelector=f"app={shop.name}")}
    check("v1" in named, f"the ReplicaSet of v1 is not kept: {named}")
    shop.deploy("v3")
    shop.at_weight(25)
    api.delete("ReplicaSet", shop.namespace, named["v2"], propagationPolicy="Background")
    until("Kubernetes starts the older version", waits.PODS_READY, lambda: shop.running() == {"v1": 3} and shop.all_ready(), instead=lambda: (shop.running(), shop.state()))
    held = until("it says that stable is lost", waits.RELEASE_TAKEN_UP, lambda: (one := shop.held("StableLost")) and named["v1"] in one["message"] and one, instead=shop.state)
    check("Revert in Git" in held["message"], f"the hold says {held}")
    t.note(f"held: {held['message']}")
    weight, previous = shop.canary_weight(), api.find("Deployment", shop.namespace, shop.previous)
    check(shop.paused() and weight == 25 and previous is None, f"paused {shop.paused()}, weight {weight}, previous version {previous}")

    shop.deploy("v2")
    until("the attempt ends as Reverted", waits.RELEASE_ENDS, lambda: shop.records()[-1].get("status", {}).get("outcome") == "Reverted", instead=shop.state)
    until("stable runs again", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready() and not shop.paused(), instead=lambda: (shop.running(), shop.state()))
    shop.leaves_nothing()
