"""The application under release: its manifests as a team would keep them in Git, and what is done with them."""

from __future__ import annotations

import copy
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from . import api, waits
from .api import Object
from .history import History, weight_of
from .load import Answers, Client
from .waits import check, until

# Seconds where the presets have minutes; the presets are held by unit tests.
STAGES: Sequence[tuple[int, str]] = ((5, "8s"), (25, "8s"), (50, "8s"), (100, "6s"))
# Latency is the subject of one scenario only; elsewhere two busy cores must not set it off.
CONTRACT: Object = {"errorRatePercent": 5, "latencyAdded": "5s"}
OWN_COUNTS: Object = {
    "bad": 'sum(increase(http_requests_total{namespace="$namespace",status!~"2..|3.."}[$window])) or vector(0)',
    "total": 'sum(increase(http_requests_total{namespace="$namespace"}[$window]))',
}


@dataclass
class Shop:
    """One application in a namespace of its own; fields left alone are those of an ordinary team."""

    namespace: str
    results: Path
    name: str = "checkout"
    replicas: int = 3
    stages: Sequence[tuple[int, str]] = STAGES
    strategy: Object = field(default_factory=dict)
    rollback: Object = field(default_factory=lambda: dict(CONTRACT))
    # What the RiskBudget says beside its objectives.
    policy: Object = field(default_factory=dict)
    budget_name: str = ""  # of another application's RiskBudget that it shares
    slos: list[Object] = field(default_factory=lambda: [{"name": "availability", "objective": 50, "window": "10m", "promql": OWN_COUNTS}])
    rate: float = 100
    env: dict[str, str] = field(default_factory=dict)
    kind: str = "Deployment"  # or StatefulSet
    routed: bool = True  # false: no HTTPRoute, exposed by the number of pods
    container: Object = field(default_factory=dict)  # what its container has besides
    pod: Object = field(default_factory=dict)  # what its pods' spec has besides
    spec: Object = field(default_factory=dict)  # what its workload's spec has besides
    rules: list[Object] = field(default_factory=list)  # of its HTTPRoute; none: one that leads to its Service
    ports: list[Object] = field(default_factory=list)  # what its Service has besides its own
    traffic: Object = field(default_factory=dict)  # what spec.traffic has besides
    analysis: Object = field(default_factory=dict)  # what spec.analysis has besides

    def __post_init__(self) -> None:
        self.host = f"{self.namespace}.test"
        self.canary, self.previous = f"{self.name}-canary", f"{self.name}-previous"
        self.version = "v1"
        self.change: dict[str, str] = {}
        self._attempts_before = 0
        self._histories: list[History] = []
        self._clients: list[Client] = []

    # The manifests.

    def meta(self, name: str | None = None, **more: object) -> Object:
        return {"name": name or self.name, "namespace": self.namespace, **more}

    def workload(self) -> Object:
        variables = {"VERSION": self.version, "LATENCY": "10ms", **self.env}
        container = {
            "name": "app", "image": "testbed.local/app:1",
            "env": [{"name": n, "value": v} for n, v in variables.items()],
            "ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 1},
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532},
            **self.container,
        }
        of_kind = {
            "Deployment": {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
            "StatefulSet": {"serviceName": f"{self.name}-pods"},
        }
        return {
            "apiVersion": "apps/v1", "kind": self.kind,
            "metadata": self.meta(labels={"tidegate.io/gated": ""}, annotations=self.change),
            "spec": {
                "replicas": self.replicas, "selector": {"matchLabels": {"app": self.name}}, **of_kind[self.kind], **self.spec,
                "template": {"metadata": {"labels": {"app": self.name}}, "spec": {"containers": [container], **self.pod}},
            },
        }

    def service(self) -> Object:
        return {
            "apiVersion": "v1", "kind": "Service", "metadata": self.meta(annotations={"prometheus.io/scrape": "true"}),
            "spec": {"selector": {"app": self.name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}, *self.ports]},
        }

    def headless(self) -> Object:
        """What gives the pods of a StatefulSet their names."""
        return {
            "apiVersion": "v1", "kind": "Service", "metadata": self.meta(f"{self.name}-pods"),
            "spec": {"clusterIP": "None", "selector": {"app": self.name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
        }

    def route(self) -> Object:
        return {
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": self.meta(),
            "spec": {
                "hostnames": [self.host], "parentRefs": [{"name": "web", "namespace": "gateway"}],
                "rules": self.rules or [{"backendRefs": [{"name": self.name, "port": 80}]}],
            },
        }

    def risk_budget(self) -> Object:
        return {
            "apiVersion": "tidegate.io/v1alpha1", "kind": "RiskBudget", "metadata": self.meta(self.budget_name or None),
            "spec": {"tier": 1, "slos": self.slos, "requirements": {"mode": "Audit"}, "riskPoints": 100_000}
            | self.policy,
        }

    def gated_release(self) -> Object:
        stages = [{"weight": weight, "bake": bake} for weight, bake in self.stages]
        routes = {"httpRoutes": [{"name": self.name}]} if self.routed else {}
        metrics = {} if self.routed else {"metrics": "http-server-pods"}
        return {
            "apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease", "metadata": self.meta(),
            "spec": {
                "workloadRef": {"kind": self.kind, "name": self.name}, "riskBudgetRef": {"name": self.budget_name or self.name},
                "traffic": {"service": self.name, **routes, **self.traffic},
                "strategy": {"stages": stages, "verify": "8s", "handBack": "6s", "drain": "2s", "readyWithin": "60s", **self.strategy},
                "analysis": {"interval": "1s", "window": "6s", "minRequests": 20, **metrics, **self.analysis},
                "rollback": self.rollback,
            },
        }

    def autoscaler(self, window: int, metric: Object) -> Object:
        """A HorizontalPodAutoscaler of 2 to 6 pods; the window of its stabilisation when it takes pods away is in seconds."""
        return {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": self.meta(),
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": self.kind, "name": self.name},
                "minReplicas": 2, "maxReplicas": 6, "metrics": [metric],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": window}},
            },
        }

    def application(self) -> list[Object]:
        """What lies in Git without Tidegate."""
        found = [self.workload(), self.service()]
        found += [self.headless()] if self.kind == "StatefulSet" else []
        return found + ([self.route()] if self.routed else [])

    def manifests(self) -> list[Object]:
        """Everything that lies in Git."""
        return [*self.application(), self.risk_budget(), self.gated_release()]

    # What is done with them.

    def start(self, gated: bool = True) -> None:
        """Creates the namespace and the application, and waits until it serves and its gate is in force."""
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        until("the namespace's service account", 20, lambda: api.find("ServiceAccount", self.namespace, "default"))
        for obj in self.application():
            api.apply(obj, "gitops")
        until("the application's pods are ready", waits.PODS_READY, self.all_ready)
        until("requests reach the application", waits.ROUTE_ANSWERS, lambda: self.answers(self.url()))
        self.route_before = copy.deepcopy(self.live_route()["spec"]) if self.routed else None
        if gated:
            self.gate()

    def gate(self) -> None:
        self.users(20 if self.rate > 20 else self.rate)  # the budget counts requests: there must be some
        for obj in (self.risk_budget(), self.gated_release()):
            api.apply(obj, "gitops")
        until("the gate is in force", waits.BUDGET_MEASURED, lambda: self.condition("Ready").get("status") == "True", instead=self.state)
        until("the error budget is measured", waits.BUDGET_MEASURED, self.budget, instead=lambda: api.get("RiskBudget", self.namespace, self.budget_name or self.name).get("status"))
        until("the first revision is taken over", waits.RELEASE_TAKEN_UP, lambda: self.records())

    def answers(self, url: str) -> bool:
        try:
            return urllib.request.urlopen(urllib.request.Request(url, headers={"Host": self.host}), timeout=2).status == 200
        except OSError:
            return False

    def url(self) -> str:
        """Where users come in: the gateway, or the Service itself."""
        return gateway_url() if self.routed else f"http://{api.get('Service', self.namespace, self.name)['spec']['clusterIP']}/"

    def users(self, rate: float | None = None, url: str | None = None, host: str | None = None) -> Client:
        record = self.results / f"answers-{len(self._clients)}.csv"
        client = Client(url or self.url(), host or self.host, rate or self.rate, record, alone=not self.routed)
        self._clients.append(client)
        return client

    def all_answers(self) -> Answers:
        """Stops every client and tells all that users saw, in the order in which they asked."""
        return Answers(sorted(answer for client in self._clients for answer in client.stop()))

    def so_far(self) -> Answers:
        """What users saw until now; the last half second is still being written."""
        return Answers(sorted(answer for client in self._clients for answer in client.so_far()))

    def follow(self, kind: str, name: str | None = None) -> History:
        history = History(kind, self.namespace, name or self.name)
        self._histories.append(history)
        return history

    def follow_all(self, kind: str) -> History:
        """Every object of a kind in the namespace."""
        history = History(kind, self.namespace)
        self._histories.append(history)
        return history

    def deploy(self, version: str, change: dict[str, str] | None = None, **env: str) -> None:
        """Pushes another template, as a team's pipeline does: `change` are annotations without their prefix."""
        self.remember_attempts()
        self.version, self.env = version, {**{k: v for k, v in self.env.items() if k == "LATENCY"}, **env}
        self.change = {"tidegate.io/change": f"git:{version}", **{f"tidegate.io/{k}": v for k, v in (change or {}).items()}}
        api.apply(self.workload(), "gitops")

    def scale(self, replicas: int) -> None:
        self.replicas = replicas
        api.patch(self.kind, self.namespace, self.name, {"spec": {"replicas": replicas}})

    def spoil(self, version: str, most: int | None = None, **faults: str) -> int:
        """Gives the running pods of a version, or so many of them, faults (error_rate, latency, ready) that their environment
        does not name; how many."""
        pods = [pod for pod in self.pods() if version_of(pod) == version and "deletionTimestamp" not in pod["metadata"]][:most]
        for pod in pods:
            where = f"http://{pod['status']['podIP']}:8080/fault?{urlencode(faults)}"
            urllib.request.urlopen(urllib.request.Request(where, method="PUT"), timeout=5).read()
        return len(pods)

    def in_mid_release(self) -> str:
        """Starts, and releases v2 until a quarter of the users have it; the name of the attempt's record."""
        self.start()
        self.users()
        self.deploy("v2")
        self.at_weight(25)
        return self.taken_up()["metadata"]["name"]

    def remember_attempts(self) -> None:
        """Attempts from now on answer what is done next."""
        self._attempts_before = max((r["spec"]["attempt"] for r in self.records()), default=0)

    def stop(self) -> None:
        for client in self._clients:
            client.stop()
        for history in self._histories:
            history.stop()

    # What is seen of them.

    def live(self) -> Object:
        return api.get(self.kind, self.namespace, self.name)

    def live_route(self) -> Object:
        return api.get("HTTPRoute", self.namespace, self.name)

    def live_release(self) -> Object:
        return api.get("GatedRelease", self.namespace, self.name)

    def canary_weight(self) -> int:
        return weight_of(self.live_route(), self.canary)

    def paused(self) -> bool:
        """Whether a changed template is kept from the workload's pods."""
        spec = self.live()["spec"]
        return spec.get("paused", False) if self.kind == "Deployment" else partition_of(self.live()) > 0

    def pods(self) -> list[Object]:
        """Every pod of the application, of the canary and of the previous version."""
        return api.every("Pod", self.namespace)

    def running(self) -> dict[str, int]:
        """Versions that have pods in the workload itself, with how many of them are wanted, or run in a StatefulSet."""
        uid = self.live()["metadata"]["uid"]
        owned = lambda kind: [o for o in api.every(kind, self.namespace) if any(r["uid"] == uid for r in o["metadata"].get("ownerReferences", []))]
        if self.kind == "StatefulSet":
            return dict(Counter(version_of(pod) for pod in owned("Pod")))
        return {version_of(s): s["spec"]["replicas"] for s in owned("ReplicaSet") if s["spec"]["replicas"] or s["status"].get("replicas")}

    def all_ready(self) -> bool:
        live = self.live()
        return live.get("status", {}).get("readyReplicas", 0) == live["spec"]["replicas"]

    def condition(self, kind: str) -> Object:
        """A condition of the GatedRelease, or nothing."""
        conditions = self.live_release().get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def scale_down_policy(self) -> str | None:
        """What the workload's autoscaler may do where it would take pods away."""
        behaviour = api.get("HorizontalPodAutoscaler", self.namespace, self.name)["spec"].get("behavior", {})
        return behaviour.get("scaleDown", {}).get("selectPolicy")

    def held(self, reason: str | None = None) -> Object | None:
        """The condition Held while it is True, for that reason where one is given."""
        held = self.condition("Held")
        return held if held.get("status") == "True" and reason in (None, held["reason"]) else None

    def state(self) -> str:
        """What the release says of itself, in a line."""
        status = self.live_release().get("status", {})
        conditions = ", ".join(f"{c['type']}={c['status']}/{c['reason']}" for c in status.get("conditions", []))
        return f"{status.get('phase')} {status.get('stage', '')} {status.get('message', 'no status')} [{conditions}]"

    def budget(self) -> Object | None:
        return api.get("RiskBudget", self.namespace, self.budget_name or self.name).get("status", {}).get("errorBudget")

    def records(self) -> list[Object]:
        """The attempts at this application, oldest first."""
        found = [r for r in api.every("ReleaseRecord", self.namespace) if r["spec"]["release"] == self.name]
        return sorted(found, key=lambda r: r["spec"]["attempt"])

    def record_named(self, name: str) -> Object:
        return api.get("ReleaseRecord", self.namespace, name)

    def events(self, reason: str | None = None) -> list[Object]:
        """What was told of the application and its release, for that reason where one is given."""
        found = [e for e in api.every("Event", self.namespace) if reason in (None, e["reason"])]
        return sorted(found, key=lambda e: e["metadata"]["creationTimestamp"])

    def stable_pods(self) -> set[str]:
        """The names of the workload's own pods."""
        return {pod["metadata"]["name"] for pod in api.every("Pod", self.namespace, labelSelector=f"app={self.name}")}

    def record(self) -> Object | None:
        """The attempt that answers the last `deploy`, once there is one."""
        newer = [r for r in self.records() if r["spec"]["attempt"] > self._attempts_before]
        return newer[-1] if newer and newer[-1].get("status") else None

    def ended(self) -> Object | None:
        record = self.record()
        return record if record and record["status"].get("outcome") else None

    # Waits that most scenarios need.

    def taken_up(self) -> Object:
        return until("Tidegate takes the change up", waits.RELEASE_TAKEN_UP, self.record, instead=self.state)

    def at_weight(self, weight: int, seconds: float = 120) -> None:
        until(f"the canary's weight is at least {weight}", seconds, lambda: self.canary_weight() >= weight, every=0.05, instead=self.state)

    def in_phase(self, phase: str, seconds: float = 180) -> Object:
        def reached() -> Object | None:
            record = self.record()
            return record if record and record["status"]["phase"] == phase else None

        return until(f"the release is in phase {phase}", seconds, reached, every=0.1, instead=self.state)

    def ends(self, outcome: str, seconds: float = waits.RELEASE_ENDS) -> Object:
        """Waits for the end of the attempt, and checks how it ended."""
        record = until("the release ends", seconds, self.ended, instead=self.state)
        status = record["status"]
        check(status["outcome"] == outcome, f"the release ended as {status['outcome']}, not {outcome}: {status.get('summary')} {status.get('rollback', '')}")
        return record

    def ships(self, version: str) -> Answers:
        """Releases a good version as any other, and tells what users saw until then: every request was answered."""
        self.deploy(version)
        self.ends("Succeeded")
        self.leaves_nothing()
        answers = self.all_answers()
        check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
        return answers

    def residue(self) -> list[str]:
        """What a release left behind: objects of canary or previous, and marks on the route."""
        left = [
            f"{kind} {obj['metadata']['name']}"
            for kind in ("Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy")
            for obj in api.every(kind, self.namespace)
            if obj["metadata"]["name"].endswith(("-canary", "-previous")) or "tidegate.io/role" in obj["metadata"].get("labels", {})
        ]
        if not self.routed:
            return left + [f"Pod {p['metadata']['name']}" for p in self.pods() if "tidegate.io/role" in p["metadata"].get("labels", {})]
        route = self.live_route()
        left += [f"HTTPRoute annotation {a}" for a in route["metadata"].get("annotations", {}) if a.startswith("tidegate.io/")]
        if route["spec"] != self.route_before:
            left.append(f"HTTPRoute spec {route['spec']}, was {self.route_before}")
        return left

    def leaves_nothing(self) -> None:
        until("nothing of the release is left", waits.GONE, lambda: not self.residue(), instead=self.residue)


def version_of(obj: Object) -> str:
    """The version that a pod, or a workload's template, says."""
    spec = obj["spec"].get("template", obj)["spec"]
    # A pod of a check has none.
    return next((v["value"] for v in spec["containers"][0].get("env", []) if v["name"] == "VERSION"), "")


def partition_of(stateful_set: Object) -> int:
    """Pods with an ordinal below it are kept from the template."""
    return stateful_set["spec"].get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0)


def gateway_url(namespace: str = "gateway", name: str = "web") -> str:
    address = api.get("Gateway", namespace, name)["status"]["addresses"][0]["value"]
    return f"http://{address}/"
