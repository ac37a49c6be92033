import json

from .. import api, bed, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

ANNE, SAM = "anne", "sam"  # both may edit; Sam holds the verb bypass besides


def grant(shop: Shop) -> None:
    """Anne and Sam get the role edit, Sam the verb as well."""
    rbac = "rbac.authorization.k8s.io"
    verb = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": "e2e-bypass"}, "rules": [{"apiGroups": ["tidegate.io"], "resources": ["gatedreleases"], "verbs": ["bypass"]}]}
    api.apply(verb)
    for name, role, people in (("edit", "edit", (ANNE, SAM)), ("bypass", "e2e-bypass", (SAM,))):
        subjects = [{"apiGroup": rbac, "kind": "User", "name": person} for person in people]
        role_ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": role}
        api.apply({"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": shop.meta(name), "roleRef": role_ref, "subjects": subjects})


def resume(shop: Shop, who: str) -> str:
    return bed.kubectl("rollout", "resume", f"deployment/{shop.name}", "-n", shop.namespace, "--as", who, check=False)


@scenario(core=False, alone=True)
def enforce(t: Context) -> None:
    """With override.mode Enforce nobody resumes a held Deployment, or breaks the glass on an idle one, without the verb bypass; who holds it does, and it is on record by name."""
    t.afterwards(lambda: api.delete("ClusterRole", None, "e2e-bypass"))
    t.afterwards(lambda: bed.configure({"override.mode": "Audit"}))
    bed.configure({"override.mode": "Enforce"})
    shop = t.shop()
    shop.start()
    grant(shop)
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    attempt = shop.taken_up()["metadata"]["name"]

    def refused() -> str:
        answer = resume(shop, ANNE)
        return answer if "verb bypass" in answer else ""

    # A policy is in force a moment after it was made; nothing of the release may have moved meanwhile.
    said = until("Anne is refused", waits.RELEASE_TAKEN_UP, refused, every=1)
    check(shop.paused() and shop.canary_weight() >= 25, "a refused resume moved the release")
    check(ANNE in said, f"the refusal does not say who: {said}")
    t.note(f"Anne: {said.strip()}")
    label = json.dumps({"metadata": {"labels": {"tidegate.io/gated": None}}})
    answer = bed.kubectl("patch", "deployment", shop.name, "-n", shop.namespace, "--type=merge", "-p", label, "--as", ANNE, check=False)
    check("verb bypass" in answer, f"Anne took the label off a held Deployment: {answer}")

    t.note(f"Sam: {resume(shop, SAM).strip()}")
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    status = shop.record_named(attempt)["status"]
    check(status["outcome"] == "Bypassed" and SAM in json.dumps(status), f"the record says {status}")
    shop.leaves_nothing()
    until("the workload runs v2", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)

    # Nothing is held now, and nothing would be: break-glass before a template, or with one, is asked for the same verb.
    glass = json.dumps({"metadata": {"annotations": {"tidegate.io/break-glass": "INC-7"}}})
    answer = bed.kubectl("patch", "deployment", shop.name, "-n", shop.namespace, "--type=merge", "-p", glass, "--as", ANNE, check=False)
    check("verb bypass" in answer and "break-glass" in answer, f"Anne broke the glass of an idle Deployment: {answer}")
    t.note(f"Anne: {answer.strip()}")
    # Who leaves the gate leaves with what runs: a template in the same write is asked for the verb.
    both = {"metadata": {"labels": {"tidegate.io/gated": None}}, "spec": {"template": {"metadata": {"annotations": {"e2e/template": "another"}}}}}
    answer = bed.kubectl("patch", "deployment", shop.name, "-n", shop.namespace, "--type=merge", "-p", json.dumps(both), "--as", ANNE, check=False)
    check("out of the gate together with a new template" in answer and "verb bypass" in answer, f"Anne took label and template away together: {answer}")
    t.note(f"Anne: {answer.strip()}")
    check("tidegate.io/gated" in api.get("Deployment", shop.namespace, shop.name)["metadata"]["labels"], "a refused write changed the Deployment")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"{status['summary']}; seen by users: {answers.describe()}")
