from __future__ import annotations

import copy
from typing import Any

from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

Change = dict[str, Any]  # a dotted path in the spec to its new value; None removes
STAGE = {"weight": 100, "bake": "1s"}

# What the API server must refuse, and words that its message must contain: the field, and what to do.
REFUSED: dict[str, list[tuple[Change, tuple[str, ...]]]] = {
    "GatedRelease": [
        ({"strategy.schedule": "Standard"}, ("strategy", "either schedule or stages")),
        ({"strategy.schedule": "Quick", "strategy.stages": None}, ("spec.strategy.schedule", "Quick", "Standard")),
        ({"strategy.stages": [{"weight": 25, "bake": "1s"}, {"weight": 5, "bake": "1s"}, STAGE]}, ("spec.strategy.stages", "rise")),
        ({"strategy.stages": [{"weight": 25, "bake": "1s"}]}, ("spec.strategy.stages", "100")),
        ({"strategy.stages": [{"weight": 0, "bake": "1s"}, STAGE]}, ("spec.strategy.stages[0].weight", "at least 1")),
        ({"strategy.stages": [{"weight": 101, "bake": "1s"}]}, ("spec.strategy.stages[0].weight", "100")),
        ({"strategy.stages": [{"weight": 100, "bake": "soon"}]}, ("spec.strategy.stages[0].bake", "soon")),
        ({"strategy.fallbackPercent": 0}, ("fallbackPercent", "at least 1")),
        ({"strategy.holdFor": "0s"}, ("holdFor", "longer than nothing")),
        ({"analysis.interval": "100ms"}, ("interval", "at least 1s")),
        ({"analysis.window": "0s"}, ("window", "at least 1s")),
        ({"analysis.minRequests": 0}, ("spec.analysis.minRequests", "1")),
        ({"analysis.evidenceWithin": "0s"}, ("evidenceWithin", "longer than nothing")),
        ({"rollback": None}, ("spec.rollback", "Required")),
        ({"rollback.errorRatePercent": None}, ("spec.rollback.errorRatePercent", "Required")),
        ({"rollback.errorRatePercent": 100}, ("errorRatePercent", "below 100")),
        ({"rollback.latencyFactor": None, "rollback.latencyAdded": None}, ("rollback", "latencyFactor", "200ms")),
        ({"rollback.latencyFactor": 1}, ("latencyFactor", "above 1")),
        ({"rollback.latencyQuantile": 100}, ("latencyQuantile", "99.99")),
        ({"rollback.timeBudget": "0s"}, ("timeBudget", "5m")),
        ({"rollback.complaintsQuery": "sum(complaints)"}, ("complaintsQuery", "complaints")),
        ({"traffic.httpRoutes": []}, ("spec.traffic.httpRoutes", "1")),
        ({"workloadRef.kind": "StatefulSet"}, ("spec.traffic.httpRoutes", "StatefulSet", "leave httpRoutes out")),
        ({"workloadRef.kind": "DaemonSet"}, ("spec.workloadRef.kind", "DaemonSet", "Deployment")),
        ({"workloadRef.name": "n" * 55}, ("spec.workloadRef.name", "54")),
    ],
    "RiskBudget": [
        ({"tier": 4}, ("spec.tier", "3")),
        ({"slos": []}, ("spec.slos", "1")),
        ({"slos": [{"name": "a", "objective": 100, "availability": {"service": "x"}}]}, ("objective", "99.5")),
        ({"slos": [{"name": "a", "objective": 99.5}]}, ("spec.slos[0]", "exactly one of")),
        ({"slos": [{"name": "a", "objective": 99.5, "availability": {"service": "x"}, "latency": {"service": "x"}}]}, ("spec.slos[0]", "exactly one of")),
        ({"window": {"kind": "Sprint"}}, ("spec.window", "sprintStart")),
    ],
}

# References that do not resolve, and what the status must name.
UNRESOLVED: list[tuple[str, Change, tuple[str, ...]]] = [
    ("no-workload", {"workloadRef.name": "ghost"}, ("spec.workloadRef.name", "Deployment", "Create it")),
    ("no-budget", {"riskBudgetRef.name": "ghost"}, ("spec.riskBudgetRef.name", "RiskBudget", "Create it")),
    ("no-service", {"traffic.service": "ghost"}, ("spec.traffic.service", "Service", "Create it")),
    ("no-route", {"traffic.httpRoutes": [{"name": "ghost"}]}, ("spec.traffic.httpRoutes[0].name", "HTTPRoute", "Create it")),
    ("no-metrics", {"analysis.metrics": "ghost"}, ("spec.analysis.metrics", "queryTemplates")),
]


def changed(obj: api.Object, change: Change, name: str) -> api.Object:
    obj = copy.deepcopy(obj)
    obj["metadata"]["name"] = name
    for path, value in change.items():
        *parents, last = path.split(".")
        at = obj["spec"]
        for parent in parents:
            at = at.setdefault(parent, {})
        if value is None:
            at.pop(last, None)
        else:
            at[last] = value
    return obj


def refusals(shop: Shop) -> list[str]:
    wrong = []
    for good in (shop.gated_release(), shop.risk_budget()):
        for change, words in REFUSED[good["kind"]]:
            try:
                api.create(changed(good, change, "nonsense"))
            except api.Refused as refused:
                if missing := [w for w in words if w not in str(refused)]:
                    wrong.append(f"{change}: the message lacks {missing}: {refused}")
            else:
                api.delete(good["kind"], shop.namespace, "nonsense")
                wrong.append(f"{change} was accepted")
    return wrong


def message(shop: Shop, name: str) -> str:
    """What a GatedRelease says while it is not Ready."""
    conditions = api.get("GatedRelease", shop.namespace, name).get("status", {}).get("conditions", [])
    return next((c["message"] for c in conditions if c["type"] == "Ready" and c["status"] == "False"), "")


@scenario()
def bad_input(t: Context) -> None:
    """Nonsense is refused with field, value and remedy; references that do not resolve are named; others go on."""
    shop = t.shop(rate=60, stages=((50, "2s"), (100, "2s")))
    shop.start()
    wrong = refusals(shop)
    t.note(f"{sum(map(len, REFUSED.values()))} refusals of the API server")

    spare = Shop(namespace=shop.namespace, results=shop.results, name="spare", replicas=0)
    spare.host = "spare.test"
    for obj in (spare.workload(), spare.service(), spare.route()):
        api.apply(obj)
    # A length beyond every limit passes the schema and cannot be read by the controller.
    api.create(changed(shop.gated_release(), {"workloadRef.name": "spare", "strategy.verify": "999999999d"}, "malformed"))
    for name, change, words in UNRESOLVED:
        api.create(changed(spare.gated_release(), {"riskBudgetRef.name": shop.name, **change}, name))
        said = until(f"{name} says what is wrong", waits.RELEASE_TAKEN_UP, lambda: message(shop, name))
        if missing := [w for w in ("ghost", *words) if w not in said]:
            wrong.append(f"{name}: the message lacks {missing}: {said}")
        t.note(f"{name}: {said}")
        # Of several that name one workload only the first would be looked at any further.
        api.delete("GatedRelease", shop.namespace, name)
        until(f"{name} is gone", waits.GONE, lambda: api.find("GatedRelease", shop.namespace, name) is None)
    check(not wrong, "\n".join(wrong))

    shop.deploy("v2")
    shop.ends("Succeeded")
    shop.leaves_nothing()
