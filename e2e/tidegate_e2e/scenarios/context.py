import time
from datetime import UTC, datetime, timedelta

from .. import api, bed, waits
from ..people import tidegate
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

WINDOW = "the sale"
LASTS = 25  # seconds for which it goes on when the release meets it


@scenario(core=False, alone=True)
def context(t: Context) -> None:
    """What goes on around a service: a restricted window keeps a release back until it is over; an incident that the administrator's query sees holds the next stage, more pages than normal and the incident make a fix dearer, and the fix goes on."""
    payments = t.shop("-payments", name="payments", rate=40)
    shop = t.shop(rate=60, stages=((25, "40s"), (100, "4s")))
    payments.start(gated=False)
    payments.users()
    t.afterwards(lambda: bed.configure({"signals": {}}))
    bed.configure({"signals": {"default": signals(payments)}})
    shop.start()
    shop.users()
    quiet = until("nothing is heard of incidents", waits.BUDGET_MEASURED, lambda: heard(shop), instead=lambda: budget(shop))
    check(quiet["incidents"] == {"known": []} and not quiet["onCall"]["load"]["high"], f"heard: {quiet}")

    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=LASTS)
    begins = ends - timedelta(hours=1)
    shop.policy = {"restrictedWindows": [{"name": WINDOW, "from": begins.isoformat(), "to": ends.isoformat()}]}
    api.apply(shop.risk_budget(), "gitops")
    shop.deploy("v2")
    held = until("it is held for the window", waits.RELEASE_TAKEN_UP, lambda: shop.held("GateBlocked"), instead=shop.state)["message"]
    for word in (WINDOW, f"{ends:%H:%M:%S} UTC"):
        check(word in held, f"the hold does not say {word!r}: {held}")
    check(shop.canary_weight() == 0 and shop.running() == {"v1": 3}, f"it went: {shop.state()}")
    t.note(held)
    shop.at_weight(25)
    went = datetime.now(UTC)
    check(went >= ends, f"users met it at {went}, before {ends}")
    risk = shop.live_release()["status"]["risk"]
    check(risk["score"].startswith("9 RP"), f"once the window is over, without an incident: {risk}")

    payments.spoil("v1", error_rate="0.9")
    held = until("it is held for the incident", waits.RELEASE_ENDS, lambda: shop.held("GateBlocked"), instead=shop.state)["message"]
    for word in ("PAY-1", "the weight stays", "not held against the new version"):
        check(word in held, f"the hold does not say {word!r}: {held}")
    t.note(held)
    check(shop.canary_weight() == 25, f"the weight is {shop.canary_weight()}")

    # The fix takes the place of what is held, and waits for nothing: 9 RP, 5 for the incident, 2 for the pages.
    shop.deploy("v3", {"change-type": "IncidentFix", "change-severity": "P0"})
    risk = until("the fix has users, at 16 RP", waits.RELEASE_ENDS, lambda: dear(shop), instead=lambda: shop.live_release()["status"].get("risk"))
    check(shop.canary_weight() == 25, f"the weight is {shop.canary_weight()}")
    for word in ("PAY-1", "pages"):
        check(any(word in term for term in risk["terms"]), f"the score does not say {word!r}: {risk['terms']}")
    t.note(f"the fix: {risk['score']}; {'; '.join(risk['terms'])}")
    record = shop.ends("Succeeded")
    check(record["status"]["charge"]["points"] == 16, f"charged: {record['status']['charge']}")
    shop.leaves_nothing()
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 0, f"the records do not hold: {said}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")


def dear(shop: Shop) -> dict | None:
    """What is said of the fix's risk while it has its first users."""
    status = shop.live_release()["status"]
    risk = status.get("risk", {})
    return risk if status.get("phase") == "Release" and shop.canary_weight() == 25 and risk.get("score", "").startswith("16 RP") else None


def signals(payments: Shop) -> dict:
    """An incident while another service fails, and a page for each of its failures; answers without a series are none."""
    failed = f'increase(http_requests_total{{namespace="{payments.namespace}",status="500"}}[10s])'
    # When it was last seen, as a query over an incident tool's series would say it; not what an earlier run left.
    last = f"(max_over_time(timestamp(sum({failed}) > 5)[10m:1s]) > {time.time():.0f})"
    named = f'label_replace(label_replace({last}, "incident", "PAY-1", "", ""), "severity", "sev2", "", "")'
    return {"source": "default", "incidents": f"{named} or on() vector(0)", "onCall": {"pages": f"sum({failed}) or on() vector(0)", "normal": "vector(3)"}}


def budget(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"]


def heard(shop: Shop) -> dict | None:
    told = budget(shop).get("signals", {})
    return told if "known" in told.get("incidents", {}) and told.get("onCall", {}).get("load") else None
