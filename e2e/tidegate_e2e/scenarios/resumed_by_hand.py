import json
import time

from .. import api, bed, ledger, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..users import SETTLES, all_answered, counted, has_share, met
from ..waits import check, now_ms, until

ANNE = "anne"


def grant(shop: Shop) -> str:
    """Anne and a pipeline's service account may edit; the name of the latter."""
    rbac = "rbac.authorization.k8s.io"
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": shop.meta("pipeline")})
    subjects = [{"kind": "ServiceAccount", "name": "pipeline", "namespace": shop.namespace}, {"apiGroup": rbac, "kind": "User", "name": ANNE}]
    role_ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": "edit"}
    api.apply({"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": shop.meta("edit"), "roleRef": role_ref, "subjects": subjects})
    return f"system:serviceaccount:{shop.namespace}:pipeline"


@scenario(core=False)
def resumed_by_hand(t: Context) -> None:
    """In mode Audit a machine that sends `paused: false` stays held; a person who resumes lets it run, and is stamped, on record and told of by name."""
    shop = t.shop(stages=((25, "60s"), (100, "4s")))
    attempt = shop.in_mid_release()
    at_quarter = now_ms() + SETTLES
    pipeline = grant(shop)
    target = (f"deployment/{shop.name}", "-n", shop.namespace)

    # A patch, and an apply of the whole manifest, as GitOps tools send it.
    manifest = shop.workload()
    manifest["spec"]["paused"] = False
    bed.kubectl("patch", *target, "--type=merge", "-p", json.dumps({"spec": {"paused": False}}), "--as", pipeline)
    bed.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=pipeline", "-f", "-", "--as", pipeline, stdin=json.dumps(manifest))
    time.sleep(4)  # nothing may come of it
    check(shop.paused() and shop.running() == {"v1": 3}, f"a machine resumed it: {shop.running()}")
    check("outcome" not in shop.record_named(attempt)["status"] and shop.canary_weight() == 25, f"a machine moved the release: {shop.state()}")
    check("tidegate.io/resumed-by" not in shop.live()["metadata"]["annotations"], "a machine was stamped as who resumed it")
    has_share(counted(shop, at_quarter), "v2", 25)

    resumed = now_ms()
    said = bed.kubectl("rollout", "resume", *target, "--as", ANNE)
    stamp = shop.live()["metadata"]["annotations"].get("tidegate.io/resumed-by")
    check(stamp == ANNE and not shop.paused(), f"resumed by {stamp}, held: {shop.paused()}; kubectl said {said}")
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    status = shop.record_named(attempt)["status"]
    check(status["outcome"] == "Bypassed" and ANNE in status["summary"], f"the record says {status}")
    told = until("an event tells of it by name", waits.GONE, lambda: [e for e in shop.events() if ANNE in e["message"]], instead=shop.events)
    shop.leaves_nothing()
    until("the workload runs v2", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)
    home = now_ms() + SETTLES
    counted(shop, home)
    # It is what runs from now on: the next version is judged against it.
    shop.stages = ((50, "4s"), (100, "3s"))
    api.apply(shop.gated_release(), "gitops")
    paid = ledger.price(shop.record_named(attempt))
    pushed = now_ms()
    answers = shop.ships("v3")
    all_answered(answers)
    met(answers.between(0, home), "v1", "v2")
    met(answers.between(home, pushed), "v2")
    met(answers.between(pushed, now_ms()), "v2", "v3")
    check(ledger.price(shop.record_named(attempt)) == paid, "what it costs to resume was changed later")
    risk = ledger.agrees(shop)
    check(risk["releases"] == 2, f"charged were {risk['releases']} releases, and users met two")
    t.note(f"the resumed one was charged {paid} of {risk['consumed']} RP")
    t.note(f"record: {status['summary']}")
    t.note(f"event {told[0]['reason']}: {told[0]['message']}")
    t.note(f"from the resume until v2 alone ran: {answers.between(resumed, home).describe()}")
    t.note(f"seen by users: {answers.describe()}")
