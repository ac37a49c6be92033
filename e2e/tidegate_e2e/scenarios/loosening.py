import json
import time
from collections.abc import Callable
from pathlib import Path

from .. import api, waits
from ..claims import bind, may_approve
from ..people import account, person, tidegate
from ..scenario import Context, scenario
from ..shop import OWN_COUNTS, Shop
from ..waits import check, until

BASE = {"tier": 1, "requirements": {"mode": "Audit"}, "riskPoints": 30}


@scenario(core=False)
def loosening(t: Context) -> None:
    """A RiskBudget that would allow more waits for product and development manager, two people with certificates of their own; meanwhile the former tier and points decide, and what is stricter in the same edit is in force; a rejection holds, a withdrawal takes a word back, and nothing carries over to the next edit."""
    shop = t.shop(rate=60, policy=BASE)
    shop.start()
    paul, dora = person(shop, "paul"), person(shop, "dora")
    may_approve(shop, product_manager="paul", development_manager="dora")
    bind(shop, "paul-too", "ClusterRole", "tidegate-approve-development-manager", "paul")
    everything = account(shop, "everything", "cluster-admin")

    # Looser by tier and points, stricter by its objective.
    edit(shop, tier=0, riskPoints=90, slos=objective(60))
    waiting = held(shop, "ApprovalMissing")
    for words in ("spec.tier: 1 → 0", "spec.riskPoints: 30 → 90", "The former values of these fields hold", "--role product-manager", "--role development-manager"):
        check(words in waiting["message"], f"the condition does not say {words!r}: {waiting['message']}")
    t.note(waiting["message"])
    check("objective" not in waiting["message"], "what is stricter waits")
    check(in_force(shop) == (1, 30, 60), f"in force: {in_force(shop)}")
    check(status(shop)["risk"]["allocated"] == 30, f"allocated: {status(shop)['risk']}")
    # By the tier in force a change costs 3 RP at least, and 1 RP by the one that was asked for.
    code, said = tidegate(None, "charge", "--budget", shop.name, "-n", shop.namespace, "--change", "git:a", "--category", "docs", "--dry-run")
    check(code == 0 and "4 RP = 3 base + 1 diff" in said and "30 of 30 RP" in said, f"what it costs meanwhile, exit code {code}: {said}")

    # Each by themselves: no machine, nobody in a role that is not theirs, and nobody twice.
    said = turned_down(shop, everything, "product-manager")
    check("is said by people" in said, f"a service account with every right was refused by: {said}")
    said = turned_down(shop, dora, "product-manager")
    check("needs the verb approve on releaseroles.tidegate.io named product-manager" in said, f"who does not hold the verb was refused by: {said}")
    says(shop, paul, "approve", "product-manager")
    said = turned_down(shop, paul, "development-manager")
    check("paul speaks as product-manager already" in said, f"who speaks in another role was refused by: {said}")
    missing = held(shop, "ApprovalMissing", lambda message: "missing: development-manager" in message)
    check(in_force(shop) == (1, 30, 60), f"one person was two: {missing['message']}")

    says(shop, dora, "reject", "development-manager", "--note", "not before the audit")
    rejected = held(shop, "Rejected")
    check("dora" in rejected["message"] and "until they take it back" in rejected["message"], rejected["message"])
    t.note(rejected["message"])
    says(shop, dora, "withdraw", "development-manager")
    held(shop, "ApprovalMissing")
    check(in_force(shop) == (1, 30, 60), f"in force after a rejection was taken back: {in_force(shop)}")

    # Paul takes his word back before Dora speaks: hers alone is not enough.
    says(shop, paul, "withdraw", "product-manager")
    says(shop, dora, "approve", "development-manager")
    held(shop, "ApprovalMissing", lambda message: "missing: product-manager" in message and ", development-manager (" not in message)
    check(in_force(shop) == (1, 30, 60), f"in force by one role: {in_force(shop)}")
    says(shop, paul, "approve", "product-manager")
    until("the loosening is in force", waits.BUDGET_MEASURED, lambda: status(shop)["risk"]["allocated"] == 90, instead=lambda: status(shop).get("conditions"))
    check(in_force(shop) == (0, 90, 60) and not status(shop).get("loosening"), f"in force: {in_force(shop)}")
    entry = status(shop)["loosened"][0]
    by = {one.split(" (")[0] for one in entry["by"]}
    check(by == {"product-manager: paul", "development-manager: dora"}, f"on record: {entry}")
    check(set(entry["changes"]) == {"spec.tier: 1 → 0", "spec.riskPoints: 30 → 90"}, f"on record: {entry}")
    told = {event["reason"] for event in shop.events() if event["reason"].startswith("Loosening")}
    check(told == {"LooseningHeld", "LooseningApproved"}, f"told: {told}")
    t.note(f"approved by {', '.join(entry['by'])}: {'; '.join(entry['changes'])}")

    # What allows less asks nobody; the same words again are another edit, which nobody has agreed to.
    edit(shop, riskPoints=20)
    until("what is stricter is in force", waits.BUDGET_MEASURED, lambda: in_force(shop) == (0, 20, 60), instead=lambda: status(shop).get("conditions"))
    check(condition(shop)["status"] == "False" and status(shop)["risk"]["allocated"] == 20, f"a tightening waits: {condition(shop)}")
    edit(shop, riskPoints=90, slos=objective(50))
    again = held(shop, "ApprovalMissing")
    for words in ("spec.riskPoints: 20 → 90", "spec.slos[availability].objective: 60 % → 50 %", "missing: product-manager"):
        check(words in again["message"], f"the condition does not say {words!r}: {again['message']}")
    check(in_force(shop) == (0, 20, 60) and len(status(shop)["loosened"]) == 1, f"in force: {in_force(shop)}")


