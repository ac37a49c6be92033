import os
import subprocess

from .. import api, bed, waits
from ..history import weight_of
from ..scenario import Context, scenario
from ..shop import Shop, version_of
from ..waits import check, until

STAGES = ((25, "12s"), (100, "4s"))


@scenario(core=False)
def adopted_in_mid_roll(t: Context) -> None:
    """A Deployment whose roll hangs is not adopted, and what to type is said; undone, it is. Later another ReplicaSet is started by hand: told and waited for."""
    shop = t.shop(replicas=2, rate=60, stages=STAGES)
    shop.version = "v0"
    shop.start(gated=False)
    shop.users()
    target = (f"deployment/{shop.name}", "-n", shop.namespace)
    for version, env in (("v1", {}), ("v2", {"NEVER_READY": "1"})):
        shop.version, shop.env = version, env
        api.apply(ungated(shop), "gitops")
        if not env:
            until(f"{version} runs", waits.PODS_READY, lambda: shop.running() == {"v1": 2} and shop.all_ready(), instead=shop.running)
    until("two versions have pods, and the second does not get ready", waits.PODS_READY, lambda: shop.running() == {"v1": 2, "v2": 1}, instead=shop.running)

    # Under the gate in the middle of it.
    for obj in (shop.workload(), shop.risk_budget(), shop.gated_release()):
        api.apply(obj, "gitops")
    refused = until("it says why it is not adopted", waits.BUDGET_MEASURED, lambda: unsettled(shop), instead=shop.state)
    active = [name for name, version in sets(shop).items() if version in ("v1", "v2")]
    check("rollout status" in refused["message"] and all(name in refused["message"] for name in active), f"it says {refused}")
    t.note(f"not adopted: {refused['message']}")
    found = subprocess.run([os.environ["TIDEGATE_BINARY"], "preflight", shop.name, "-n", shop.namespace], text=True, capture_output=True, timeout=60)
    check(found.returncode == 1 and "NotSettled" in found.stdout, f"preflight says {found.returncode}: {found.stdout}{found.stderr}")
    check(not shop.records() and not shop.paused() and shop.running() == {"v1": 2, "v2": 1}, f"something was done with it: {shop.state()}, {shop.running()}")

    # The way out that is said. It is a change of the template, so it is held, until the Deployment controller has taken the pod that
    # hung away: it does so for a paused Deployment too, as the other ReplicaSet is whole.
    bed.kubectl("rollout", "undo", *target)
    check(version_of(shop.live()) == "v1", f"undone, the template is {version_of(shop.live())}")
    until("v1 alone runs", waits.PODS_READY, lambda: shop.running() == {"v1": 2} and shop.all_ready(), instead=shop.running)
    first = until("it is adopted", waits.BUDGET_MEASURED, lambda: (records := shop.records()) and records[-1]["status"].get("outcome") and records[-1], instead=shop.state)
    check(first["status"]["outcome"] == "Bootstrap" and "charge" not in first["status"], f"it was adopted as {first['status']}")
    until("the error budget is measured", waits.BUDGET_MEASURED, shop.budget, instead=shop.state)

    # In mid-release somebody starts the oldest ReplicaSet beside stable.
    shop.env = {}
    shop.deploy("v3")
    shop.at_weight(25)
    route = shop.follow("HTTPRoute")
    oldest = next(name for name, version in sets(shop).items() if version == "v0")
    bed.kubectl("scale", f"replicaset/{oldest}", "-n", shop.namespace, "--replicas", "1")
    held = until("it is held", waits.RELEASE_TAKEN_UP, lambda: shop.held("NotSettled"), instead=shop.state)
    check(oldest in held["message"] and "kubectl scale replicaset" in held["message"], f"the hold says {held}")
    t.note(f"held: {held['message']}")
    until("it runs beside stable", waits.PODS_READY, lambda: any(a.version == "v0" for a in shop.so_far()[-200:]), instead=shop.running)
    check(max(weight_of(seen.obj, shop.canary) for seen in route.seen) == 25, "the weight rose while two ReplicaSets were stable")
    bed.kubectl("scale", f"replicaset/{oldest}", "-n", shop.namespace, "--replicas", "0")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    until("v3 alone runs", waits.PODS_READY, lambda: shop.running() == {"v3": 2} and shop.all_ready(), instead=shop.running)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    check(not answers.of("v2"), "users saw the version whose roll hung")
    t.note(f"seen by users: {answers.describe()}")


def ungated(shop: Shop) -> api.Object:
    """The workload as it lay in Git before the gate."""
    workload = shop.workload()
    workload["metadata"]["labels"] = {}
    return workload


def unsettled(shop: Shop) -> api.Object | None:
    """The condition Ready where it says that it is not known what is stable."""
    ready = shop.condition("Ready")
    return ready if (ready.get("status"), ready.get("reason")) == ("False", "NotSettled") else None


def sets(shop: Shop) -> dict[str, str]:
    """The workload's ReplicaSets with the version that each says."""
    found = api.every("ReplicaSet", shop.namespace, labelSelector=f"app={shop.name}")
    return {one["metadata"]["name"]: version_of(one) for one in found}
