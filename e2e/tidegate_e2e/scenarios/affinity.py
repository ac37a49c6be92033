from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until

OWN = {"matchLabels": {"app": "checkout"}}
NODE = "kubernetes.io/hostname"
# One pod a node, said twice: by the pods that are there, and, where two nodes are asked for and one is there, by how they are spread.
PLACED = {
    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": NODE, "labelSelector": OWN}]}},
    "topologySpreadConstraints": [{"topologyKey": NODE, "maxSkew": 1, "minDomains": 2, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": OWN}],
}


def terms(pod: api.Object) -> list[str]:
    """The applications that a pod's terms keep it away from, or spread it with."""
    required = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return [term["labelSelector"]["matchLabels"]["app"] for term in (*required, *pod["spec"]["topologySpreadConstraints"])]


@scenario(core=False)
def affinity(t: Context) -> None:
    """Pods that tolerate none of their own on their node, and there is one node: a copy with these terms finds no place, and the canary, whose terms speak of the canary, does."""
    # What gives way before its successor comes fits on the node.
    strategy = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    shop = t.shop(replicas=1, stages=((50, "6s"), (100, "6s")), spec={"strategy": strategy}, pod=PLACED)
    shop.start()
    shop.users()

    # The terms as they are, in a pod that is not the workload's.
    template = shop.workload()["spec"]["template"]
    api.create({"apiVersion": "v1", "kind": "Pod", "metadata": shop.meta("copied", labels={"app": "copied"}), "spec": template["spec"]})

    def unschedulable() -> api.Object | None:
        conditions = api.get("Pod", shop.namespace, "copied").get("status", {}).get("conditions", [])
        return next((c for c in conditions if (c["type"], c["status"], c.get("reason")) == ("PodScheduled", "False", "Unschedulable")), None)

    why = until("a copy with the same terms finds no place", waits.PODS_READY, unschedulable, instead=lambda: api.get("Pod", shop.namespace, "copied").get("status"))
    t.note(f"a copy: {why['message']}")

    shop.deploy("v2")
    shop.at_weight(50)
    canary = api.every("Pod", shop.namespace, labelSelector=f"app={shop.canary}")
    check([terms(pod) for pod in canary] == [[shop.canary, shop.canary]], f"the canary's terms speak of {[terms(pod) for pod in canary]}")
    check(unschedulable(), "the copy found a place meanwhile")
    # It would take the place of the workload's pod that gives way, and keep its successor out.
    api.delete("Pod", shop.namespace, "copied")
    shop.in_phase("Verify")
    previous = api.every("Pod", shop.namespace, labelSelector=f"app={shop.previous}")
    check([terms(pod) for pod in previous] == [[shop.previous, shop.previous]], f"the previous version's terms speak of {[terms(pod) for pod in previous]}")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check(shop.running() == {"v2": 1} and [terms(p) for p in api.every("Pod", shop.namespace, labelSelector=f"app={shop.name}")] == [[shop.name] * 2], f"the workload ended with {shop.running()}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
