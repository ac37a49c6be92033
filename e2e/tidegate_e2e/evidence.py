"""What is kept of a scenario that failed: the state of its namespace and of what it rests on."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from .bed import PROMETHEUS, TIDEGATE_NAMESPACE, kubectl


def keep(folder: Path, namespaces: list[str]) -> None:
    def write(name: str, *args: str) -> None:
        (folder / name).write_text(kubectl(*args, check=False))

    for namespace in namespaces:
        kinds = "deployments,replicasets,pods,services,endpointslices,poddisruptionbudgets,httproutes,gatedreleases,riskbudgets,releaserecords,attestations"
        write(f"{namespace}.txt", "get", kinds, "-n", namespace, "-o", "wide")
        write(f"{namespace}.yaml", "get", kinds, "-n", namespace, "-o", "yaml")
        write(f"{namespace}.describe.txt", "describe", "gatedreleases,riskbudgets,deployments,pods", "-n", namespace)
        write(f"{namespace}.events.txt", "get", "events", "-n", namespace, "--sort-by=.lastTimestamp")
    write("tidegate.log", "logs", "-n", TIDEGATE_NAMESPACE, "-l", "app.kubernetes.io/name=tidegate", "--tail=-1", "--prefix", "--timestamps")
    write("tidegate.previous.log", "logs", "-n", TIDEGATE_NAMESPACE, "-l", "app.kubernetes.io/name=tidegate", "--tail=-1", "--prefix", "--previous")
    write("tidegate.txt", "get", "all,leases", "-n", TIDEGATE_NAMESPACE, "-o", "wide")
    try:
        with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/targets?state=active", timeout=10) as answer:
            (folder / "prometheus-targets.json").write_bytes(answer.read())
    except OSError as error:
        (folder / "prometheus-targets.json").write_text(f"{error}\n")
