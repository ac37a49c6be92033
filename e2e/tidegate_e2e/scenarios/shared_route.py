import threading
import time

from .. import api, waits
from ..history import History
from ..load import Answers
from ..scenario import Context, scenario
from ..shop import Shop, gateway_url
from ..waits import check, now_ms, until

ROUTE = "checkout"
EVERY = 1  # second between two syncs
# The cart reaches Verify, and comes back, while checkout is still in its first stage.
CART_STAGES = ((25, "45s"), (100, "6s"))
STAGES = ((25, "110s"), (50, "8s"), (100, "6s"))
MEASURED = 8  # seconds
TOLERANCE = 6.0  # points, of some hundred requests
BUDGET = 30  # seconds
TAKEN_UP = 1_000  # milliseconds that the router has for a write, as everywhere


class Side(Shop):
    """One of the applications behind the route, with an error budget that counts its own requests alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        counted = f'http_requests_total{{namespace="$namespace",service=~"{self.name}(-canary|-previous)?"'
        own = {
            "bad": f'sum(increase({counted},status!~"2..|3.."}}[$window])) or vector(0)',
            "total": f"sum(increase({counted}}}[$window]))",
        }
        self.slos = [{"name": "availability", "objective": 50, "window": "10m", "promql": own}]
        self.traffic = {"httpRoutes": [{"name": ROUTE}]}

    def live_route(self) -> api.Object:
        return api.get("HTTPRoute", self.namespace, ROUTE)

    def canary_weight(self) -> int:
        return given(self.live_route(), self).get(self.canary, 0)


class Cart(Side):
    """What the route's first rule leads to, by a path that the application counts. The route itself lies with the other one."""

    def application(self) -> list[api.Object]:
        return [self.workload(), self.service()]

    def url(self) -> str:
        return f"{gateway_url()}basket"


def given(route: api.Object, shop: Shop) -> dict[str, int]:
    """What the rule of an application gives to each of its versions."""
    names = {shop.name, shop.canary, shop.previous}
    rules = [{b["name"]: b.get("weight", 1) for b in rule["backendRefs"]} for rule in route["spec"]["rules"]]
    found = [weights for weights in rules if names & set(weights)]
    check(len(found) == 1 and set(found[0]) <= names, f"the rule of {shop.name} was lost: {rules}")
    return found[0]


def canary_weights(route: History, shop: Shop) -> list[int]:
    """The canary's weights up to its highest, each once."""
    weights = [given(seen.obj, shop).get(shop.canary, 0) for seen in route.seen]
    rising = weights[: weights.index(100) + 1]
    return [w for at, w in enumerate(rising) if w and (at == 0 or rising[at - 1] != w)]


