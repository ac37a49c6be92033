"""Both versions' errors are compared: equal ones pass, a worse one comes back below its limit, little traffic waits."""

from .. import api, waits
from ..api import Object
from ..scenario import Context, scenario
from ..shop import OWN_COUNTS
from ..waits import check, until

# Four scrapes fit into an interval.
RULES = {"interval": "4s"}


@scenario(core=False)
def compared_alike(t: Context) -> None:
    """Stable and the new version both fail 2 % of their requests, limit 5 %: it is promoted, and the record says that it is not worse."""
    shop = t.shop(rate=300, stages=((50, "20s"), (100, "6s")), env={"ERROR_RATE": "0.02"}, analysis={"comparison": RULES, "undecidedFor": "4m", "window": "20s"})
    shop.start()
    shop.users()
    shop.deploy("v2", ERROR_RATE="0.02")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    verdict = status["stages"][0]["verdict"]
    check("not worse" in verdict, f"the verdict does not say that it was compared: {verdict}")
    check("comparison" not in status, "a sealed record still keeps what it needed to go on")
    both = shop.all_answers().of("v1", "v2")
    t.note(f"first stage: {verdict}")
    t.note(f"seen by users: {both.describe()}")


@scenario(core=False)
def compared_worse(t: Context) -> None:
    """Stable fails 0.1 % of its requests, the new version 3 %, limit 5 %: it comes back by the comparison, and the log says so."""
    # What a service promises says how much worse is no matter: a tenth of what it allows.
    promise = [{"name": "availability", "objective": 99, "window": "10m", "promql": OWN_COUNTS}]
    rules = {"comparison": RULES, "undecidedFor": "4m", "window": "20s"}
    shop = t.shop(rate=300, stages=((25, "90s"), (100, "6s")), env={"ERROR_RATE": "0.001"}, slos=promise, analysis=rules)
    shop.start()
    shop.users()
    shop.deploy("v2", ERROR_RATE="0.03")
    status = shop.ends("RolledBack")["status"]
    shop.leaves_nothing()
    rollback = status["rollback"]
    check(rollback["trigger"] == "ErrorRate", f"the trigger was {rollback['trigger']}")
    told = f"{rollback['value']}, {rollback['threshold']}"
    check("stable" in told, f"the log does not say what it was compared with: {told}")
    answers = shop.all_answers()
    t.note(f"{told}; traffic home after {rollback['took']}")
    t.note(f"{len(answers.of('v2'))} requests went to it, {len(answers.of('v2').failed())} of them failed")


