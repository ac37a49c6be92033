"""What the controller costs: memory, processor, writes and times, with 1 and with 1,000 idle GatedReleases."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import api, audit, controller, prometheus
from .shop import Shop
from .waits import now_ms, until

MANY = 1_000
QUIET = 60  # seconds
NAMESPACE = "e2e-figures"


def tell(what: str, figure: str) -> None:
    print(f"{what:58} {figure}", flush=True)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def quiet_minute(what: str) -> None:
    pid = controller.process(controller.wait_for_leader())
    began, used = now_ms(), processor_seconds(pid)
    time.sleep(QUIET)
    share = 100 * (processor_seconds(pid) - used) / QUIET
    tell(f"{what}: memory", f"{resident_mib(pid):.1f} MiB")
    tell(f"{what}: processor", f"{share:.2f} % of one core")
    written = audit.writes(began, began + QUIET * 1000)
    kinds = sorted({f"{w.verb} {w.resource}" for w in audit.but_leases(written)})
    tell(f"{what}: writes in a quiet minute", f"{len(audit.but_leases(written))} {' '.join(kinds)} and {len(written) - len(audit.but_leases(written))} to the Lease")


def idle(number: int) -> Shop:
    return Shop(namespace=NAMESPACE, results=Path("/nowhere"), name=f"idle-{number}", replicas=0)


def create(shop: Shop, budget: str) -> None:
    """A workload without pods behind a route without a Gateway: all that Tidegate watches, and nothing that runs."""
    route, release = shop.route(), shop.gated_release()
    del route["spec"]["parentRefs"]
    release["spec"]["riskBudgetRef"]["name"] = budget
    for obj in (shop.workload(), shop.service(), route, release):
        api.apply(obj)


def settled() -> bool:
    found = api.every("GatedRelease", NAMESPACE)
    # Taken under the gate, which is the last that is written of an idle one, and judged as it stands now.
    return all(
        (status := one.get("status", {})).get("observedGeneration") == one["metadata"]["generation"] and status.get("phase") == "Complete"
        for one in found
    )


def main() -> int:
    tell("binary", f"{Path(os.environ['TIDEGATE_BINARY']).stat().st_size / 1e6:.1f} MB")
    node = api.call("GET", "/api/v1/nodes")["items"][0]
    sizes = [i["sizeBytes"] for i in node["status"]["images"] if any("tidegate:e2e" in n for n in i.get("names", []))]
    tell("image, uncompressed", f"{sizes[0] / 1e6:.1f} MB" if sizes else "not listed by the kubelet")

    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    shared = idle(0)
    api.apply(shared.risk_budget())
    create(shared, shared.name)
    until("the first is settled", 60, settled)
    quiet_minute("1 idle GatedRelease")

    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: create(idle(n), shared.name), range(1, MANY)))
    created = time.monotonic()
    until("all are settled", 300, settled)
    tell(f"{MANY} created, with the objects they refer to", f"{created - start:.0f} s")
    tell("settled after the last was created", f"{time.monotonic() - created:.1f} s")
    quiet_minute(f"{MANY} idle GatedReleases")

    took = prometheus.value("sum(tidegate_plan_seconds_sum) / sum(tidegate_plan_seconds_count)")
    slow = prometheus.value("sum(tidegate_plan_seconds_count) - sum(tidegate_plan_seconds_bucket{le='0.001'})")
    if took is not None:
        tell("one decision, on average of all so far", f"{took * 1e6:.0f} µs, {slow:.0f} above 1 ms")

    controller.scale(0)
    with ThreadPoolExecutor(8) as pool:
        change = {"spec": {"analysis": {"minRequests": 21}}}
        list(pool.map(lambda n: api.patch("GatedRelease", NAMESPACE, f"idle-{n}", change), range(MANY)))
    start = time.monotonic()
    controller.scale(1)
    ready = time.monotonic()
    until("all are settled after a start", 300, settled)
    tell(f"{MANY} changed while it was down: from Deployment to ready pod", f"{ready - start:.1f} s")
    tell("... until all have a new status", f"{time.monotonic() - start:.1f} s")
    api.delete("Namespace", None, NAMESPACE)
    return 0
