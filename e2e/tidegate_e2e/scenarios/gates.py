import json

from .. import api, waits
from ..claims import RBAC, attest, bind, may_approve, may_attest, refused
from ..people import account, person, tidegate
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

PLAN = {
    "change": "who may pay", "customer-impact": "none", "categories": "authentication", "rollout": "canary",
    "abort-criteria": "error rate above 1 %", "rollback-steps": "revert in Git", "owners": "ann", "communication": "support, before the start",
}
CHECKLIST = {"smoke-tests": "passed", "dashboards": "looked at", "alerts": "none", "workflows": "paid once", "ticket": "PAY-7"}
# What G3 asks of a change of authentication for which the feature flag was attested and Tidegate sees the rest itself.
EXACTLY = {
    "lint", "build", "unit-tests", "static-analysis", "sast", "sca", "peer-review", "staging-deploy", "smoke-tests", "penetration-test", "integration-tests",
    "e2e-tests", "code-owner-review", "release-plan", "observability", "manual-qa", "release-captain", "rollback-rehearsal", "on-call-presence",
    "on-call-validation", "post-release-checklist",
}


@scenario()
def gates(t: Context) -> None:
    """A Tier 3 change of authentication and configuration is G4, with verified mitigations G3, and waits for exactly what it must show; evidence and approvals of proven users let it go, not a word of a machine."""
    shop = t.shop(rate=60, stages=((25, "6s"), (100, "4s")), strategy={"verify": "6s"}, policy={"tier": 3, "requirements": {"mode": "Enforce"}})
    shop.start()
    shop.users()
    pipeline = grant(shop)
    shop.container = {"image": "testbed.local/app:2"}
    shop.deploy("v2", {"change-categories": "authentication"})
    shop.taken_up()
    until("it is held for what it must show", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing"), instead=shop.state)
    risk = shop.live_release()["status"]["risk"]
    check(risk["gate"] == "G4" and risk["why"].startswith("32 RP"), f"the gate is {risk['gate']}: {risk['why']}; {risk['score']}")
    t.note(f"gate: {risk['why']}; {risk['score']}")
    # Whoever deploys says that it is authentication and nothing else; in tier 3 a pipeline's word is taken for that.
    check(any("change-categories as what is in the new image" in term for term in risk["terms"]), f"it is not told: {risk}")
    attest(shop, pipeline, "classification", facts={"categories": "authentication"})
    gate(shop, "24 RP")
    # A flag alone switches nothing off; what is verified takes points off.
    attest(shop, pipeline, "feature-flag")
    attest(shop, pipeline, "integration-coverage")
    attest(shop, pipeline, "isolation")
    gate(shop, "20 RP")
    attest(shop, pipeline, "feature-flag", facts={"kill-switch": "tried today"})
    risk = gate(shop, "17 RP")
    check(risk["gate"] == "G3", f"the gate is {risk['gate']}: {risk['why']}; {risk['score']}")
    t.note(f"gate: {risk['why']}; {risk['score']}")
    asked = names(shop)
    check(set(asked) == EXACTLY, f"asked: {asked}; too much {set(asked) - EXACTLY}, too little {EXACTLY - set(asked)}")

    # A service account with every right approves nothing, and nobody speaks for somebody else.
    said = refused(shop, pipeline, "approval", role="release-captain")
    check("machine" in said or "service account" in said, f"a service account was refused by: {said}")
    said = refused(shop, "ann", "approval", role="release-captain", author="bob")
    check("spec.author" in said, f"another's name was refused by: {said}")
    said = refused(shop, "bob", "approval", role="release-captain")
    check("approve" in said, f"who does not hold the verb was refused by: {said}")
    # The same by credentials of their own: a token and a certificate, with the tool that people have.
    code, said = tidegate(account(shop, "robot", "cluster-admin"), "approve", shop.name, "--role", "release-captain")
    check(code != 0 and ("machine" in said or "service account" in said), f"a token with every right was refused by: {code} {said}")
    code, said = tidegate(person(shop, "bob"), "approve", shop.name, "--role", "release-captain")
    check(code != 0 and "approve" in said, f"bob's certificate was refused by: {code} {said}")
    check(names(shop) == asked, "a refused claim changed what is asked")

    at_start = [name for name in asked if name not in ("release-plan", "release-captain", "on-call-presence", "on-call-validation", "post-release-checklist")]
    for name in at_start[1:]:
        if name != "peer-review":
            attest(shop, pipeline, name, facts={"change-author": "bob"})
    # Nobody reviews their own; what the code host let pass the pipeline says.
    attest(shop, "bob", "peer-review")
    own = until("bob's review of his own change counts for nothing", waits.RELEASE_TAKEN_UP, lambda: missing(shop, "peer-review", "does not count: bob made the change"), instead=lambda: names(shop))
    t.note(own)
    attest(shop, pipeline, "peer-review")
    attest(shop, "ann", "release-plan", facts=PLAN)
    attest(shop, "ann", "on-call-presence")
    # What is to be checked after the release says nothing before it.
    attest(shop, "ann", "post-release-checklist", facts=CHECKLIST)
    code, said = tidegate(person(shop, "ann"), "approve", shop.name, "--role", "release-captain", "--note", "I am live until six")
    check(code == 0, f"ann's approval: {code} {said}")
    t.note(said.strip())
    until(f"all but {at_start[0]} is met", waits.RELEASE_TAKEN_UP, lambda: names(shop)[:1] == at_start[:1] and "release-captain" not in names(shop), instead=lambda: names(shop))
    check(shop.held("RequirementsMissing") and shop.canary_weight() == 0 and shop.running() == {"v1": 3}, f"it went: {shop.state()}")
    t.note(f"the last that is missing: {shop.held('RequirementsMissing')['message']}")
    attest(shop, pipeline, at_start[0])
    shop.at_weight(25)
    charge = shop.taken_up()["status"]["charge"]
    waiting = until("it is verified and waits for its checklist", waits.RELEASE_ENDS, lambda: shop.held("VerificationIncomplete"), instead=shop.state)
    check("that of ann (" in waiting["message"] and "is from before its verification" in waiting["message"], waiting["message"])
    attest(shop, "ann", "post-release-checklist", facts=CHECKLIST)
    record = shop.ends("Succeeded")
    assessment = record["status"]["assessment"]
    check(assessment["gate"] == "G3" and not assessment.get("notShown"), f"the record says {assessment}")
    check({one["by"] for one in assessment["shown"]} >= {pipeline, "ann"}, f"shown by {assessment['shown']}")
    check(charge["sequence"] == 1 and charge["points"] == assessment["points"], f"charged {charge}, assessed {assessment['points']}")
    budget = until("the ledger counts it", waits.BUDGET_MEASURED, lambda: counted(shop, charge["points"]), instead=lambda: api.get("RiskBudget", shop.namespace, shop.name)["status"].get("risk"))
    size = len(json.dumps({"spec": record["spec"], "status": record["status"]}, separators=(",", ":"), ensure_ascii=False).encode())
    check(size <= 9_216, f"the record is large: {size} bytes of spec and status")
    check(charge["remainingAfter"] == charge["remaining"] - charge["points"] == budget["remaining"], f"charged {charge}, left {budget}")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"charged {charge['points']} RP of {budget['allocated']}; the record has {size} bytes")


