import time

from .. import waits
from ..claims import attest, may_approve, may_attest, refused
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

COUNTED = 'http_requests_total{namespace="$namespace",service="payments"'
PAYMENTS = {
    "bad": f'sum(increase({COUNTED},status!~"2..|3.."}}[$window])) or vector(0)',
    "total": f"sum(increase({COUNTED}}}[$window]))",
}
# Of an objective of 90 % half is left at 5 % of failures, where Warning begins, and 30 % at 7 %, where Critical does.
OBJECTIVE, WARNING_AT = 90, 0.05
# The version of payments: what is spoilt is named by it, and checkout has pods in the same namespace.
VERSION = "p1"
# Seconds from the first failure to Warning.
WARNING_AFTER = 25
# Answers that go well would bring the budget back to Healthy within seconds: it is young. At this rate it stays between the two.
STAYS_AT = 0.06


@scenario(core=False)
def budget_worsens(t: Context) -> None:
    """Another service spends the error budget while a quarter of the users have v2: v2 waits for those whom Warning asks, by name, is not brought back for what it did not do, and goes on when they have agreed."""
    slo = {"name": "payments", "objective": OBJECTIVE, "window": "10m", "promql": PAYMENTS}
    shop = t.shop(rate=60, stages=((25, "75s"), (100, "4s")), strategy={"holdFor": "5m"}, slos=[slo])
    payments = beside(shop)
    t.shops.append(payments)
    payments.start(gated=False)
    asking = payments.users()
    since = time.monotonic()
    shop.start()
    shop.users()
    may_approve(shop, senior_engineer="ann", sre="sam")
    # A service account: whom a person names does not approve, and may not be all who made it.
    ci = f"system:serviceaccount:{shop.namespace}:ci"
    may_attest(shop, [ci], ["lint"])
    shop.deploy("v2", {"change-type": "Feature"})
    shop.at_weight(25)
    # Who made it is known, so that one person agrees in each role.
    attest(shop, ci, "lint", facts={"change-author": "bob"})
    check(shop.taken_up()["status"]["budget"]["status"] == "Healthy", f"it began with {shop.taken_up()['status']['budget']}")

    before = time.monotonic() - since
    payments.spoil(VERSION, error_rate=f"{WARNING_AT * (before + WARNING_AFTER) / WARNING_AFTER:.3f}")
    until("the budget is in Warning", waits.BUDGET_MEASURED, lambda: (shop.budget() or {}).get("status") == "Warning", instead=shop.budget)
    payments.spoil(VERSION, error_rate=str(STAYS_AT))
    held = until("it waits for those who are asked", waits.RELEASE_ENDS, lambda: shop.held("ApprovalMissing"), instead=shop.state)
    for word in ("--role senior-engineer", "--role sre", "error budget from Healthy to Warning", "agree to 100 %"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    check(asks(shop) == ["senior-engineer", "sre"], f"asked are {asks(shop)}")
    check(shop.canary_weight() == 25, f"it went on to {shop.canary_weight()} % alone")
    check(shop.events("BudgetWorsened"), "nobody was told that the budget got worse")
    t.note(f"{held['reason']}: {held['message']}")

    said = refused(shop, "sam", "approval", role="senior-engineer")
    check("senior-engineer" in said, f"sam was refused without a word of the role: {said}")
    attest(shop, "ann", "approval", role="senior-engineer")
    until("SRE alone is missing", waits.RELEASE_TAKEN_UP, lambda: asks(shop) == ["sre"], instead=shop.state)
    check(shop.canary_weight() == 25, f"it went on to {shop.canary_weight()} % without SRE")
    attest(shop, "sam", "approval", role="sre")
    status = shop.ends("Succeeded")["status"]
    check(status["worsened"]["status"] == "Warning", f"on record: {status['worsened']}")
    agreed = [(one["author"], one["role"], one["before"]) for one in status["approvals"]]
    check(agreed == [("ann", "senior-engineer", "100 %"), ("sam", "sre", "100 %")], f"on record: {agreed}")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"{status['worsened']['remainingPercent']} % were left; seen by users: {answers.describe()}; by those of payments: {asking.stop().describe()}")


def beside(shop: Shop) -> Shop:
    """Another application in the same namespace, whose failures the RiskBudget counts."""
    results = shop.results / "payments"
    results.mkdir(exist_ok=True)
    other = Shop(namespace=shop.namespace, results=results, name="payments", rate=40)
    other.host, other.version = f"payments.{shop.host}", VERSION
    return other


def asks(shop: Shop) -> list[str]:
    return shop.live_release()["status"].get("risk", {}).get("asks", [])
