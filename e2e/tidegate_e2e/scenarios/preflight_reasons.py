"""Each reason of docs/preflight.md, made on the API server by one thing that is wrong with an otherwise clean application.

All 33 can be made here. The kinds of the Prometheus Operator, of Istio and of KEDA are not installed on this cluster and are served from
definitions without their programs, as preflight reads objects and asks no program. Nothing has pods but for `NotSettled`, whose pods
find no node.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .. import api, bed, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import Failed, check, until
from .adopted_in_mid_roll import ungated
from .autoscaler import CPU
from .keda import reference, scaled_object

Object = api.Object
Manifests = dict[str, Object]  # workload, service, route
# Edits the manifests of a clean application, and says what lies around it.
Spoil = Callable[[Shop, Manifests], list[Object]]

OWN = {"matchLabels": {"app": "checkout"}}
FROM_GATEWAY = [{"ports": [{"port": 8080}]}]
KINDS = (
    ("monitoring.coreos.com", "v1", "ServiceMonitor"), ("monitoring.coreos.com", "v1", "PodMonitor"),
    ("security.istio.io", "v1", "AuthorizationPolicy"), ("networking.istio.io", "v1", "DestinationRule"),
    ("keda.sh", "v1alpha1", "ScaledObject"),
)


@dataclass(frozen=True)
class Case:
    reason: str
    refuses: bool
    spoil: Spoil
    kind: str = "Deployment"
    # How the workload comes to be: by server-side apply, by kubectl's own apply, by a creation, or in the middle of a roll.
    made: str = "apply"
    # Tells two cases of one reason apart.
    tag: str = ""
    # What is wrong stands in a second namespace.
    elsewhere: bool = False

    @property
    def name(self) -> str:
        return self.reason.lower() + self.tag


def plural(kind: str) -> str:
    return kind.lower().removesuffix("y") + "ies" if kind.endswith("Policy") else f"{kind.lower()}s"


def definition(group: str, version: str, kind: str) -> Object:
    """Serves a kind of somebody else's, whatever its objects say."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural(kind)}.{group}"},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural(kind), "singular": kind.lower()},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}],
        },
    }


# What lies around.

def other(version: str, kind: str, name: str, spec: Object) -> Spoil:
    return lambda shop, _: [{"apiVersion": version, "kind": kind, "metadata": shop.meta(name), "spec": spec}]


def both(*spoils: Spoil) -> Spoil:
    return lambda shop, manifests: [obj for spoil in spoils for obj in spoil(shop, manifests)]


def network_policy(name: str, selector: Object, ingress: list[Object]) -> Spoil:
    return other("networking.k8s.io/v1", "NetworkPolicy", name, {"podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress})


def second(shop: Shop) -> str:
    return f"{shop.namespace}-2"


def in_second(version: str, kind: str, spec: Callable[[str], Object]) -> Spoil:
    """An object of the second namespace, by the name of the application's."""
    return lambda shop, _: [{"apiVersion": version, "kind": kind, "metadata": {"name": "own", "namespace": second(shop)}, "spec": spec(shop.namespace)}]


def lets_in(namespace: str) -> Object:
    pods = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}, "podSelector": OWN}
    return {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"], "ingress": [{"from": [pods]}]}


def service(name: str, selector: Object) -> Spoil:
    return other("v1", "Service", name, {"selector": selector, "ports": [{"port": 80, "targetPort": 8080}]})


def quota(hard: Object) -> Spoil:
    return other("v1", "ResourceQuota", "team", {"hard": hard})


def istio(name: str, spec: Object) -> Spoil:
    return other("security.istio.io/v1", "AuthorizationPolicy", name, spec)


def autoscalers(*names: str) -> Spoil:
    return lambda shop, _: [renamed(shop.autoscaler(60, CPU), name) for name in names]


def renamed(obj: Object, name: str) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "name": name}}


def of_keda(shop: Shop, _: Manifests) -> list[Object]:
    owner = api.apply(scaled_object(shop))
    hpa = renamed(shop.autoscaler(60, CPU), "keda-hpa-checkout")
    hpa["metadata"]["ownerReferences"] = [reference(owner)]
    return [hpa]


# What the manifests themselves say.

def edit(which: str, *path: str, to: object) -> Spoil:
    def spoil(_: Shop, manifests: Manifests) -> list[Object]:
        at = manifests[which]
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = to
        return []

    return spoil


def template(field: str, to: object) -> Spoil:
    return edit("workload", "spec", "template", "spec", field, to=to)


def container(field: str, to: list[Object]) -> Spoil:
    def spoil(_: Shop, manifests: Manifests) -> list[Object]:
        first = manifests["workload"]["spec"]["template"]["spec"]["containers"][0]
        first[field] = [*first[field], *to]
        return []

    return spoil


