from .. import waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def undecided(t: Context) -> None:
    """At 2 requests a second limits alone cannot tell: the stage is held, tells how long it takes, and at the bound it comes back, which blames nobody."""
    rules = {"window": "20s", "minRequests": 500, "undecidedFor": "20s", "whenUndecided": "RollBack"}
    shop = t.shop(rate=2, stages=((50, "10s"), (100, "4s")), analysis=rules)
    shop.start()
    shop.users()
    shop.deploy("v2")
    held = until("it is held for too few requests", waits.RELEASE_ENDS, lambda: shop.held("TooLittleTraffic"), instead=shop.state)
    for word in ("of the 500 requests needed", "needs about", "requests/s to the new version", "brings it back"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    check(shop.canary_weight() == 50, f"the weight went to {shop.canary_weight()} while it was held")
    status = shop.ends("RolledBack")["status"]
    shop.leaves_nothing()
    rollback = status["rollback"]
    check(rollback["trigger"] == "HoldExpired", f"the trigger was {rollback['trigger']}: {rollback}")
    check("no verdict on the version" in rollback["value"], f"the log blames the version: {rollback['value']}")
    check("passedAt" not in status["stages"][0], f"the stage passed: {status['stages'][0]}")
    t.note(held["message"])
    t.note(f"{rollback['value']}, {rollback['threshold']}")
