"""Requests of Tidegate's own to the new version at the end of each stage."""

from .. import api
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

CART = {"name": "cart", "http": {"path": "/cart", "expectBody": "cart of v2"}, "retries": 1}
# The same by a port that no pod has: what it leads to is for the scenario to say.
PROBE = {"name": "probe", "http": {**CART["http"], "port": 81}, "timeout": "2s", "retries": 1}
PORT = {"name": "probe", "port": 81, "targetPort": "probe"}
# For documents, and nobody's (RFC 5737).
NOBODY = "192.0.2.1"


@scenario(core=False)
def checked(t: Context) -> None:
    """Each stage is checked by a request of Tidegate's own, and the record says so."""
    shop = t.shop(analysis={"checks": [CART]})
    shop.start()
    shop.users()
    shop.deploy("v2")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    for stage in status["stages"]:
        check(stage["verdict"].endswith("checked: cart"), f"the verdict does not say what was checked: {stage['verdict']}")
    check("checks" not in status, f"a sealed record still keeps tries: {status.get('checks')}")
    t.note(f"first stage: {status['stages'][0]['verdict']}")


@scenario(core=False)
def check_fails(t: Context) -> None:
    """In the second stage carts break, which no user asks for: the change comes back by its check, and no user sees an error."""
    shop = t.shop(rate=200, stages=((10, "8s"), (30, "12s"), (100, "6s")), analysis={"checks": [CART]})
    shop.start()
    shop.users()
    status = comes_back_by_its_check(shop)
    rollback = status["rollback"]
    check("check cart failed twice: answered 500, not 200: no cart" in rollback["value"], f"the log does not say what was found: {rollback['value']}")
    answers = shop.all_answers()
    check(not answers.failed(), f"users saw errors: {answers.failed().examples()}")
    t.note(f"{rollback['value']}, {rollback['threshold']}; traffic home after {rollback['took']}; users: {answers.describe()}")


def comes_back_by_its_check(shop: Shop) -> dict:
    """In the second stage carts break: the status of the record of what came back."""
    shop.deploy("v2")
    shop.at_weight(30)
    check(shop.spoil("v2", cart="false") > 0, "the canary has no pods")
    status = shop.ends("RolledBack")["status"]
    shop.leaves_nothing()
    trigger = status["rollback"]["trigger"]
    check(trigger == "SyntheticCheck", f"the trigger was {trigger}")
    check(status["stage"] == 1, f"it came back from stage {status['stage'] + 1}, not the second")
    return status


@scenario(core=False)
def check_not_sent(t: Context) -> None:
    """A check that gets no connection holds the stage and blames nobody, however often it is tried; once it gets one the release goes on."""
    shop = t.shop(ports=[PORT], analysis={"checks": [PROBE], "evidenceWithin": "10m"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    weight = shop.stages[0][0]
    shop.at_weight(weight)
    lead_probe(shop, shop.canary, NOBODY)
    held = until("the stage is held", 90, lambda: shop.held("CheckNotAsked"), instead=shop.state)
    for words in ("check probe (GET /cart) got no answer over HTTP: no connection to", "Not held against the new version"):
        check(words in held["message"], f"{words!r} is not in {held['message']}")
    tries = {owed(shop)["at"]}
    until("it is tried more often than it may fail", 60, lambda: tries.add(owed(shop)["at"]) or len(tries) > PROBE["retries"] + 2, instead=shop.state)
    check(owed(shop)["failed"] == 0, f"what asked nobody counts: {owed(shop)}")
    check(shop.canary_weight() == weight, f"the weight moved to {shop.canary_weight()}")
    lead_probe(shop, shop.canary, next(pod["status"]["podIP"] for pod in shop.pods() if pod["metadata"]["name"].startswith(f"{shop.canary}-")))
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    check(status["stages"][0]["verdict"].endswith("checked: probe"), f"the verdict does not say what was checked: {status['stages'][0]['verdict']}")
    answers = shop.all_answers()
    check(not answers.failed(), f"users saw errors: {answers.failed().examples()}")
    t.note(f"held: {held['message']}")


@scenario(core=False)
def check_refused(t: Context) -> None:
    """A port that stable serves and the new version refuses: the change comes back by it, for nothing between them refuses."""
    shop = t.shop(ports=[PORT], analysis={"checks": [PROBE]})
    shop.start()
    lead_probe(shop, shop.name, next(pod["status"]["podIP"] for pod in shop.pods()))
    shop.users()
    shop.deploy("v2")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    shop.leaves_nothing()
    check(rollback["trigger"] == "SyntheticCheck", f"the trigger was {rollback['trigger']}")
    for words in ("refused", "stable answers 200"):
        check(words in rollback["value"], f"the log does not say what was found: {rollback['value']}")
    t.note(rollback["value"])


def lead_probe(shop: Shop, service: str, address: str) -> None:
    """A Service's port for probes leads there from now on."""
    api.apply({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": shop.meta("probe", labels={"kubernetes.io/service-name": service}),
        "ports": [{"name": "probe", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
    })


def owed(shop: Shop) -> api.Object:
    """What the record has of its one check; it has something once it was tried."""
    return shop.record()["status"]["checks"][0]
