#!/usr/bin/env python3
"""Plays the scripts of this folder against a real cluster, and writes what each step led to as JSON beside each.

    e2e/compare/record.py [SCRIPT.yaml ...]        all scripts where none is named

It needs kubectl with the rights of an administrator, PyYAML, and an image whose container stays alive (`--image`). Each
script runs in a namespace of its own, which is deleted again. `src/sandbox/controllers/tests/recorded.rs` plays the same
scripts on the simulated controllers and compares.

A script has `replicas` and, where they matter, `paused`, `recreate`, `max-surge`, `max-unavailable` and `history`; then
`steps`, each one of `template: NAME`, `scale: N`, `pause: BOOL`, `scale-set: {template: NAME, replicas: N}`. The first
template is `v1`; pods of a template whose name begins with `never` never get ready.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
QUIET = 8.0  # seconds in which nothing may change before a step counts as settled
PATIENCE = 180.0


def kubectl(*args: str, stdin: str | None = None) -> str:
    done = subprocess.run(["kubectl", *args], input=stdin, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


def template(name: str, image: str) -> dict:
    container = {"name": "main", "image": image, "env": [{"name": "VERSION", "value": name}]}
    if name.startswith("never"):
        container["readinessProbe"] = {"tcpSocket": {"port": 1}, "periodSeconds": 1}
    return {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }


def deployment(script: dict, image: str) -> dict:
    rolling = {"maxSurge": script.get("max-surge", "25%"), "maxUnavailable": script.get("max-unavailable", "25%")}
    strategy = {"type": "Recreate"} if script.get("recreate") else {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": script["replicas"],
            "paused": script.get("paused", False),
            "revisionHistoryLimit": script.get("history", 10),
            "selector": {"matchLabels": {"app": "shop"}},
            "strategy": strategy,
            "template": template("v1", image),
        },
    }


class Play:
    """One script in a namespace of its own."""

    def __init__(self, name: str, script: dict, image: str) -> None:
        self.namespace, self.script, self.image = f"compare-{name}", script, image

    def run(self) -> list[dict]:
        kubectl("create", "namespace", self.namespace)
        try:
            body = json.dumps(deployment(self.script, self.image))
            kubectl("-n", self.namespace, "create", "-f", "-", stdin=body)
            shapes = [self.settled()]
            for step in self.script["steps"]:
                self.act(step)
                shapes.append(self.settled())
            return shapes
        finally:
            kubectl("delete", "namespace", self.namespace, "--wait=false")

    def act(self, step: dict) -> None:
        ((deed, value),) = step.items()
        if deed == "template":
            # Replaced as a whole: a probe of the template before must not stay.
            patch = [{"op": "replace", "path": "/spec/template", "value": template(value, self.image)}]
            self.patch("deployment", "shop", patch)
        elif deed == "scale":
            self.patch("deployment", "shop", [{"op": "add", "path": "/spec/replicas", "value": value}])
        elif deed == "pause":
            self.patch("deployment", "shop", [{"op": "add", "path": "/spec/paused", "value": value}])
        elif deed == "scale-set":
            name = next(one["metadata"]["name"] for one in self.sets() if version(one) == value["template"])
            self.patch("replicaset", name, [{"op": "add", "path": "/spec/replicas", "value": value["replicas"]}])
        else:
            raise ValueError(f"unknown step {deed}")

    def patch(self, kind: str, name: str, patch: list[dict]) -> None:
        kubectl("-n", self.namespace, "patch", kind, name, "--type=json", "-p", json.dumps(patch))

    def sets(self) -> list[dict]:
        return json.loads(kubectl("-n", self.namespace, "get", "replicasets", "-o", "json"))["items"]

    def shape(self) -> dict:
        shop = json.loads(kubectl("-n", self.namespace, "get", "deployment", "shop", "-o", "json"))
        status = shop.get("status", {})
        sets = {
            version(one): {
                "replicas": one["spec"]["replicas"],
                "available": one.get("status", {}).get("availableReplicas", 0),
                "revision": one["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
            }
            for one in self.sets()
        }
        return {
            "paused": shop["spec"].get("paused", False),
            "observed": status.get("observedGeneration") == shop["metadata"]["generation"],
            "sets": dict(sorted(sets.items())),
            "status": {key: status.get(key, 0) for key in COUNTS},
            "conditions": {
                one["type"]: f"{one['status']} {one['reason']}"
                for one in sorted(status.get("conditions", []), key=lambda one: one["type"])
            },
        }

    def settled(self) -> dict:
        """The shape when it has not changed for a while."""
        until = time.monotonic() + PATIENCE
        shape, since = self.shape(), time.monotonic()
        while time.monotonic() - since < QUIET or not shape["observed"]:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.namespace}: does not settle: {shape}")
            time.sleep(0.5)
            if (seen := self.shape()) != shape:
                shape, since = seen, time.monotonic()
        return shape


COUNTS = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]


def version(replica_set: dict) -> str:
    return replica_set["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("scripts", nargs="*", type=Path, default=sorted(HERE.glob("*.yaml")))
    arguments.add_argument("--image", default="testbed.local/app:1", help="default: %(default)s")
    given = arguments.parse_args()
    server = json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    for path in given.scripts:
        shapes = Play(path.stem, yaml.safe_load(path.read_text()), given.image).run()
        recording = {"server": server, "shapes": shapes}
        path.with_suffix(".json").write_text(json.dumps(recording, indent=2) + "\n")
        print(f"{path.stem}: {len(shapes)} shapes")


if __name__ == "__main__":
    main()
