from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .. import api, waits
from ..history import History
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

NAMES = ("checkout", "cart", "search", "login")
# Each costs 9 RP (base 3 of its tier, 6 for a new image that nobody explains): two fit.
POINTS, COST = 20, 9


@scenario(core=False)
def race(t: Context) -> None:
    """Four services change at the same moment on a budget that two of them fit into: two are promised their points and two wait; when one goes back before users met it, one that waits goes; at no moment is more promised than there is."""
    shops = fleet(t)
    together(shops, lambda shop: shop.start())
    for shop in shops:
        shop.users()
    ledger = shops[0].follow("RiskBudget")
    # Long enough without a ready pod that points are promised and nobody has met the new version.
    together(shops, lambda shop: shop.deploy("v2", START_DELAY="25s"))
    until("two are promised their points and two wait", waits.RELEASE_TAKEN_UP, lambda: len(promised(shops)) == 2 and len(waiting(shops)) == 2, instead=lambda: [shop.state() for shop in shops])
    first, second = promised(shops)
    early, late = waiting(shops)
    until("the budget says what is promised", waits.BUDGET_MEASURED, lambda: says(shops[0], reserved=18, consumed=0, remaining=2), instead=lambda: status(shops[0]))
    for shop in (early, late):
        message = shop.held("RiskPointsSpent")["message"]
        for words in (f"it costs {COST} RP", "has 2 RP that are neither spent nor promised to another release", "until a release that has a promise ends before users met it"):
            check(words in message, f"{shop.name} is not told {words!r}: {message}")
        check(shop.paused() and shop.running() == {"v1": 1} and not shop.canary_weight(), f"{shop.name} went: {shop.state()}")
    t.note(f"{first.name} and {second.name} go, {early.name} and {late.name} wait: {early.held('RiskPointsSpent')['message']}")

    withdrawn = first.record_named(first.record()["metadata"]["name"])
    first.deploy("v1")
    until("its attempt is closed", waits.GONE, lambda: outcome(first, withdrawn), instead=first.state)
    check(outcome(first, withdrawn) == "Reverted", f"what went back ended as {outcome(first, withdrawn)}")
    until("one that waits is promised the points that came back", waits.RELEASE_TAKEN_UP, lambda: len(waiting([early, late])) == 1, instead=lambda: [shop.state() for shop in (early, late)])
    (left,) = waiting([early, late])
    goes = early if left is late else late
    t.note(f"{first.name} went back unseen: {goes.name} goes, {left.name} waits on")
    charges = [shop.ends("Succeeded")["status"]["charge"] for shop in (second, goes)]
    check(sorted(charge["sequence"] for charge in charges) == [1, 2] and {charge["points"] for charge in charges} == {COST}, f"charged {charges}")
    check("charge" not in first.record_named(withdrawn["metadata"]["name"])["status"], "what nobody met was charged")
    risk = until("both are counted", waits.BUDGET_MEASURED, lambda: says(shops[0], reserved=0, consumed=18, remaining=2), instead=lambda: status(shops[0]))
    check((risk["releases"], risk["exceptions"], risk["band"]) == (2, 0, "Red"), f"counted: {risk}")
    # What is left is Red by now, and so the band holds it before the points do.
    still = until("the last one is told what holds it now", waits.RELEASE_TAKEN_UP, lambda: left.held("GateBlocked"), instead=left.state)["message"]
    check("Red" in still and "000 §5.4" in still and left.running() == {"v1": 1} and not left.canary_weight(), f"the last one: {still}")

    left.deploy("v1")
    until("nobody waits", waits.GONE, lambda: not left.held() and not left.paused(), instead=left.state)
    seen = versions(ledger)
    check(len(seen) > 4 and max(spent + kept for spent, kept in seen) <= POINTS, f"spent and promised, moment by moment: {seen}")
    t.note(f"spent and promised of {POINTS} RP, moment by moment: {seen}")
    for shop in shops:
        shop.leaves_nothing()
        answers = shop.all_answers()
        check(not answers.failed(), f"requests of {shop.name} failed: {answers.failed().examples()}")
        check(shop in (second, goes) or not answers.of("v2"), f"users of {shop.name} met v2")


def fleet(t: Context) -> list[Shop]:
    """Services of one pod each in one namespace, on one budget."""
    ordinary = {
        "rate": 30, "replicas": 1, "stages": ((25, "6s"), (100, "4s")), "strategy": {"verify": "4s", "handBack": "4s"},
        "policy": {"tier": 1, "requirements": {"mode": "Audit"}, "riskPoints": POINTS},
    }
    first = t.shop(name=NAMES[0], **ordinary)
    shops = [first]
    for name in NAMES[1:]:
        results = first.results / name
        results.mkdir(exist_ok=True)
        shop = Shop(namespace=first.namespace, results=results, name=name, budget_name=first.name, **ordinary)
        shop.host = f"{name}.{first.host}"
        shops.append(shop)
    t.shops += shops[1:]
    return shops


def together(shops: list[Shop], deed: Callable[[Shop], None]) -> None:
    with ThreadPoolExecutor(len(shops)) as pool:
        list(pool.map(deed, shops))


def promised(shops: list[Shop]) -> list[Shop]:
    """Those whose gate has opened."""
    return [shop for shop in shops if (record := shop.record()) and record["status"]["phase"] == "Stage"]


def waiting(shops: list[Shop]) -> list[Shop]:
    return [shop for shop in shops if shop.held("RiskPointsSpent")]


def outcome(shop: Shop, record: dict) -> str | None:
    return shop.record_named(record["metadata"]["name"])["status"].get("outcome")


def status(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"].get("risk", {})


def says(shop: Shop, **figures: int) -> dict | None:
    risk = status(shop)
    return risk if {name: risk.get(name) for name in figures} == figures else None


def versions(budget: History) -> list[tuple[int, int]]:
    """What was counted as spent and what the ledger promised, in each version of the RiskBudget that said something new."""
    found: list[tuple[int, int]] = []
    for _, seen in list(budget.seen):
        ledger, risk = seen.get("status", {}).get("ledger", {}), seen.get("status", {}).get("risk", {})
        kept = sum(one["points"] for one in ledger.get("reservations", []))
        counted = (risk.get("consumed", 0), kept)
        if not found or found[-1] != counted:
            found.append(counted)
    return found
