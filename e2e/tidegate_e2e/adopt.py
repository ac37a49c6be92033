"""A trial: could the workload take the canary's very pods over, instead of making its own? Told in figures.

The pods are let go by the canary's controllers, get the labels of the workload's template, and a ReplicaSet of the new
template is put beside a workload that is paused: it adopts them, and the Deployment controller adopts it. No pod is made
and none restarts. ARCHITECTURE.md says why Tidegate does not promote in this way.
"""

from __future__ import annotations

import copy
import shutil
import threading
import time
from pathlib import Path

from . import api
from .api import Object
from .shop import Shop
from .waits import check, now_ms, until

NAMESPACE = "e2e-adopt"
REPLICAS = 4
HASH = "adopted"
ROLE = "trial"


class Watchman:
    """Counts pods, and those that no controller owns, until stopped."""

    def __init__(self) -> None:
        self.most, self.unowned_ms, self.names = 0, 0, set[str]()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        before = now_ms()
        while not self._ends.wait(0.02):
            pods = api.every("Pod", NAMESPACE)
            now = now_ms()
            if any(not pod["metadata"].get("ownerReferences") for pod in pods):
                self.unowned_ms += now - before
            before = now
            self.most = max(self.most, len(pods))
            self.names |= {pod["metadata"]["name"] for pod in pods}

    def stop(self) -> None:
        self._ends.set()
        self._thread.join()


def relabelled(obj: Object, label: str) -> Object:
    copied = copy.deepcopy(obj)
    copied["metadata"]["labels"]["app"] = label
    return copied


def canary(shop: Shop) -> Object:
    live = shop.live()
    template = relabelled(live["spec"]["template"], shop.canary)
    template["metadata"]["labels"]["role"] = ROLE
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": shop.canary, "namespace": NAMESPACE},
        "spec": {"replicas": REPLICAS, "selector": {"matchLabels": {"app": shop.canary}}, "template": template},
    }


def bare_set(shop: Shop) -> Object:
    """A ReplicaSet of the workload's template that nobody owns."""
    template = copy.deepcopy(shop.live()["spec"]["template"])
    template["metadata"]["labels"]["pod-template-hash"] = HASH
    labels = {"app": shop.name, "pod-template-hash": HASH}
    return {
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": f"{shop.name}-{HASH}", "namespace": NAMESPACE, "labels": labels,
            "annotations": {"deployment.kubernetes.io/desired-replicas": str(REPLICAS), "deployment.kubernetes.io/max-replicas": str(REPLICAS + 1)},
        },
        "spec": {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template},
    }


def weights(shop: Shop, workload: int, canary_weight: int) -> None:
    backends = [{"name": shop.name, "port": 80, "weight": workload}, {"name": shop.canary, "port": 80, "weight": canary_weight}]
    api.patch("HTTPRoute", NAMESPACE, shop.name, {"spec": {"rules": [{"backendRefs": backends}]}})


def let_go(shop: Shop) -> list[str]:
    """Takes the canary's controllers away from its pods; says which pods these are."""
    pods = [pod["metadata"]["name"] for pod in api.every("Pod", NAMESPACE, labelSelector=f"app={shop.canary}")]
    sets = [one["metadata"]["name"] for one in api.every("ReplicaSet", NAMESPACE, labelSelector=f"app={shop.canary}")]
    api.delete("Deployment", NAMESPACE, shop.canary, propagationPolicy="Orphan")
    until("the canary's Deployment is gone", 20, lambda: not api.find("Deployment", NAMESPACE, shop.canary))
    for name in sets:
        api.delete("ReplicaSet", NAMESPACE, name, propagationPolicy="Orphan")
        until("its ReplicaSet is gone", 20, lambda name=name: not api.find("ReplicaSet", NAMESPACE, name))
    return pods


def tell(what: str, figure: object) -> None:
    print(f"{what:66} {figure}", flush=True)


def main() -> int:
    results = Path("/tmp/tidegate-e2e-results/adopt")
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    shop = Shop(namespace=NAMESPACE, results=results, replicas=REPLICAS)
    try:
        shop.start(gated=False)
        shop.users(100)
        shop.version = "v2"
        api.apply(shop.workload(), "gitops")
        until("the template is held", 20, shop.paused)
        service = shop.service()
        service["metadata"]["name"], service["spec"]["selector"] = shop.canary, {"role": ROLE}
        api.apply(service)
        api.create(canary(shop))
        until("the canary is ready", 60, lambda: len(ready(shop.canary)) == REPLICAS)
        weights(shop, 0, 100)
        time.sleep(3)

        before, began, watchman = set(pod["metadata"]["name"] for pod in api.every("Pod", NAMESPACE)), now_ms(), Watchman()
        pods = let_go(shop)
        for name in pods:
            api.patch("Pod", NAMESPACE, name, {"metadata": {"labels": {"app": shop.name, "pod-template-hash": HASH}}})
        mixed = now_ms()
        api.create(bare_set(shop))
        until("the former ReplicaSet is empty", 60, lambda: all(one["spec"]["replicas"] == 0 for one in api.every("ReplicaSet", NAMESPACE) if one["metadata"]["name"] != f"{shop.name}-{HASH}"))
        emptied = now_ms()
        until("only the adopted pods are left", 60, lambda: {pod["metadata"]["name"] for pod in api.every("Pod", NAMESPACE)} == set(pods))
        weights(shop, 100, 0)
        api.patch("Deployment", NAMESPACE, shop.name, {"spec": {"paused": None}})
        time.sleep(5)
        watchman.stop()
        answers = shop.all_answers()

        made = watchman.names - before
        owned = api.get("ReplicaSet", NAMESPACE, f"{shop.name}-{HASH}")["metadata"].get("ownerReferences", [])
        check(owned and owned[0]["name"] == shop.name, f"the workload has not adopted the ReplicaSet: {owned}")
        tell("pods at the height, of a workload of 4", watchman.most)
        tell("pods made or restarted by the promotion", len(made))
        tell("pods of both versions behind the workload's Service for", f"{emptied - mixed} ms, all at once")
        tell("pods that nobody would have replaced for", f"{watchman.unowned_ms} ms")
        tell("from the canary's end to the workload with the new version alone", f"{emptied - began} ms")
        tell("requests failed", f"{len(answers.failed())} of {len(answers)}")
        tell("seen by users", answers.describe())
        return 0
    finally:
        shop.stop()
        api.delete("Namespace", None, NAMESPACE)


def ready(label: str) -> list[Object]:
    pods = api.every("Pod", NAMESPACE, labelSelector=f"app={label}")
    return [pod for pod in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))]
