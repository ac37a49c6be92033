import time
import urllib.request
from itertools import pairwise

from .. import api, waits
from ..history import History, canary_weights, weights
from ..load import Answers, Client
from ..scenario import Context, scenario
from ..shop import Shop, gateway_url
from ..waits import check, now_ms, until

STAGES = ((25, "15s"), (50, "15s"), (100, "6s"))
TOLERANCE = 6.0  # points, of some hundred requests
BY_LOT = 12.0  # the same where Envoy draws a lot for each request, as it does where a backend has filters
EDIT = {"request": "7s"}


def headers(name: str) -> api.Object:
    """A filter that gives every answer a header."""
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": name, "value": "yes"}]}}


def rules(shop: Shop) -> list[api.Object]:
    """A rule with filters, one whose backend has filters, and one whose backend has a weight of its own."""
    backend, at = {"name": shop.name, "port": 80}, lambda path: [{"path": {"type": "PathPrefix", "value": path}}]
    return [
        {"matches": at("/api"), "filters": [headers("x-of-rule")], "backendRefs": [backend]},
        {"matches": at("/own"), "backendRefs": [{**backend, "filters": [headers("x-of-backend")]}]},
        {"matches": at("/"), "backendRefs": [{**backend, "weight": 7}]},
    ]


def inside(shop: Shop) -> api.Object:
    """A second route, with two parents: the Gateway of all and one of the team's own, by its listener."""
    parents = [{"name": "web", "namespace": "gateway"}, {"name": "side", "sectionName": "inside"}]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": shop.meta("inside"),
        "spec": {"hostnames": [f"inside.{shop.host}"], "parentRefs": parents, "rules": [{"backendRefs": [{"name": shop.name, "port": 80}]}]},
    }


def side_gateway(shop: Shop) -> api.Object:
    listeners = [{"name": name, "port": port, "protocol": "HTTP"} for name, port in (("outside", 8081), ("inside", 80))]
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": shop.meta("side"), "spec": {"gatewayClassName": "envoy", "listeners": listeners}}


def weights_of_rules(route: api.Object, canary: str) -> list[int]:
    """The canary's weight in each rule; the weights of a rule sum to 100 while it has one."""
    found = []
    for rule in route["spec"]["rules"]:
        weights = {b["name"]: b.get("weight", 1) for b in rule["backendRefs"]}
        if canary in weights:
            check(sum(weights.values()) == 100, f"weights {weights}")
        found.append(weights.get(canary, 0))
    return found


def with_header(shop: Shop, path: str, name: str) -> set[str]:
    """The versions that answer by a rule with a filter, each with its header."""
    versions = set()
    for _ in range(60):
        asked = urllib.request.Request(f"{shop.url()}{path}", headers={"Host": shop.host})
        with urllib.request.urlopen(asked, timeout=5) as answer:
            check(answer.headers[name] == "yes", f"the filter of /{path} was lost: {answer.headers}")
            versions.add(answer.headers["X-Version"])
    return versions


def moments_without(route: History, shop: Shop) -> list[int]:
    """When a backend got or lost its whole weight."""
    changes = weights(route)
    zeros = lambda shares: {name for name, weight in shares.items() if not weight}
    return [after.at for before, after in pairwise(changes) if zeros(before.shares) != zeros(after.shares) or set(before.shares) != set(after.shares)]


