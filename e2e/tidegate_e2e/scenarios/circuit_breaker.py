from .. import bed, waits
from ..people import tidegate
from ..scenario import Context, scenario
from ..waits import check, until

BREAKER = "payments-down"


@scenario(core=False, alone=True)
def circuit_breaker(t: Context) -> None:
    """Another service that this one rests on fails, and the administrator's circuit breaker opens: the weight stays, nothing new starts, nobody is blamed; a service that the breaker does not name goes on; when it closes the release goes on to its end."""
    payments = t.shop("-payments", name="payments", rate=40)
    shop = t.shop(rate=60, stages=((25, "25s"), (100, "4s")))
    other = t.shop("-other", name="other", rate=60, stages=((25, "25s"), (100, "4s")))
    payments.start(gated=False)
    payments.users()
    # The failures of one service, for the releases of one namespace.
    failed = f'sum(increase(http_requests_total{{namespace="{payments.namespace}",status="500"}}[10s])) or on() vector(0)'
    breaker = {"namespaces": [shop.namespace], "query": failed, "above": 5, "note": "Runbook: payments"}
    t.afterwards(lambda: bed.configure({"circuitBreakers": {}}))
    bed.configure({"circuitBreakers": {BREAKER: breaker}})
    for one in (shop, other):
        one.start()
        one.users()
    for one in (shop, other):
        one.deploy("v2")
    for one in (shop, other):
        one.at_weight(25)
    check(shop.condition("CircuitOpen").get("status") == "False", f"the breaker is said to be {shop.condition('CircuitOpen')}")
    check(not other.condition("CircuitOpen"), "a release is told of a breaker that does not name it")

    payments.spoil("v1", error_rate="0.9")
    held = until("it is held for the breaker", waits.RELEASE_ENDS, lambda: shop.held("CircuitOpen"), instead=shop.state)
    for word in (BREAKER, "above 5", "Runbook: payments", "Not held against the new version", "A fix goes on"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    check(shop.condition("CircuitOpen")["reason"] == "Firing", f"the condition says {shop.condition('CircuitOpen')}")
    check(shop.events("CircuitOpened"), "nobody was told that it opened")
    other.ends("Succeeded")
    check(shop.canary_weight() == 25, f"the weight went to {shop.canary_weight()} while the breaker was open")
    check(not shop.record()["status"].get("outcome"), "the release ended while it was held")
    check([one["name"] for one in shop.record()["status"]["circuits"]] == [BREAKER], f"the record says {shop.record()['status'].get('circuits')}")

    # Nothing starts either: the next template takes the place of the one that is held, and waits before its first pod.
    shop.deploy("v3")
    until("the next one is held before it starts", waits.RELEASE_ENDS, lambda: (shop.held("CircuitOpen") or {}).get("message", "").startswith("Held/CircuitOpen: git:v3: not started"), instead=shop.state)
    check(shop.canary_weight() == 0, f"v3 has {shop.canary_weight()} % of the traffic")

    payments.spoil("v1", error_rate="0")
    record = shop.ends("Succeeded")
    check("circuits" not in record["status"], "a sealed record still keeps what it needed to go on")
    check(shop.events("CircuitClosed"), "nobody was told that it closed")
    shop.leaves_nothing()
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 0, f"the records do not hold: {said}")
    t.note(held["message"])
    t.note(f"seen by users: {shop.all_answers().describe()}")
