import threading

from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until
from .autoscaler import CPU

WINDOW = 15  # seconds of the autoscaler's stabilisation
QUICK = ((50, "5s"), (100, "4s"))
SCALE_DOWN = ("advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleDown")


def definition() -> api.Object:
    """KEDA's kind with as much of its schema as makes server-side apply tell fields apart."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "scaledobjects.keda.sh"},
        "spec": {
            "group": "keda.sh", "scope": "Namespaced", "names": {"kind": "ScaledObject", "plural": "scaledobjects", "singular": "scaledobject"},
            "versions": [{
                "name": "v1alpha1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": anything, "status": anything}}},
            }],
        },
    }


def scaled_object(shop: Shop) -> api.Object:
    """As it lies in Git."""
    behaviour = {"scaleDown": {"stabilizationWindowSeconds": WINDOW}}
    return {
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": shop.meta(),
        "spec": {
            "scaleTargetRef": {"name": shop.name}, "minReplicaCount": 3, "maxReplicaCount": 6,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behaviour}},
            "triggers": [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "80"}}],
        },
    }


def inside(obj: api.Object | None, *path: str) -> api.Object:
    """What stands at a place of a spec, or nothing."""
    at = (obj or {}).get("spec", {})
    for step in path:
        at = at.get(step, {})
    return at


def play_keda(t: Context, shop: Shop) -> None:
    """Does what KEDA does with a ScaledObject: its autoscaler is written again, whole, whenever either differs."""
    over = threading.Event()

    def reconcile() -> None:
        while not over.wait(0.5):
            owner = api.find("ScaledObject", shop.namespace, shop.name)
            if not owner:
                continue
            wanted = shop.autoscaler(WINDOW, CPU)
            wanted["metadata"] |= {"name": f"keda-hpa-{shop.name}", "ownerReferences": [reference(owner)]}
            wanted["spec"] |= {"minReplicas": 3, "behavior": inside(owner, "advanced", "horizontalPodAutoscalerConfig", "behavior")}
            live = api.find("HorizontalPodAutoscaler", shop.namespace, wanted["metadata"]["name"])
            stands = inside(live, "behavior", "scaleDown")
            if not live:
                api.create(wanted)
                continue
            if any(stands.get(k) != v for k, v in {"selectPolicy": "Max", **wanted["spec"]["behavior"]["scaleDown"]}.items()):
                # Without a resourceVersion: the autoscaler's own controller writes it all the time.
                meta = {k: v for k, v in live["metadata"].items() if k != "resourceVersion"}
                api.call("PUT", api.path("HorizontalPodAutoscaler", shop.namespace, meta["name"]), {**live, "metadata": meta, "spec": wanted["spec"]})

    thread = threading.Thread(target=reconcile)
    thread.start()
    t.afterwards(lambda: (over.set(), thread.join()))


def reference(owner: api.Object) -> api.Object:
    meta = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"], "controller": True, "blockOwnerDeletion": True}


@scenario(core=False, alone=True)
def keda(t: Context) -> None:
    """Where a ScaledObject owns the autoscaler, it gets the leaf that keeps pods from being taken away, Git or not, and loses it a window after the end."""
    t.afterwards(lambda: api.delete("CustomResourceDefinition", None, "scaledobjects.keda.sh"))
    api.apply(definition())
    established = lambda: [c for c in api.get("CustomResourceDefinition", None, "scaledobjects.keda.sh").get("status", {}).get("conditions") or [] if (c["type"], c["status"]) == ("Established", "True")]
    until("KEDA's kind is served", waits.GONE, established)
    shop = t.shop(stages=QUICK)
    shop.start()
    api.apply(scaled_object(shop), "gitops")
    play_keda(t, shop)
    name = f"keda-hpa-{shop.name}"
    until("the autoscaler is there", waits.GONE, lambda: api.find("HorizontalPodAutoscaler", shop.namespace, name))
    of_keda = lambda: inside(api.get("ScaledObject", shop.namespace, shop.name), *SCALE_DOWN).get("selectPolicy")
    of_autoscaler = lambda: inside(api.get("HorizontalPodAutoscaler", shop.namespace, name), "behavior", "scaleDown").get("selectPolicy")
    shop.users()
    shop.deploy("v2")
    shop.at_weight(50)
    check(of_keda() == "Disabled", f"the ScaledObject says {of_keda()} with users on the canary")
    until("KEDA hands it on", waits.GONE, lambda: of_autoscaler() == "Disabled", instead=of_autoscaler)
    api.apply(scaled_object(shop), "gitops")
    check(of_keda() == "Disabled", "a forced apply from Git let pods be taken away")
    managers = {entry["manager"] for entry in api.get("HorizontalPodAutoscaler", shop.namespace, name)["metadata"]["managedFields"]}
    check(not any("tidegate" in manager for manager in managers), f"Tidegate wrote what KEDA owns: {managers}")
    shop.in_phase("Verify")
    copied = api.find("HorizontalPodAutoscaler", shop.namespace, shop.previous)
    check(copied and copied["spec"]["minReplicas"] == 3 and copied["spec"]["maxReplicas"] == 6, f"the previous version's: {copied and copied['spec']}")
    shop.ends("Succeeded")
    check(of_keda() == "Disabled", "it was let go with the release, before one of its windows had passed")
    until("KEDA has its hand back", waits.GONE, lambda: of_keda() is None, instead=of_keda)
    until("so has its autoscaler", waits.GONE, lambda: of_autoscaler() != "Disabled", instead=of_autoscaler)
    check(inside(api.get("ScaledObject", shop.namespace, shop.name), *SCALE_DOWN) == {"stabilizationWindowSeconds": WINDOW}, "the ScaledObject is not what Git says")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    told = shop.condition("Preflight")
    check("AutoscalerOwned" in told.get("message", "") or "KEDA" in told.get("message", ""), f"preflight does not tell of KEDA: {told}")
    t.note(f"preflight: {told['message']}")
    t.note(f"seen by users: {answers.describe()}")