def claim(*modes: str) -> Spoil:
    mounts = template("volumes", [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    exists = other("v1", "PersistentVolumeClaim", "data", {"accessModes": list(modes), "resources": {"requests": {"storage": "1Gi"}}})
    return both(mounts, exists) if modes else mounts


def affinity(kind: str, selector: Object) -> Spoil:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}
    return template("affinity", {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}})


def partition(ordinal: int) -> Spoil:
    return edit("workload", "spec", "updateStrategy", to={"type": "RollingUpdate", "rollingUpdate": {"partition": ordinal}})


def annotated(key: str, value: str) -> Spoil:
    return edit("workload", "metadata", "annotations", to={key: value})


def hook_after_the_sync(shop: Shop, _: Manifests) -> list[Object]:
    """A Job that Argo CD would run when a sync has ended. It is suspended, so that it has no pods."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "smoke", "image": "tidegate.test/none"}]}
    meta = {**shop.meta("smoke"), "annotations": {"argocd.argoproj.io/hook": "PostSync"}}
    return [{"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"suspend": True, "template": {"spec": pod}}}]


def in_a_later_wave(shop: Shop, _: Manifests) -> list[Object]:
    """A Deployment without pods that Argo CD would apply after this one."""
    labels = {"app": "frontend"}
    pod = {"containers": [{"name": "app", "image": "tidegate.test/none"}]}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    meta = {**shop.meta("frontend"), "annotations": {"argocd.argoproj.io/sync-wave": "2"}}
    return [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}]


HEADER = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "x-of", "value": "backend"}]}}
TLS = {"targetRefs": [{"group": "", "kind": "Service", "name": "checkout"}], "validation": {"hostname": "checkout.test", "wellKnownCACertificates": "System"}}
NOT_THE_COPIES = {"key": "app", "operator": "NotIn", "values": ["checkout-canary", "checkout-previous"]}
INSTANCE = {"app.kubernetes.io/instance": "checkout"}

CASES = [
    Case("Passed", False, lambda *_: []),
    Case("NetworkPolicyMissesCanary", True, both(network_policy("closed", {}, []), network_policy("gateway", OWN, FROM_GATEWAY))),
    Case("NetworkPolicyPeerMissesCanary", True, network_policy("database", {"matchLabels": {"app": "db"}}, [{"from": [{"podSelector": OWN}]}])),
    Case("NetworkPolicyPeerMissesCanary", True, in_second("networking.k8s.io/v1", "NetworkPolicy", lets_in), tag="-far", elsewhere=True),
    Case("NetworkPolicyNotBinding", False, network_policy("gateway", OWN, FROM_GATEWAY)),
    Case("AuthorizationPolicyMissesCanary", True, both(istio("all", {"action": "ALLOW", "rules": [{}]}), istio("own", {"selector": OWN, "rules": [{}]}))),
    Case("ServiceReachesCanary", False, both(edit("workload", "spec", "template", "metadata", "labels", "tier", to="web"), service("admin", {"tier": "web"}))),
    Case("ServiceMissesCanary", False, service("admin", {"app": "checkout"})),
    Case("ServiceExposed", False, edit("service", "spec", "type", to="NodePort")),
    Case("RouteNotGoverned", False, other("networking.k8s.io/v1", "Ingress", "old", {"defaultBackend": {"service": {"name": "checkout", "port": {"number": 80}}}})),
    Case("BackendFilters", False, edit("route", "spec", "rules", to=[{"backendRefs": [{"name": "checkout", "port": 80, "filters": [HEADER]}]}])),
    Case("PdbCoversCanary", False, other("policy/v1", "PodDisruptionBudget", "all", {"selector": {}, "minAvailable": 1})),
    Case("PolicyMissesCanary", True, other("gateway.networking.k8s.io/v1", "BackendTLSPolicy", "tls", TLS)),
    Case("DestinationRuleMissesCanary", False, other("networking.istio.io/v1", "DestinationRule", "pool", {"host": "checkout"})),
    Case("ServiceMonitorMissesCanary", False, both(edit("service", "metadata", "labels", to=INSTANCE), other("monitoring.coreos.com/v1", "ServiceMonitor", "own", {"selector": {"matchLabels": INSTANCE}, "endpoints": []}))),
    Case("PodMonitorMissesCanary", False, other("monitoring.coreos.com/v1", "PodMonitor", "own", {"selector": OWN})),
    Case("PodMonitorMissesCanary", False, in_second("monitoring.coreos.com/v1", "PodMonitor", lambda here: {"namespaceSelector": {"matchNames": [here]}, "selector": OWN}), tag="-far", elsewhere=True),
    Case("VolumeNotShareable", True, claim("ReadWriteOnce")),
    Case("ClaimMissing", True, claim()),
    Case("AffinityUnsatisfiable", True, affinity("podAffinity", {**OWN, "matchExpressions": [NOT_THE_COPIES]})),
    Case("AffinityKeepsCanaryAway", False, affinity("podAntiAffinity", {"matchExpressions": [{"key": "app", "operator": "Exists"}]})),
    Case("HostPathShared", False, template("volumes", [{"name": "logs", "hostPath": {"path": "/var/log"}}])),
    Case("HostPortTaken", False, container("ports", [{"name": "node", "containerPort": 8081, "hostPort": 18081}])),
    Case("LabelIsRead", False, container("env", [{"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}])),
    Case("NotSettled", True, template("nodeSelector", {"tidegate.test/nowhere": "yes"}), made="rolling"),
    Case("HistoryTooShort", True, edit("workload", "spec", "revisionHistoryLimit", to=0)),
    Case("PausedOwned", False, edit("workload", "spec", "paused", to=False)),
    Case("PartitionOwned", False, partition(0), kind="StatefulSet"),
    Case("PartitionStated", False, partition(0), kind="StatefulSet", made="client"),
    Case("PausedByOthers", False, partition(2), kind="StatefulSet", made="create"),
    Case("BreakGlassStands", False, annotated("tidegate.io/break-glass", "INC-7")),
    # Argo CD goes on from the wave of the Deployment: what is applied last is not waited for.
    Case("Passed", False, annotated("argocd.argoproj.io/sync-wave", "1"), tag="-in-the-last-wave"),
    Case("ArgoSyncWave", False, hook_after_the_sync),
    Case("ArgoSyncWave", False, both(annotated("argocd.argoproj.io/sync-wave", "1"), in_a_later_wave), tag="-of-a-deployment"),
    Case("ArgoHook", False, annotated("argocd.argoproj.io/hook", "Sync")),
    Case("TwoAutoscalers", False, autoscalers("one", "two")),
    Case("AutoscalerOwned", False, of_keda),
    Case("QuotaTooSmall", True, quota({"count/deployments.apps": "1"})),
    Case("QuotaNotComputed", False, quota({"limits.cpu": "100"})),
]


@scenario(core=False, alone=True)
def preflight_reasons(t: Context) -> None:
    """Each reason of preflight, made by one object: the condition, `tidegate preflight` and `tidegate doctor` all name it, and nothing else."""
    every_reason_has_a_case()
    for group, version, kind in KINDS:
        made = api.apply(definition(group, version, kind))
        t.afterwards(lambda name=made["metadata"]["name"]: api.delete("CustomResourceDefinition", None, name))
    for group, _, kind in KINDS:
        until(f"{kind} is served", waits.GONE, lambda name=f"{plural(kind)}.{group}": established(name))
    shops = [(case, shop_of(t, case)) for case in CASES]
    for shop in (shop for case, shop in shops if case.elsewhere):
        t.afterwards(lambda name=second(shop): api.delete("Namespace", None, name))
    with ThreadPoolExecutor(4) as pool:
        whys = list(pool.map(lambda one: tried(*one), shops))
    wrong = [f"{case.reason}: {why}" for (case, _), why in zip(shops, whys) if why]
    for (_, shop), why in zip(shops, whys):
        if not why:  # what is kept of a failure is of those that failed
            t.shops.remove(shop)
            api.delete("Namespace", None, shop.namespace)
    check(not wrong, f"{len(wrong)} of {len(CASES)} are not told as they should be:\n" + "\n".join(wrong))
    t.note(f"{len({case.reason for case in CASES}) - 1} reasons, {sum(case.refuses for case in CASES)} of them refuse; told the same by condition, preflight and doctor")


def every_reason_has_a_case() -> None:
    """The reasons are those of the tables of docs/preflight.md, which a unit test holds complete."""
    rows = [line.split("`")[1] for line in (bed.CHECKOUT / "docs/preflight.md").read_text().splitlines() if line.startswith("| `")]
    tried = {case.reason for case in CASES if case.reason != "Passed"}
    check(sorted(rows) == sorted(tried), f"without a case, or without a row: {sorted(set(rows) ^ tried)}")


def established(name: str) -> bool:
    conditions = api.get("CustomResourceDefinition", None, name).get("status", {}).get("conditions") or []
    return any((one["type"], one["status"]) == ("Established", "True") for one in conditions)


def shop_of(t: Context, case: Case) -> Shop:
    routed = case.kind == "Deployment"
    return t.shop(f"-{case.name}", kind=case.kind, routed=routed, replicas=2 if case.made == "rolling" else 0)


def tried(case: Case, shop: Shop) -> str:
    """What is not told as it should be of this case; nothing where all is."""
    try:
        make(case, shop)
        told(case, shop)
    except (Failed, RuntimeError, api.Refused) as why:
        return str(why)
    return ""


def make(case: Case, shop: Shop) -> None:
    """All that lies around the application is there before its GatedRelease, which is looked at once when it is new."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": shop.namespace}})
    manifests = {"workload": shop.workload(), "service": shop.service()}
    if shop.routed:
        manifests["route"] = shop.route()
        # Nobody uses it: no gateway need know it.
        del manifests["route"]["spec"]["parentRefs"]
    if case.elsewhere:
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": second(shop)}})
    around = case.spoil(shop, manifests)
    rest = [*around, *(obj for which, obj in manifests.items() if which != "workload"), shop.risk_budget()]
    workload = manifests["workload"]
    apply = ("apply", "--server-side", "--field-manager=gitops", "-f", "-")
    match case.made:
        case "apply":
            rest.append(workload)
        case "client":
            bed.kubectl("apply", "-f", "-", stdin=json.dumps(workload))
        case "create":
            bed.kubectl("create", "-f", "-", stdin=json.dumps(workload))
        case "rolling":
            roll(shop, workload)
    bed.kubectl(*apply, stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": rest}))
    if any(obj["kind"] == "ResourceQuota" for obj in around):
        counted = lambda: api.get("ResourceQuota", shop.namespace, "team").get("status", {}).get("used")
        until("the quota is counted", waits.GONE, counted)
    if case.elsewhere:
        # What other namespaces hold is looked at once for all releases, and anew after this.
        time.sleep(waits.OTHER_NAMESPACES_SEEN)
    api.apply(shop.gated_release(), "gitops")


def roll(shop: Shop, workload: Object) -> None:
    """Leaves a Deployment in the middle of a roll that cannot end, and puts it under the gate."""
    before, after = {**workload, "metadata": ungated(shop)["metadata"]}, json.loads(json.dumps(workload))
    wanted = lambda: sorted(s["spec"]["replicas"] for s in api.every("ReplicaSet", shop.namespace) if s["spec"]["replicas"])
    api.apply(before, "gitops")
    until("its ReplicaSet is made", waits.GONE, lambda: wanted() == [2], instead=wanted)
    after["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "NEWER", "value": "yes"})
    api.apply({**after, "metadata": before["metadata"]}, "gitops")
    until("two ReplicaSets are active", waits.GONE, lambda: wanted() == [1, 2], instead=wanted)
    api.apply(after, "gitops")


def told(case: Case, shop: Shop) -> None:
    def as_wanted() -> bool:
        told = shop.condition("Preflight")
        said = (told.get("status"), told.get("reason"))
        if case.refuses:
            return said == ("False", case.reason)
        if case.reason == "Passed":
            return said == ("True", "Passed")
        return said == ("True", "Warnings") and f"({case.reason})" in told["message"] and told["message"].count("(") == 1

    until("the condition names it", waits.BUDGET_MEASURED, as_wanted, instead=lambda: shop.condition("Preflight") or shop.state())
    code, said = tidegate("preflight", shop.name, "-n", shop.namespace, "-o", "json")
    findings = json.loads(said)["findings"] if said.startswith("{") else said
    seen = sorted({(one["reason"], one["severity"]) for one in findings}) if isinstance(findings, list) else findings
    wanted = [] if case.reason == "Passed" else [(case.reason, "Refuse" if case.refuses else "Warn")]
    check(seen == wanted and code == int(case.refuses), f"`tidegate preflight` exits with {code} and finds {findings}")
    _, said = tidegate("doctor", "-n", shop.namespace)
    line = next((line for line in said.splitlines() if f"{shop.namespace}/{shop.name}: " in line and " GatedRelease: " in line), said)
    refused = f"Ready is False, {case.reason}" in line
    # A partition of somebody else's is a warning of preflight, and no workload to be ready with.
    warned = not case.refuses and (f"({case.reason})" in line or refused)
    good = line.startswith("ok") if case.reason == "Passed" else line.startswith("warn") and (refused if case.refuses else warned)
    check(good, f"`tidegate doctor` says: {line}")


def tidegate(*args: str) -> tuple[int, str]:
    """The exit code of a command, and what it prints."""
    done = subprocess.run([os.environ["TIDEGATE_BINARY"], *args], text=True, capture_output=True, timeout=60)
    return done.returncode, done.stdout or done.stderr