def gate(shop: Shop, points: str) -> dict:
    def reached() -> dict | None:
        risk = shop.live_release()["status"].get("risk", {})
        return risk if risk.get("why", "").startswith(points) else None

    return until(f"the score is {points}", waits.RELEASE_TAKEN_UP, reached, instead=lambda: shop.live_release()["status"].get("risk"))


def counted(shop: Shop, points: int) -> dict | None:
    risk = api.get("RiskBudget", shop.namespace, shop.name)["status"].get("risk", {})
    return risk if risk.get("consumed") == points else None


def names(shop: Shop) -> list[str]:
    return [line.split(":")[0] for line in shop.live_release()["status"].get("risk", {}).get("missing", [])]


def missing(shop: Shop, name: str, why: str) -> str:
    lines = shop.live_release()["status"].get("risk", {}).get("missing", [])
    return next((line for line in lines if line.startswith(f"{name}:") and why in line), "")


def grant(shop: Shop) -> str:
    """CI attests, and may everything else too; Ann is a release captain and on call; Bob may only make objects."""
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": shop.meta("builder")})
    builder = {"kind": "ServiceAccount", "name": "builder", "namespace": shop.namespace}
    everything = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": shop.meta("everything"), "roleRef": everything, "subjects": [builder]})
    may_attest(shop, ["ann", "bob"], ["release-plan", "on-call-presence", "post-release-checklist", "peer-review"])
    may_approve(shop, release_captain="ann")
    bind(shop, "everybody", "ClusterRole", "tidegate-view", "ann", "bob")
    return f"system:serviceaccount:{shop.namespace}:builder"
