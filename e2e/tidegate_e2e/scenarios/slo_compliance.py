"""The new version meets the objectives of its service for a while before everybody gets it."""

from .. import waits
from ..scenario import Context, scenario
from ..shop import OWN_COUNTS, Shop
from ..waits import check, until

# One in five fails with the new version, which a fifth of the users have: more than the 5 % that may, and less of all users' requests, so
# that the budget does not burn. The contract's limit of errors is out of the way.
PROMISE = [{"name": "availability", "objective": 95, "window": "10m", "promql": OWN_COUNTS}]
CONTRACT = {"errorRatePercent": 60, "latencyAdded": "5s"}
FAILING = "0.2"


def missed(t: Context, within: str) -> tuple[Shop, str]:
    """A release whose new version misses its objective, held for that at the end of its first stage; what is said then."""
    rules = {"sloCompliance": {"window": "12s", "within": within}}
    shop = t.shop(rate=200, stages=((20, "15s"), (100, "6s")), slos=PROMISE, rollback=CONTRACT, analysis=rules)
    shop.start()
    shop.users()
    shop.deploy("v2", ERROR_RATE=FAILING)

    def told() -> str | None:
        held = shop.held("SloNotSustained")
        return held["message"] if held and "it has not (availability:" in held["message"] else None

    message = until("it is held for its objective", waits.RELEASE_ENDS, told, instead=shop.state)
    check("spec.analysis.sloCompliance asks for it" in message, f"the hold does not say who asks: {message}")
    check(shop.canary_weight() == 20, f"the weight went to {shop.canary_weight()} while it was held")
    return shop, message


@scenario(core=False)
def slo_compliance(t: Context) -> None:
    """The new version misses an objective for a while: everybody gets it once it has met it for long enough, and its verdict says so."""
    shop, message = missed(t, within="3m")
    shop.spoil("v2", error_rate="0")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    verdict = status["stages"][0]["verdict"]
    check("objectives met over 12s" in verdict, f"the verdict does not say for how long: {verdict}")
    check("complies" not in status, "a sealed record still keeps what it needed to go on")
    t.note(message)
    t.note(f"first stage: {verdict}")


@scenario(core=False)
def slo_compliance_missed(t: Context) -> None:
    """The new version misses an objective for good: it comes back when its hold is over, and nobody else got it."""
    shop, message = missed(t, within="15s")
    record = shop.ends("RolledBack")["status"]
    shop.leaves_nothing()
    check(record["rollback"]["trigger"] == "HoldExpired", f"the trigger was {record['rollback']}")
    check("SloNotSustained" in record["rollback"]["value"], f"the log does not say what was waited for: {record['rollback']['value']}")
    check("passedAt" not in record["stages"][0], f"the stage passed: {record['stages'][0]}")
    t.note(message)
    t.note(f"{record['rollback']['value']}; seen by users: {shop.all_answers().describe()}")