@scenario(core=False)
def compared_little(t: Context) -> None:
    """At 2 requests a second the stage is held, tells how long it would need, and passes on the limits where the manifest says so."""
    rules = {"comparison": RULES, "undecidedFor": "20s", "whenUndecided": "PassOnLimits", "window": "20s", "minRequests": 5}
    shop = t.shop(rate=2, stages=((50, "10s"), (100, "4s")), analysis=rules)
    shop.start()
    shop.users()
    shop.deploy("v2")
    held = until("it is held for too little traffic", waits.RELEASE_ENDS, lambda: shop.held("TooLittleToCompare"), instead=shop.state)
    for word in ("needs about", "requests/s", "passes on the limits alone"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    check(shop.canary_weight() == 50, f"the weight went to {shop.canary_weight()} while it was held")
    status = shop.ends("Succeeded")["status"]
    verdict = status["stages"][0]["verdict"]
    check("passed on the limits alone" in verdict, f"the verdict does not say what it passed on: {verdict}")
    t.note(held["message"])
    t.note(f"first stage: {verdict}")


def by_latency(threshold: str) -> Object:
    # The second bound is one that the histogram has: it is counted, whatever becomes of the first.
    return {**RULES, "latency": [{"slowerThan": threshold}, {"slowerThan": "1s", "allowedPercent": 0.5}]}


@scenario(core=False)
def compared_bucket(t: Context) -> None:
    """One of two bounds has no bucket: the stage is held, names it, counts by the other, and goes on with one that there is."""
    rules = {"comparison": by_latency("310ms"), "undecidedFor": "4m", "window": "20s", "evidenceWithin": "5m"}
    shop = t.shop(rate=300, stages=((50, "60s"), (100, "6s")), analysis=rules)
    shop.start()
    shop.users()
    shop.deploy("v2")
    held = until("it is held for the bucket", waits.RELEASE_ENDS, lambda: shop.held("NoEvidence"), instead=shop.state)
    for word in ("`slowerThan: 310ms` wants a bucket `le=\"0.31\"`", "Not held against the new version", "latency[].slowerThan"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    check(shop.canary_weight() == 50, f"the weight went to {shop.canary_weight()} while it was held")
    record = shop.record()
    slow = record["status"]["comparison"]["slow"] if record else []
    counted = {bound["slowerThan"]: bound["tally"]["intervals"] for bound in slow}
    check(counted.get("310ms") == 0 and counted.get("1s", 0) > 0, f"intervals counted by each bound: {counted}")
    # A bound that the histogram has.
    release = shop.gated_release()
    release["spec"]["analysis"]["comparison"] = by_latency("300ms")
    api.apply(release, "gitops")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    verdict = status["stages"][0]["verdict"]
    check("requests took" in verdict, f"the verdict says nothing of slow requests: {verdict}")
    t.note(held["message"])
    t.note(f"first stage: {verdict}")


@scenario(core=False)
def business_down(t: Context) -> None:
    """What the service is there for happens 15 % less often with the new version, and 10 % less are allowed: it comes back."""
    # Six stages of 40 s at 220 requests/s. Of 300 drawn releases at 180 requests/s each was found over all stages, half of them within
    # 180 s and 99 % within 220 s; at 220 requests/s within 160 s and 200 s. One stage by itself shows it in 1 to 9 of 100.
    orders = {
        "name": "orders", "changePercent": 10,
        "query": 'sum by (service) (increase(http_requests_total{namespace="$namespace",service=~"$services",status="200"}[$window]))',
    }
    # Failures stand for what is not ordered; the contract's limit of errors is out of the way.
    contract = {"errorRatePercent": 60, "latencyAdded": "5s", "business": orders}
    stages = tuple((weight, "40s") for weight in (20, 30, 40, 50, 60, 75)) + ((100, "6s"),)
    shop = t.shop(rate=220, stages=stages, rollback=contract, analysis={"window": "20s"})
    shop.start()
    shop.users()
    shop.deploy("v2", ERROR_RATE="0.15")
    rollback = shop.ends("RolledBack", seconds=300)["status"]["rollback"]
    shop.leaves_nothing()
    check(rollback["trigger"] == "BusinessMetric", f"the trigger was {rollback['trigger']}: {rollback}")
    check("orders" in rollback["value"] and "below stable's" in rollback["value"], f"the log does not say how far it fell: {rollback['value']}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; traffic home after {rollback['took']}")
    t.note(f"seen by users: {shop.all_answers().describe()}")


# One request in a thousand may fail: a short while of many failures is more than an hour may have.
STRICT = [{"name": "availability", "objective": 99.9, "window": "30d", "promql": OWN_COUNTS}]


@scenario(core=False)
def burning(t: Context) -> None:
    """Both versions begin to fail alike and the error budget burns: the weight is held, nobody is blamed, and the hold ends."""
    contract = {"errorRatePercent": 90, "latencyAdded": "5s"}
    shop = t.shop(rate=100, stages=((25, "20s"), (100, "6s")), slos=STRICT, rollback=contract, analysis={"evidenceWithin": "20s"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    for version in ("v1", "v2"):
        shop.spoil(version, error_rate="0.5")
    held = until("it is held for the burn", waits.RELEASE_ENDS, lambda: shop.held("BudgetBurning"), instead=shop.state)
    for word in ("objective availability burns", "Not held against the new version"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    check(shop.canary_weight() == 25, f"the weight went to {shop.canary_weight()} while it was held")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    shop.leaves_nothing()
    check(rollback["trigger"] == "HoldExpired", f"the trigger was {rollback['trigger']}: {rollback}")
    t.note(held["message"])


@scenario(core=False)
def burning_by_canary(t: Context) -> None:
    """The new version begins to fail, below its contract's limit, and the error budget burns: it comes back for that."""
    contract = {"errorRatePercent": 90, "latencyAdded": "5s"}
    shop = t.shop(rate=100, stages=((25, "60s"), (100, "6s")), slos=STRICT, rollback=contract)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    shop.spoil("v2", error_rate="0.5")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    shop.leaves_nothing()
    check(rollback["trigger"] == "BudgetBurn", f"the trigger was {rollback['trigger']}: {rollback}")
    check("stable 0 % of" in rollback["value"], f"the log does not say how stable did: {rollback['value']}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; traffic home after {rollback['took']}")
