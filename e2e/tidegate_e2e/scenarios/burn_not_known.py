from ..api import Object
from ..faulty import FAULTS, TIMEOUT, Faulty
from ..scenario import Context, scenario
from ..shop import OWN_COUNTS
from ..waits import RELEASE_ENDS, check, until

# One request in a thousand may fail: a short while of many failures is more than an hour may have.
STRICT = [{"name": "availability", "objective": 99.9, "window": "30d", "promql": OWN_COUNTS}]

# Why it is not known, by what is wrong with the source of the RiskBudget.
SAID = {
    "NaN": "NaN for the query",
    "slow": f"no answer within {TIMEOUT}s",
    "empty": "no samples for the query",
    "500": "HTTP 500: the store is away",
    "stale": "stale",
    "warnings": "the answer is partial: receive series from Addr: store-1:10901",
    "429": "HTTP 429",
    "isPartial": "the answer is partial: isPartial",
    "truncated": "the answer was not understood",
}


@scenario(core=False)
def burn_not_known(t: Context) -> None:
    """Both versions fail alike, the error budget burns, and then its Prometheus misleads in every way, while the version's own answers: the hold stays and says why nobody knows, and the weight stays."""
    check(SAID.keys() == FAULTS.keys(), "not every fault is tried")
    proxy = Faulty("faulty-budget")
    t.afterwards(proxy.stop)
    contract = {"errorRatePercent": 90, "latencyAdded": "5s"}
    shop = t.shop(
        rate=100, stages=((25, "20s"), (100, "6s")), slos=STRICT, rollback=contract, policy={"metrics": "faulty-budget"},
        analysis={"evidenceWithin": "4m"},
    )
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    for version in ("v1", "v2"):
        shop.spoil(version, error_rate="0.5")
    until("it is held for the burn", RELEASE_ENDS, lambda: shop.held("BudgetBurning"), instead=shop.state)

    def says(words: str) -> Object | None:
        check(shop.canary_weight() == 25, f"the weight went to {shop.canary_weight()} while nobody saw the burn end")
        held = shop.held("BudgetBurning")
        return held if held and words in held["message"] else None

    for fault, words in SAID.items():
        proxy.fault = fault
        held = until(f"{fault}: the hold says {words!r}", 30, lambda: says(words), instead=shop.state)
        check("held as before" in held["message"], f"{fault}: the hold does not say that it stays: {held['message']}")
        t.note(f"{fault}: {held['message']}")
    told = shop.condition("BudgetBurning")
    check(told.get("reason") == "Page" and "is not known" in told["message"], f"the condition says {told}")
    proxy.fault = None
    until("it is known again that it burns", 30, lambda: says("it goes on when the burn is over"), instead=shop.state)
    rollback = shop.ends("RolledBack", seconds=300)["status"]["rollback"]
    shop.leaves_nothing()
    check(rollback["trigger"] == "HoldExpired", f"the trigger was {rollback['trigger']}: {rollback}")
