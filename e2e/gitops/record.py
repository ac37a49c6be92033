#!/usr/bin/env python3
"""Saves GatedReleases, Deployments, StatefulSets and the like as they stand at telling moments, for tests/gitops.rs to judge.

    e2e/gitops/record.py --from "real cluster 1.36, scenario good" [--into DIR] [--anew]

It looks at all GatedReleases that kubectl reaches, several times a second, until it is interrupted. Each moment is saved
once; one that lies there already is kept, unless --anew. What was seen, and where, is noted in DIR/README.md.
`e2e/run record-gitops` runs it beside scenarios on the real cluster; beside a served sandbox it is started by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import time
from pathlib import Path

OBJECTS = Path(__file__).resolve().parents[2] / "tests" / "gitops" / "objects"
KINDS = "gatedreleases,riskbudgets,releaserecords,deployments,statefulsets"
Object = dict


def condition(obj: Object, kind: str) -> Object:
    return next((c for c in obj.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def moments(release: Object, deployment: Object, record: Object | None, budget: Object | None) -> dict[str, Object | None]:
    """The names under which these objects are worth keeping now."""
    status, spec, done = release.get("status", {}), deployment["spec"], deployment.get("status", {})
    phase, ready = status.get("phase"), condition(release, "Ready")
    paused, replicas = spec.get("paused", False), spec.get("replicas", 1)
    over = (record or {}).get("status", {}).get("outcome")
    settled = done.get("observedGeneration") == deployment["metadata"]["generation"]
    whole = settled and done.get("updatedReplicas") == done.get("replicas") == done.get("availableReplicas") == replicas
    labels, annotations = (deployment["metadata"].get(k, {}) for k in ("labels", "annotations"))
    # At first a held Deployment has the words of the admission policy, then those of the controller.
    explained = "kubectl describe gatedrelease" in annotations.get("tidegate.io/paused-because", "")
    measured = budget if (budget or {}).get("status", {}).get("errorBudget") and condition(budget, "Ready").get("status") == "True" else None
    found: dict[str, Object | None] = {}
    # Right after its end an attempt is still what is spoken of.
    quiet = status.get("message") != (record or {}).get("status", {}).get("summary")
    if ready.get("status") == "True" and ready.get("reason") == "InForce" and over and not paused and whole and quiet:
        found |= {"release-idle": release, "deployment-idle": deployment, "budget": measured}
        if over == "Succeeded":
            found["record-succeeded"] = record
    if condition(release, "Held").get("status") == "True" and paused and settled and explained:
        found |= {"release-held": release, "deployment-held": deployment}
    if phase == "Release" and status.get("weight") and paused and settled and explained and not over:
        found |= {"release-baking": release, "deployment-baking": deployment, "record-open": record}
    if phase == "Promote" and not paused and settled and not whole:
        found |= {"release-promoting": release, "deployment-rolling": deployment}
    if phase == "Verify" and not over:
        found |= {"release-verifying": release, "deployment-promoted": deployment}
    if phase == "Rollback" and not over:
        found["release-rolling-back"] = release
    if ready.get("reason") == "RolledBack":
        late = "" if paused else "-late"
        found |= {f"release-rolled-back{late}": release, f"deployment-rolled-back{late}": deployment, "record-rolled-back": record}
    if ready.get("reason") == "Detached":
        found |= {"release-detached": release, **({"deployment-detached-paused": deployment} if paused and "tidegate.io/gated" not in labels else {})}
    return found


def stateful_moments(release: Object, workload: Object, record: Object | None) -> dict[str, Object | None]:
    """The same of a StatefulSet, which is held by its partition; what is not the workload itself looks as with a Deployment."""
    status, spec, done = release.get("status", {}), workload["spec"], workload.get("status", {})
    phase, ready = status.get("phase"), condition(release, "Ready")
    partition, replicas = spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("partition", 0), spec.get("replicas", 1)
    if done.get("observedGeneration") != workload["metadata"]["generation"]:
        return {}
    over = (record or {}).get("status", {}).get("outcome")
    held = partition >= replicas and workload["metadata"].get("annotations", {}).get("tidegate.io/paused-because")
    whole = done.get("readyReplicas") == done.get("replicas") == replicas
    found: dict[str, Object | None] = {}
    if not partition and over and whole and ready.get("reason") == "InForce" and done.get("updateRevision") == done.get("currentRevision"):
        found["statefulset-idle"] = workload
    # Not for long: in whose words it is said does not matter.
    if held and whole and phase in ("Plan", "Stage"):
        found["statefulset-held"] = workload
    if 0 < partition < replicas and phase == "Release" and not over:
        # A pod that is replaced, and then a share of the pods that runs the new version.
        found["statefulset-baking" if whole and done.get("updatedReplicas") else "statefulset-replacing"] = workload
    if partition == 1 and phase == "Verify" and whole and not over:
        found["statefulset-verifying"] = workload
    if held and whole and ready.get("reason") == "RolledBack":
        found["statefulset-rolled-back"] = workload
    return found


def tidy(obj: Object) -> Object:
    obj["metadata"].pop("managedFields", None)
    obj["metadata"].get("annotations", {}).pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return obj


def look() -> list[Object]:
    done = subprocess.run(["kubectl", "get", KINDS, "-A", "-o", "json"], capture_output=True, text=True)
    if done.returncode:
        return []
    items = json.loads(done.stdout)["items"]
    return items


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", required=True, help="what is recorded, for the README beside the objects; {scenario} stands for the object's namespace without e2e-")
    parser.add_argument("--into", type=Path, default=OBJECTS)
    parser.add_argument("--anew", action="store_true", help="replace what was recorded before")
    asked = parser.parse_args()
    # A shell starts what it puts into the background deaf to SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asked.into.mkdir(parents=True, exist_ok=True)
    saved: set[str] = set()
    # Namespaces that have, or had, a GatedRelease: where it is gone, everything is about to go.
    released: set[str] = set()

    def save(name: str, obj: Object | None) -> None:
        path = asked.into / f"{name}.json"
        if obj is None or name in saved or (path.exists() and not asked.anew):
            return
        saved.add(name)
        path.write_text(json.dumps(tidy(obj), indent=1, sort_keys=True) + "\n")
        note(asked.into / "README.md", name, asked.source.format(scenario=obj["metadata"]["namespace"].removeprefix("e2e-")))
        print(f"{name}: {obj['kind']} {obj['metadata']['namespace']}/{obj['metadata']['name']}", flush=True)

    try:
        while True:
            items = look()
            at = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o for o in items}
            for (kind, namespace, _), release in list(at.items()):
                if kind != "GatedRelease":
                    continue
                workload = release["spec"]["workloadRef"]["name"]
                released.add(namespace)
                record = at.get(("ReleaseRecord", namespace, release.get("status", {}).get("record", "")))
                if release["spec"]["workloadRef"].get("kind") == "StatefulSet":
                    if stateful_set := at.get(("StatefulSet", namespace, workload)):
                        for name, obj in stateful_moments(release, stateful_set, record).items():
                            save(name, obj)
                    continue
                if not (deployment := at.get(("Deployment", namespace, workload))):
                    continue
                budget = at.get(("RiskBudget", namespace, release["spec"]["riskBudgetRef"]["name"]))
                for name, obj in moments(release, deployment, record, budget).items():
                    save(name, obj)
            for (kind, namespace, _), obj in at.items():
                gated = "tidegate.io/gated" in obj["metadata"].get("labels", {})
                if kind == "Deployment" and gated and obj["spec"].get("paused") and namespace not in released:
                    save("deployment-without-release", obj)
            time.sleep(0.3)
    except KeyboardInterrupt:
        pass


def note(readme: Path, name: str, source: str) -> None:
    """One line a file, in order."""
    text = readme.read_text() if readme.exists() else HEAD
    lines = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, re.M))
    lines[name] = source
    readme.write_text(HEAD + "".join(f"| `{k}` | {v} |\n" for k, v in sorted(lines.items())))


HEAD = """# Recorded objects

What GatedReleases, their workloads, RiskBudgets and ReleaseRecords look like at telling moments. Written by
`e2e/gitops/record.py`; do not edit. `../expected.yaml` says what a GitOps tool must make of each.

| object | recorded from |
|---|---|
"""

if __name__ == "__main__":
    main()
