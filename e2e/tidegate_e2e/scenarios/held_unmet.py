import time

from .. import api, waits
from ..claims import attest, may_attest
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until
from .errors import stays_at_stable
from .on_call_lapsed import PRESENCE, WAIVED


@scenario(core=False)
def held_unmet(t: Context) -> None:
    """A risky release that nobody watches is held at weight 0, says so before its start, comes back and costs nothing; one that users meet next is charged once."""
    requirements = {"mode": "Enforce", "waived": [{"name": name, "reason": "shown elsewhere"} for name in WAIVED if name != "sast"]}
    strategy = {"holdFor": "60s", "verify": "5s"}
    shop = t.shop(rate=60, stages=((25, "8s"), (100, "4s")), strategy=strategy, policy={"tier": 3, "requirements": requirements})
    shop.start()
    shop.users()
    may_attest(shop, ["ann"], [PRESENCE, "sast"])
    shop.deploy("v2", {"change-categories": "authentication"})
    held = until("it waits for what it must show", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing"), instead=shop.state)
    check("no user meets it before somebody on call watches it" in held["message"] and f"--type {PRESENCE}" in held["message"], f"who must watch it is not told: {held['message']}")
    attest(shop, "ann", "sast")
    until("it waits for somebody on call", waits.RELEASE_TAKEN_UP, lambda: shop.held("OnCallMissing"), instead=shop.state)
    record = shop.ends("RolledBack")
    rollback = record["status"]["rollback"]
    check((rollback["trigger"], rollback["fromWeight"]) == ("HoldExpired", 0), f"it came back by {rollback}")
    check("charge" not in record["status"], f"nobody met it, and it is charged {record['status'].get('charge')}")
    stays_at_stable(shop)
    answers = shop.so_far()
    check(not answers.of("v2"), f"{len(answers.of('v2'))} requests reached it")
    # So long that the budget has been counted since.
    time.sleep(waits.BUDGET_MEASURED / 2)
    figures, risk, owed = (status(shop).get(field) for field in ("figures", "risk", "obligations"))
    check((risk["consumed"], risk["reserved"]) == (0, 0), f"it cost points: {risk}")
    check((figures.get("deploys", 0), figures.get("failed", 0)) == (0, 0), f"it counts as a deploy: {figures}")
    check(not owed, f"somebody owes a word about it: {owed}")

    shop.deploy("v3", {"change-categories": "authentication"})
    until("the next one is held", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing"), instead=shop.state)
    attest(shop, "ann", "sast")
    attest(shop, "ann", PRESENCE)
    record = shop.ends("Succeeded")
    check(record["status"]["charge"]["sequence"] == 1, f"charged {record['status']['charge']}")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


def status(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"]
