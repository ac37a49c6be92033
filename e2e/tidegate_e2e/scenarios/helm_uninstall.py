from .. import api, bed, controller, prometheus, waits
from ..scenario import Context, scenario
from ..waits import check, until

CHART, VALUES = bed.CHECKOUT / "charts/tidegate", bed.HERE / "tidegate-values.yaml"


def install() -> None:
    """As `e2e/run` does it."""
    mechanism = f"admission.mechanism={bed.ADMISSION.title()}"
    bed.helm("upgrade", "--install", "tidegate", str(CHART), "--create-namespace", "-f", str(VALUES), "--set", mechanism)
    until("a controller is ready", waits.TIDEGATE_READY, lambda: len(controller.ready()) == 1)
    controller.wait_for_leader()
    # A new Prometheus mounts the chart's rules at once; the kubelet would take a minute to.
    bed.kubectl("rollout", "restart", "-n", "monitoring", "deploy/prometheus")
    bed.kubectl("rollout", "status", "-n", "monitoring", "deploy/prometheus", "--timeout=60s")
    until("the chart's rules are read", 60, prometheus.rule_groups)


@scenario(core=False, alone=True)
def helm_uninstall(t: Context) -> None:
    """`helm uninstall` in mid-release leaves a working application and nothing that keeps it from being changed or deleted."""
    shop = t.shop()
    attempt = shop.in_mid_release()
    t.afterwards(install)
    said = bed.helm("uninstall", "tidegate", "--timeout", "5m")
    check(not shop.canary_weight(), f"the canary has weight {shop.canary_weight()} with nobody to take it away")
    shop.leaves_nothing()
    status = shop.record_named(attempt)["status"]
    check(status.get("outcome") == "Abandoned", f"the attempt was left as {status}")
    check(not shop.live_release()["metadata"].get("finalizers"), "the finalizer stayed")
    kinds = "all,leases,mutatingadmissionpolicies,validatingadmissionpolicies,clusterroles"
    left = lambda: bed.kubectl("get", kinds, "-A", "-l", "app.kubernetes.io/name=tidegate", "-o", "name").split()
    until("Helm has left nothing", waits.GONE, lambda: not left(), instead=left)  # it does not wait for the pods
    check(shop.running() == {"v1": 3}, f"the workload was left with {shop.running()}")

    # The application is its team's again: what was held is resumed by hand, the next template just rolls.
    if shop.paused():
        bed.kubectl("rollout", "resume", f"deployment/{shop.name}", "-n", shop.namespace)
    until("v2 runs", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.running)
    shop.version = "v3"
    api.apply(shop.workload(), "gitops")
    until("v3 runs", waits.PODS_READY, lambda: shop.running() == {"v3": 3} and shop.all_ready(), instead=shop.running)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    api.delete("GatedRelease", shop.namespace, shop.name)
    until("the GatedRelease goes", 20, lambda: not api.find("GatedRelease", shop.namespace, shop.name))
    t.note(f"{said.strip().splitlines()[-1]}; attempt: {status['summary']}")
    t.note(f"seen by users: {answers.describe()}")
