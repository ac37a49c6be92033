from .. import waits
from ..scenario import Context, scenario
from ..shop import OWN_COUNTS
from ..waits import check, until

# 4 % of failures against an objective of 95 % leave 1 - 4/5 = 20 % of the budget: Critical.
OBJECTIVE, FAILING = 95, "0.04"


@scenario()
def budget_spent(t: Context) -> None:
    """Failing traffic brings the budget to Critical: a feature is held and told why, a P0 fix waits for its sign-off only."""
    slo = {"name": "availability", "objective": OBJECTIVE, "window": "10m", "promql": OWN_COUNTS}
    shop = t.shop(rate=100, slos=[slo], env={"ERROR_RATE": FAILING})
    shop.start()

    def spent() -> bool:
        # The first samples of a window say little: the figure settles at 20 %.
        budget = shop.budget() or {}
        return budget.get("status") == "Critical" and 15 <= budget["remainingPercent"] <= 25

    until("the budget is Critical with about 20 % left", waits.BUDGET_MEASURED, spent)

    shop.deploy("v2", {"change-type": "Feature"})
    held = until("the feature is held", waits.RELEASE_TAKEN_UP, shop.held)
    for word in ("Critical", "Feature"):
        check(word in held["message"], f"the hold does not say {word}: {held['message']}")
    check("IncidentFix" in held["message"] or "P0" in held["message"], f"the hold does not say what may ship: {held['message']}")
    t.note(f"feature: {held['reason']}: {held['message']}")

    shop.deploy("v3", {"change-type": "IncidentFix", "change-severity": "P0"})
    fix = until("the fix is judged on its own", waits.RELEASE_TAKEN_UP, lambda: (h := shop.held()) and "v3" in h["message"] and h)
    check(fix["reason"] != held["reason"], f"a P0 fix is held as a feature is: {fix['message']}")
    check("approv" in fix["message"].lower() or "sign" in fix["message"].lower(), f"the hold does not name the sign-off: {fix['message']}")
    t.note(f"P0 fix: {fix['reason']}: {fix['message']}")

    check(shop.paused() and not shop.canary_weight(), "something runs that is held")
    seen = shop.all_answers().versions()
    check(set(seen) == {"v1"}, f"users saw {dict(seen)}")
