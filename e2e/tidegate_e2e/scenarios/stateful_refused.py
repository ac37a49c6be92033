from .. import api, waits
from ..scenario import Context, scenario
from ..waits import Failed, check, until
from .bad_input import changed


def refusal(obj: api.Object) -> str:
    try:
        api.create(obj)
    except api.Refused as refused:
        return str(refused)
    raise Failed(f"{obj['spec']['workloadRef']} with {obj['spec']['traffic']} was accepted")


@scenario(core=False)
def stateful_refused(t: Context) -> None:
    """A DaemonSet and a StatefulSet behind a route are refused at admission, OnDelete and a single pod by the condition: each with its reason."""
    shop = t.shop(kind="StatefulSet", routed=False, replicas=2, rate=20)
    shop.start(gated=False)
    api.apply(shop.risk_budget(), "gitops")
    daemon = refusal(changed(shop.gated_release(), {"workloadRef.kind": "DaemonSet"}, "daemon"))
    check("DaemonSet cannot be gated" in daemon and "Gate the Deployment" in daemon, f"DaemonSet: {daemon}")
    routed = refusal(changed(shop.gated_release(), {"traffic.httpRoutes": [{"name": shop.name}]}, "routed"))
    check("spec.traffic.httpRoutes" in routed and "leave httpRoutes out" in routed, f"StatefulSet with a route: {routed}")
    t.note(f"DaemonSet: {daemon}")

    def told(reason: str, *words: str) -> None:
        ready = until(
            f"Ready says {reason}", waits.RELEASE_TAKEN_UP,
            lambda: (c := shop.condition("Ready")).get("status") == "False" and c["reason"] == reason and c, instead=shop.state,
        )
        check(all(word in ready["message"] for word in words), f"{reason}: {ready['message']}")
        t.note(f"{reason}: {ready['message']}")

    def strategy(kind: str) -> None:
        api.patch("StatefulSet", shop.namespace, shop.name, {"spec": {"updateStrategy": {"type": kind, "rollingUpdate": None}}})

    strategy("OnDelete")
    api.apply(shop.gated_release(), "gitops")
    told("OnDelete", "updateStrategy OnDelete", "spec.updateStrategy.type to RollingUpdate")
    strategy("RollingUpdate")
    shop.scale(1)
    told("SinglePod", "1 replica", "spec.replicas to 2")
    shop.scale(2)
    until("the gate is in force", waits.BUDGET_MEASURED, lambda: shop.condition("Ready").get("status") == "True", instead=shop.state)
