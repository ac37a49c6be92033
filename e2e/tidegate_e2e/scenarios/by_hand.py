"""What people and autoscalers do to the workload in the middle of a release."""

from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop, version_of
from ..waits import check, until


def running(shop: Shop) -> dict[str, int]:
    """Versions that have pods in the workload's own ReplicaSets, with how many are wanted."""
    uid = shop.live()["metadata"]["uid"]
    owned = [s for s in api.every("ReplicaSet", shop.namespace) if s["metadata"]["ownerReferences"][0]["uid"] == uid]
    return {version_of(s): s["spec"]["replicas"] for s in owned if s["spec"]["replicas"] or s["status"].get("replicas")}


def scale(shop: Shop, replicas: int) -> None:
    shop.replicas = replicas
    api.patch("Deployment", shop.namespace, shop.name, {"spec": {"replicas": replicas}})


@scenario(core=False)
def zero_and_back(t: Context) -> None:
    """A held workload is scaled to nothing and back: stable starts, although a younger ReplicaSet of another version stood by."""
    shop = t.shop(rate=100, strategy={"verify": "1s", "handBack": "2s"}, stages=((50, "3s"), (100, "3s")))
    shop.start()
    shop.users()
    for version in ("v2", "v1"):
        shop.deploy(version)
        shop.ends("Succeeded")
        shop.leaves_nothing()
    check(running(shop) == {"v1": 3}, f"the way back to v1 ended with {running(shop)}")
    shop.stages = ((5, "40s"), (100, "1s"))
    api.apply(shop.gated_release(), "gitops")
    shop.deploy("v3")
    shop.at_weight(5)
    shop.all_answers()
    scale(shop, 0)
    until("the workload has no pods", waits.GONE, lambda: not running(shop), instead=lambda: running(shop))
    scale(shop, 4)
    until("pods start", waits.PODS_READY, lambda: sum(running(shop).values()) == 4, instead=lambda: running(shop))
    check(running(shop) == {"v1": 4}, f"{running(shop)} started, and stable is v1")
    check(shop.paused(), "the workload was let go")


@scenario(core=False)
def queued(t: Context) -> None:
    """With `newerTemplate: Queue` v2 is released although v3 has come, v3 after it; the workload runs what was judged."""
    shop = t.shop(rate=100, strategy={"newerTemplate": "Queue"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    second = shop.taken_up()["metadata"]["name"]
    shop.deploy("v3")
    ended = lambda: shop.record_named(second)["status"].get("outcome")
    until("v2 is released", waits.RELEASE_ENDS, ended, instead=shop.state)
    check(ended() == "Succeeded", f"the first attempt ended as {ended()}")
    check(running(shop) == {"v2": 3}, f"the workload runs {running(shop)} after v2 was released")
    check(shop.paused(), "v3 was let go unjudged")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check(running(shop) == {"v3": 3}, f"the workload ended with {running(shop)}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")


@scenario(core=False)
def lean(t: Context) -> None:
    """`capacity: Lean`: the canary stops at half of the traffic, and a release of 4 pods never has more than 11."""
    shop = t.shop(rate=100, replicas=4, strategy={"capacity": "Lean"})
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users()
    shop.deploy("v2")
    most = 0

    def ended() -> object:
        nonlocal most
        pods = [p for p in api.every("Pod", shop.namespace) if p["status"]["phase"] in ("Pending", "Running")]
        most = max(most, len([p for p in pods if "deletionTimestamp" not in p["metadata"]]))
        return shop.ended()

    record = until("the release ends", waits.RELEASE_ENDS, ended, instead=shop.state)
    check(record["status"]["outcome"] == "Succeeded", f"it ended as {record['status']['outcome']}")
    shop.leaves_nothing()
    weights = [s["weight"] for s in record["status"]["stages"]]
    check(weights == [5, 25, 50], f"stages {weights}")
    check(most <= 11, f"{most} pods at the height")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    seen = len(route.seen)
    t.note(f"at most {most} pods (Full would need {4 * 3 + 1}), {seen} versions of the route; seen by users: {answers.describe()}")


def hpa(shop: Shop, window: int) -> api.Object:
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": shop._meta(),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": shop.name},
            "minReplicas": 2, "maxReplicas": 6, "behavior": {"scaleDown": {"stabilizationWindowSeconds": window}},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        },
    }


@scenario(core=False)
def autoscaler(t: Context) -> None:
    """An autoscaler may not take pods away during a release, Git or not; the previous version has one of its own."""
    shop = t.shop(rate=100)
    shop.start()
    api.apply(hpa(shop, 15), "gitops")
    shop.users()
    shop.deploy("v2")
    policy = lambda: api.get("HorizontalPodAutoscaler", shop.namespace, shop.name)["spec"].get("behavior", {}).get("scaleDown", {}).get("selectPolicy")
    shop.at_weight(5)
    check(policy() == "Disabled", f"selectPolicy is {policy()} with users on the canary")
    api.apply(hpa(shop, 15), "gitops")
    check(policy() == "Disabled", "a forced apply from Git let it take pods away")
    shop.in_phase("Verify")
    copy = api.find("HorizontalPodAutoscaler", shop.namespace, shop.previous)
    check(copy and copy["spec"]["minReplicas"] == 3 and copy["spec"]["maxReplicas"] == 6, f"the previous version's: {copy and copy['spec']}")
    shop.ends("Succeeded")
    check(policy() == "Disabled", "it was let go with the release, before one of its windows had passed")
    until("the autoscaler has its hand back", waits.GONE, lambda: policy() != "Disabled", instead=policy)
    shop.leaves_nothing()
    check(not api.find("HorizontalPodAutoscaler", shop.namespace, shop.previous), "the copy stayed")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


@scenario(core=False)
def break_glass_in_promotion(t: Context) -> None:
    """Another version comes under break-glass while the workload takes v2 over: it gets the traffic when ready, and is on record."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    second = shop.in_phase("Promote")["metadata"]["name"]
    shop.remember_attempts()
    shop.version, shop.change = "v3", {"tidegate.io/break-glass": "checkout is down", "tidegate.io/change": "git:v3"}
    api.apply(shop.deployment(), "gitops")
    record = until("the bypass is on record", waits.RELEASE_ENDS, shop.ended, instead=shop.state)
    check(record["status"]["outcome"] == "Bypassed", f"it ended as {record['status']['outcome']}")
    check("checkout is down" in record["status"]["summary"], record["status"]["summary"])
    check(shop.record_named(second)["status"]["outcome"] == "Superseded", "v2's record does not say Superseded")
    shop.leaves_nothing()
    check(running(shop) == {"v3": 3}, f"the workload runs {running(shop)}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")


@scenario(core=False)
def namespace_deleted(t: Context) -> None:
    """The namespace is deleted in mid-release: nothing of Tidegate keeps it from going."""
    shop = t.shop(rate=20, stages=((25, "60s"), (100, "1s")))
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    shop.all_answers()
    api.delete("Namespace", None, shop.namespace)
    until("the namespace is gone", 120, lambda: not api.find("Namespace", None, shop.namespace), instead=lambda: api.get("Namespace", None, shop.namespace)["status"])


@scenario(core=False)
def preflight(t: Context) -> None:
    """What would break the release holds it by name, what would miss its canary is told; mended, it goes on by itself."""
    shop = t.shop(rate=60, stages=((25, "6s"), (100, "6s")))
    shop.start()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": shop._meta("small"), "spec": {"hard": {"pods": "5"}}}
    policy = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": shop._meta("only-gateway"),
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