@scenario(core=False)
def shared_route(t: Context) -> None:
    """Two applications behind one route are released at the same time while Git's route is applied by force every second: each keeps its own shares, one comes back late and stays back while the other is promoted, and at the end the route is Git's."""
    common = {"namespace": f"e2e-{t.name}", "rollback": {"errorRatePercent": 5, "latencyAdded": "5s", "timeBudget": f"{BUDGET}s"}}
    folder = t.results / "cart"
    folder.mkdir(exist_ok=True)
    cart = Cart(results=folder, name="cart", rate=60, stages=CART_STAGES, strategy={"verify": "90s"}, **common)
    shop = Side(results=t.results, rate=60, stages=STAGES, **common)
    cart.host, cart.version = shop.host, "c1"
    t.shops += [shop, cart]
    at = lambda path, name: {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [{"name": name, "port": 80}]}
    shop.rules = [at("/basket", cart.name), at("/", shop.name)]
    begin(shop, cart)
    route = shop.follow("HTTPRoute")
    refused = sync_by_force(t, shop)
    for side in (shop, cart):
        side.users()

    cart.deploy("c2")
    cart.at_weight(25)
    shop.deploy("v2")
    shop.at_weight(25)
    time.sleep(TAKEN_UP / 1_000)
    since = now_ms()
    time.sleep(MEASURED)
    before = now_ms()
    check((cart.canary_weight(), shop.canary_weight()) == (25, 25), "a stage was over before it was measured")
    check(marked(shop) == "cart,checkout", f"the route is marked for {marked(shop)}")
    for side in (shop, cart):
        # All its clients together: the router counts turns, and two clients in step may each have always the same.
        window = side.so_far().between(since, before)
        percent = window.share(side.version)
        check(abs(percent - 25) <= TOLERANCE, f"{percent:.1f} % of {len(window)} requests for {side.name} met {side.version}")
        t.note(f"{side.name} at weight 25: {percent:.1f} % of {len(window)}")

    # The one comes back from Verify, the other goes on.
    cart.in_phase("Verify")
    began = now_ms()
    cart.spoil("c2", error_rate="0.3")
    away = route.wait_for("the cart's previous version has all its traffic", BUDGET + 15, lambda r: given(r, cart).get(cart.previous) == 100, since=len(route.seen) - 1)
    home = route.seen[away].at
    rollback = cart.ends("RolledBack")["status"]["rollback"]
    check((rollback["phase"], rollback["trafficTo"]) == ("Verify", cart.previous), f"the cart came back by {rollback}")
    record = shop.taken_up()["status"]
    check("outcome" not in record and record["phase"] == "Release", f"checkout was to be in mid-release, and is in {record['phase']}")
    shop.ends("Succeeded")
    until("the mark of checkout goes alone", waits.GONE, lambda: marked(shop) == "cart", every=0.1, instead=lambda: marked(shop))
    time.sleep(5 * EVERY)  # some syncs more
    check(cart.ended()["status"]["outcome"] == "RolledBack", f"the cart's attempt became {cart.ended()['status']}")
    stayed = [given(seen.obj, cart) for seen in route.seen[away:]]
    check(all(weights.get(cart.previous) == 100 and sum(weights.values()) == 100 for weights in stayed), f"the cart's users were moved: {stayed}")

    # Git reverts the cart.
    reverted = now_ms()
    cart.deploy("c1")
    cart.ends("Succeeded")
    shop.leaves_nothing()
    check(not refused, f"applies were refused: {refused[:3]}")
    check([canary_weights(route, side) for side in (cart, shop)] == [[25, 100], [25, 50, 100]], f"weights {canary_weights(route, cart)}, {canary_weights(route, shop)}")
    answers = {side.name: side.all_answers() for side in (shop, cart)}
    check(not answers["checkout"].failed(), f"requests for checkout failed: {answers['checkout'].failed().examples()}")
    bad = Answers(a for a in answers["cart"].failed() if not (a.version == "c2" and began <= a.done and a.sent < home + TAKEN_UP))
    check(not bad, f"requests for the cart failed that nothing explains: {bad.examples()}")
    after = Answers(a for a in answers["cart"].of("c2") if a.sent >= home + TAKEN_UP)
    check(not after, f"c2 got users although it came back: {after.examples()}")
    t.note(f"{(home - began) / 1000:.1f} s from the cart's first error to the route; it stayed back for {(reverted - home) / 1000:.0f} s, in {len(stayed)} versions of the route")
    t.note("; ".join(f"{name}: {seen.describe()}" for name, seen in answers.items()))


def begin(shop: Shop, cart: Shop) -> None:
    """Both applications, then the route that leads to both, then both gates."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": shop.namespace}})
    for obj in cart.application():
        api.apply(obj, "gitops")
    shop.start(gated=False)
    until("the cart's pods are ready", waits.PODS_READY, cart.all_ready)
    until("requests reach the cart", waits.ROUTE_ANSWERS, lambda: cart.answers(cart.url()))
    cart.route_before = shop.route_before
    for side in (shop, cart):
        side.gate()


def sync_by_force(t: Context, shop: Shop) -> list[str]:
    """Applies Git's route every second, until the end; what was refused comes into the list."""
    over, refused = threading.Event(), []

    def sync() -> None:
        while not over.wait(EVERY):
            try:
                api.apply(shop.route(), "flux")
            except api.Refused as error:
                refused.append(str(error))

    syncing = threading.Thread(target=sync)
    syncing.start()

    def stop() -> None:
        over.set()
        syncing.join(10)

    t.afterwards(stop)
    return refused


def marked(shop: Side) -> str | None:
    return shop.live_route()["metadata"].get("annotations", {}).get("tidegate.io/weights")