@scenario(core=False)
def several_routes(t: Context) -> None:
    """Two routes, one of several rules with filters, one of two parents: weights in all of them, edits and filters stay, no weight before every parent knows."""
    names = {"httpRoutes": [{"name": "checkout"}, {"name": "inside"}]}
    shop = t.shop(stages=STAGES, traffic=names, strategy={"readyWithin": "120s"})
    shop.rules = rules(shop)
    shop.start(gated=False)
    api.apply(inside(shop), "gitops")
    inside_before = api.get("HTTPRoute", shop.namespace, "inside")["spec"]
    shop.gate()
    routes = [shop.follow("HTTPRoute"), shop.follow("HTTPRoute", "inside")]
    clients = [shop.users(40), shop.users(40, f"{shop.url()}api"), shop.users(40, host=f"inside.{shop.host}")]
    own = shop.users(40, f"{shop.url()}own")

    # One parent of one route does not exist: nobody may be sent to the canary by any route.
    shop.deploy("v2")
    told = until(
        "it is told which parent has not answered", waits.RELEASE_ENDS,
        lambda: (m := shop.live_release()["status"].get("message", "")) and "HTTPRoute inside: parent Gateway side" in m and m, instead=shop.state,
    )
    time.sleep(5)  # nothing may come of it
    check(not any(w for route in routes for w in top_weights(route, shop)), "a route gave weight before every parent of every route knew")
    t.note(f"said: {told}")
    api.apply(side_gateway(shop), "gitops")
    until("the team's own Gateway is there", waits.PODS_READY, lambda: api.get("Gateway", shop.namespace, "side").get("status", {}).get("addresses"))
    side = gateway_url(shop.namespace, "side")
    shop.at_weight(25)
    for path, name in (("api", "x-of-rule"), ("own", "x-of-backend")):
        check(with_header(shop, path, name) == {"v1", "v2"}, f"not both versions answered by the rule of /{path}")
    until("the team's own Gateway answers", waits.ROUTE_ANSWERS, lambda: answers_at(side, f"inside.{shop.host}"))
    clients.append(shop.users(40, side, f"inside.{shop.host}"))

    # The owner edits a route in mid-release.
    shop.rules[2]["timeouts"] = EDIT
    api.apply(shop.route(), "gitops")
    shop.route_before["rules"][2]["timeouts"] = EDIT
    live = shop.live_route()
    check(live["spec"]["rules"][2].get("timeouts") == EDIT, "the edit was lost")
    check(min(weights_of_rules(live, shop.canary)) >= 25, f"the edit took the weights along: {live['spec']['rules']}")
    shop.at_weight(50)
    until("every route gives 50", 20, lambda: all(set(weights_of_rules(r.seen[-1].obj, shop.canary)) == {50} for r in routes), every=0.05)
    since = now_ms() + 500
    time.sleep(8)
    before = now_ms()
    check(all(set(weights_of_rules(r.seen[-1].obj, shop.canary)) == {50} for r in routes), "the stage was over before it was measured")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    live = shop.live_route()["spec"]
    check(live["rules"][2].get("timeouts") == EDIT and live["rules"][2]["backendRefs"][0]["weight"] == 7, f"the route ended as {live['rules']}")
    check(api.get("HTTPRoute", shop.namespace, "inside")["spec"] == inside_before, "the second route is not what it was")
    for route in routes:
        for seen in route.seen:
            check(len(set(weights_of_rules(seen.obj, shop.canary))) == 1, f"rules of one route differ: {seen.obj['spec']['rules']}")
        check([w for w in rising(route, shop) if w] == [w for w, _ in STAGES], f"weights {rising(route, shop)}")
    shares = [share_of(client, since, before) for client in clients]
    of_lot = share_of(own, since, before)
    answers, of_own = shop.all_answers(), own.so_far()
    # Envoy Gateway gives each backend of a rule in which one has filters a cluster of its own, and takes it away at weight 0:
    # for some milliseconds Envoy answers 500, as its route still names it. That is no promise of Tidegate's.
    excused = [a for a in of_own.failed() if (a.status, a.version) == (500, "-") and any(0 <= a.done - at < 1_000 for at in moments_without(routes[0], shop))]
    bad = Answers(a for a in answers.failed() if a not in excused)
    check(not bad, f"requests failed: {bad.examples()}")
    t.note(f"{len(excused)} of {len(of_own)} requests by the rule whose backend has filters met a cluster that Envoy Gateway had taken away at weight 0")
    check(all(abs(share - 50) <= TOLERANCE for share, _ in shares) and abs(of_lot[0] - 50) <= BY_LOT, f"shares at 50: {shares}, by lot {of_lot}")
    t.note("at weight 50, by rule and gateway: " + ", ".join(f"{share:.1f} % of {count}" for share, count in [*shares, of_lot]))
    t.note(f"seen by users: {answers.describe()}")


def top_weights(route: History, shop: Shop) -> list[int]:
    return [max(weights_of_rules(seen.obj, shop.canary)) for seen in route.seen]


def rising(route: History, shop: Shop) -> list[int]:
    """The canary's weights up to its highest."""
    weights = [weight for _, weight in canary_weights(route, shop.canary)]
    return weights[: weights.index(100) + 1]


def share_of(client: Client, since: int, before: int) -> tuple[float, int]:
    window = Answers(client.so_far()).between(since, before)
    return window.share("v2"), len(window)


def answers_at(url: str, host: str) -> bool:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=2).status == 200
    except OSError:
        return False