def objective(percent: float) -> list[dict]:
    return [{"name": "availability", "objective": percent, "window": "10m", "promql": OWN_COUNTS}]


def edit(shop: Shop, **spec: object) -> None:
    """As the service's repository does; waits until the edit was looked at."""
    edited = api.patch("RiskBudget", shop.namespace, shop.name, {"spec": spec})
    generation = edited["metadata"]["generation"]
    until("the edit was looked at", waits.BUDGET_MEASURED, lambda: status(shop).get("observedGeneration") == generation, instead=lambda: status(shop))


def says(shop: Shop, who: Path, word: str, role: str, *more: str) -> None:
    """In a second of its own: the API server tells moments in seconds, and of two words of one second the stricter counts."""
    began = int(time.time())
    until("the next second", 3, lambda: int(time.time()) > began)
    code, said = tidegate(who, word, "--budget", shop.name, "--role", role, *more)
    check(code == 0, f"{who.stem} could not {word} as {role}, exit code {code}: {said}")


def turned_down(shop: Shop, who: Path, role: str) -> str:
    code, said = tidegate(who, "approve", "--budget", shop.name, "--role", role)
    check(code == 1, f"{who.stem} was not refused as {role}, exit code {code}: {said}")
    return said


def held(shop: Shop, reason: str, says: Callable[[str], bool] = lambda message: True) -> dict:
    """The condition Loosening, once it is True for that reason and says that."""

    def reached() -> dict | None:
        found = condition(shop)
        return found if (found["status"], found["reason"]) == ("True", reason) and says(found["message"]) else None

    return until(f"the loosening waits: {reason}", waits.BUDGET_MEASURED, reached, instead=lambda: condition(shop))


def condition(shop: Shop) -> dict:
    return next(one for one in status(shop)["conditions"] if one["type"] == "Loosening")


def status(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"]


def in_force(shop: Shop) -> tuple[int, int, float]:
    """Tier, points and objective by which it is decided."""
    spec = json.loads(status(shop)["inForce"]["spec"])
    return spec["tier"], spec["riskPoints"], spec["slos"][0]["objective"]
