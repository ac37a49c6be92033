from .. import api, waits
from ..claims import attest, may_approve
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

# What G3 asks for besides the sign-off, which is shown by other scenarios.
WAIVED = [
    "lint", "build", "unit-tests", "static-analysis", "sast", "sca", "peer-review", "staging-deploy", "smoke-tests", "integration-tests", "e2e-tests",
    "code-owner-review", "feature-flag", "release-plan", "observability", "manual-qa", "release-captain", "rollback-rehearsal", "on-call-presence",
    "on-call-validation", "post-release-checklist",
]
SIGN_OFF = "budget-sign-off"


@scenario(core=False)
def exhausted(t: Context) -> None:
    """With nothing left of the risk points, fixes of incidents and of security go once product and development manager have signed, and what goes back goes at once; nothing else does, whatever it calls itself."""
    requirements = {"mode": "Enforce", "waived": [{"name": name, "reason": "shown elsewhere"} for name in WAIVED]}
    shop = t.shop(rate=60, stages=((25, "5s"), (100, "4s")), strategy={"verify": "4s"}, policy={"tier": 1, "requirements": requirements, "riskPoints": 9})
    shop.start()
    shop.users()
    may_approve(shop, product_manager="paul", development_manager="dora")

    # Each costs 9 RP (base 3 of its tier, 6 for a new image that nobody explains): the first takes all there is.
    shop.deploy("v2")
    shop.ends("Succeeded")
    spent(shop, 9, 0)
    for number, kind in enumerate(("Feature", "BugFix", "Reliability", "Config", "Docs", "Refactor"), start=1):
        shop.deploy(f"blocked-{number}", {"change-type": kind})
        held = blocked(shop, f"blocked-{number}")
        check("000 §5.4" in held and "Exhausted" in held, f"{kind} is told: {held}")
        check(shop.paused() and shop.running() == {"v2": 3} and not shop.canary_weight(), f"{kind} went: {shop.state()}")
    t.note(f"Refactor: {held}")
    # Who says that it is a rollback is not believed: nothing came back.
    shop.deploy("blocked-7", {"change-type": "Rollback"})
    blocked(shop, "blocked-7")

    for version, change, consumed in (("v3", {"change-type": "SecurityFix", "change-severity": "P1"}, 18), ("v4", {"change-type": "IncidentFix", "change-severity": "P0"}, 27)):
        shop.deploy(version, change)
        until(f"{version} waits for its sign-off alone", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing") and missing(shop) == [SIGN_OFF], instead=lambda: (shop.state(), missing(shop)))
        risk = shop.live_release()["status"]["risk"]
        check(risk["gate"] == "G3" and "Exhausted: +1" in risk["why"], f"Exhausted did not escalate: {risk['why']}")
        t.note(f"{version}: {risk['why']}; {risk['missing'][0]}")
        attest(shop, "paul", "approval", role="product-manager")
        until("one of two has signed", waits.RELEASE_TAKEN_UP, lambda: "an approval as development-manager" in said(shop) and "product-manager" not in said(shop), instead=lambda: said(shop))
        check(not shop.canary_weight() and shop.running() == {"v2" if version == "v3" else "v3": 3}, f"{version} went with one signature: {shop.state()}")
        attest(shop, "dora", "approval", role="development-manager")
        record = shop.ends("Succeeded")
        charge = record["status"]["charge"]
        check((charge["points"], charge.get("exception", False)) == (9, False), f"{version} was charged {charge}")
        spent(shop, consumed, 9 - consumed)

    # Back to the version before: nobody signs, it costs 1 RP.
    shop.deploy("v3", {"change-type": "Feature"})
    record = shop.ends("Succeeded")
    check((record["spec"]["change"]["type"], record["status"]["charge"]["points"]) == ("Rollback", 1), f"the way back: {record['spec']['change']}, {record['status']['charge']}")
    risk = spent(shop, 28, -19)
    check((risk["releases"], risk["exceptions"]) == (4, 0), f"counted: {risk}")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"{risk['consumed']} of {risk['allocated']} RP, {risk['remaining']} are left; seen by users: {answers.describe()}")


def spent(shop: Shop, consumed: int, remaining: int) -> dict:
    """The budget is exhausted at these figures."""
    status = lambda: api.get("RiskBudget", shop.namespace, shop.name)["status"].get("risk", {})
    figures = lambda: (risk := status()) and (risk["consumed"], risk["remaining"], risk["band"]) == (consumed, remaining, "Exhausted") and risk
    return until(f"{consumed} RP are spent, {remaining} are left", waits.BUDGET_MEASURED, figures, instead=status)


def blocked(shop: Shop, version: str) -> str:
    held = lambda: (h := shop.held("GateBlocked")) and version in h["message"] and h["message"]
    return until(f"{version} is blocked", waits.RELEASE_TAKEN_UP, held, instead=shop.state)


def missing(shop: Shop) -> list[str]:
    return [line.split(":")[0] for line in shop.live_release()["status"].get("risk", {}).get("missing", [])]


def said(shop: Shop) -> str:
    """What stands in status of the sign-off."""
    return next((line for line in shop.live_release()["status"].get("risk", {}).get("missing", []) if line.startswith(SIGN_OFF)), "")
