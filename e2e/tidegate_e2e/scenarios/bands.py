from .. import api, waits
from ..claims import attest, may_approve, may_attest, meet
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until
from .exhausted import WAIVED, missing

# The one of G3 that these scenarios supply; what the other gates ask is shown elsewhere.
OF_G3 = "observability"
SHOWN_ELSEWHERE = sorted({*WAIVED, "budget-sign-off", "risk-review", "extended-canary", "customer-communication"} - {OF_G3})

REQUEST = {
    "reason": "legal-deadline", "justification": "the tax rate changes at midnight", "change-complexity": "one figure", "blast-radius": "prices",
    "rollback-time": "under a minute", "mitigation-plan": "canary, ann watches, back at 1 % errors", "ticket": "TAX-12",
}

FOLLOW_UP = {"review": "the rate was announced late, the release went well", "tasks": "TAX-13: rates from a table"}


@scenario(core=False)
def bands(t: Context) -> None:
    """A budget that runs out: Yellow and Red make gates stricter, and what the stricter one asks is waited for; Red lets no ordinary change go, an exhausted one only fixes; an exception that its people agree to ships and costs half as much again."""
    requirements = {"mode": "Enforce", "waived": [{"name": name, "reason": "shown elsewhere"} for name in SHOWN_ELSEWHERE]}
    shop = t.shop(rate=60, stages=((25, "5s"), (100, "4s")), strategy={"verify": "5s"}, policy={"tier": 1, "requirements": requirements, "riskPoints": 20})
    shop.start()
    shop.users()
    may_attest(shop, ["ann"], ["exception", "exception-follow-up", OF_G3])
    may_approve(shop, development_manager="dora", on_call="ann", product_manager="paul", vp_engineering="vera")

    # Each costs 9 RP: base 3 of its tier, 6 for a new image that nobody explains. That is G2, which has all it asks for.
    risk = ships(t, shop, "v2", 9, "Yellow")
    check(risk["gate"] == "G2" and not risk.get("missing"), f"in Green: {risk}")
    risk = ships(t, shop, "v3", 18, "Red", asked="v2")
    check(risk["gate"] == "G3", f"in Yellow: {risk}")
    check("Yellow" in risk["why"] and "+1" in risk["why"], f"Yellow did not escalate: {risk}")

    shop.deploy("v4")
    held = blocked(shop)
    check("Red" in held, held)
    t.note(held)
    risk = shop.live_release()["status"]["risk"]
    check("Red" in risk["why"] and "+1" in risk["why"], f"Red did not escalate: {risk}")
    # The same as a fix of an incident overdraws what is left.
    ships(t, shop, "v5", 27, "Exhausted", {"change-type": "IncidentFix", "change-severity": "P0"}, asked="v3")

    shop.deploy("v6", {"change-type": "Reliability"})
    held = blocked(shop)
    check("Exhausted" in held, held)
    t.note(held)
    check(shop.running() == {"v5": 3} and shop.canary_weight() == 0, f"it went: {shop.state()}")
    attest(shop, "ann", OF_G3)
    attest(shop, "ann", "exception", facts={key: text for key, text in REQUEST.items() if key != "ticket"})
    pending(shop, "ticket")
    attest(shop, "ann", "exception", facts=REQUEST)
    pending(shop, "development-manager")
    attest(shop, "dora", "approval", role="development-manager")
    attest(shop, "ann", "approval", role="on-call")
    attest(shop, "paul", "approval", role="product-manager")
    pending(shop, "vp-engineering")
    attest(shop, "vera", "approval", role="vp-engineering")
    record = shop.ends("Succeeded")
    status = record["status"]
    check((status["charge"]["points"], status["charge"]["exception"]) == (14, True), f"charged {status['charge']}")
    check("TAX-12" in status["assessment"]["exception"], f"on record: {status['assessment']}")
    risk = until("the ledger counts it", waits.BUDGET_MEASURED, lambda: spent(shop, 41), instead=lambda: budget(shop))
    check((risk["band"], risk["exceptions"], risk["remaining"]) == ("Exhausted", 1, -21), f"counted: {risk}")
    owed = until("its follow-up is owed", waits.BUDGET_MEASURED, lambda: owes(shop, "exception-follow-up", "Due"), instead=lambda: api.get("RiskBudget", shop.namespace, shop.name)["status"].get("obligations"))
    t.note(f"owed by {', '.join(owed['owedBy'])} until {owed['due']}: {owed['name']}, {owed['about']} ({owed['source']})")
    meet(shop, "ann", owed, FOLLOW_UP)
    until("it is met", waits.BUDGET_MEASURED, lambda: owes(shop, "exception-follow-up", "Met"), instead=lambda: api.get("RiskBudget", shop.namespace, shop.name)["status"].get("obligations"))
    t.note(f"exception: {status['assessment']['exception']}; charged {status['charge']['points']} RP; {risk['remaining']} RP are left")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


def ships(t: Context, shop: Shop, version: str, points: int, band: str, change: dict[str, str] | None = None, asked: str = "") -> dict:
    """Released; so many points are spent afterwards, in that band. What was said of its risk on the way. Where the gate asks for
    more, users stay on the version `asked` until it is shown."""
    shop.deploy(version, change)
    if asked:
        until(f"{version} waits for {OF_G3} alone", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing") and missing(shop) == [OF_G3], instead=lambda: (shop.state(), missing(shop)))
        check(not shop.canary_weight() and shop.running() == {asked: 3}, f"{version} went without it: {shop.state()}")
        t.note(f"{version} waits: {shop.held('RequirementsMissing')['message']}")
        attest(shop, "ann", OF_G3)
    shop.at_weight(25)
    risk = shop.live_release()["status"]["risk"]
    shop.ends("Succeeded")
    after = until(f"{points} RP are spent", waits.BUDGET_MEASURED, lambda: spent(shop, points), instead=lambda: budget(shop))
    check(after["band"] == band, f"after {version}: {after}")
    t.note(f"{version}: {risk['why']}; afterwards {after['remaining']} of {after['allocated']} RP, {band}")
    return risk


def blocked(shop: Shop) -> str:
    return until("its gate is blocked", waits.RELEASE_TAKEN_UP, lambda: shop.held("GateBlocked"), instead=shop.state)["message"]


def pending(shop: Shop, what: str) -> None:
    def said() -> bool:
        held = shop.held("ExceptionPending")
        return bool(held) and what in held["message"]

    until(f"the exception waits for {what}", waits.RELEASE_TAKEN_UP, said, instead=shop.state)


def owes(shop: Shop, kind: str, state: str) -> dict | None:
    all = api.get("RiskBudget", shop.namespace, shop.name)["status"].get("obligations", [])
    return next((one for one in all if (one["type"], one["state"]) == (kind, state)), None)


def budget(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"].get("risk", {})


def spent(shop: Shop, points: int) -> dict | None:
    risk = budget(shop)
    return risk if risk.get("consumed") == points else None
