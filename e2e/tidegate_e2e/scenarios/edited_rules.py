import time

from .. import api, waits
from ..history import History
from ..load import Answers, Client
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until

STAGES = ((25, "40s"), (50, "10s"), (100, "6s"))
TOLERANCE = 6.0  # points, of some hundred requests
MEASURED = 10  # seconds


def rule(shop: Shop, path: str, weight: int, **more: object) -> api.Object:
    backend = {"name": shop.name, "port": 80, "weight": weight}
    return {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": [backend], **more}


def by_path(route: api.Object) -> dict[str, dict[str, int]]:
    """What each rule gives to each backend, in the order of the rules."""
    rules = route["spec"]["rules"]
    return {r["matches"][0]["path"]["value"]: {b["name"]: b.get("weight", 1) for b in r["backendRefs"]} for r in rules}


def share(client: Client, since: int, before: int) -> tuple[float, int]:
    window = Answers(client.so_far()).between(since, before)
    return window.share("v2"), len(window)


@scenario(core=False)
def edited_rules(t: Context) -> None:
    """In mid-release the owner puts a rule in at the top, turns the others round and takes one out: each rule has the stage's share, and his weights at the end."""
    shop = t.shop(stages=STAGES)
    shop.rules = [rule(shop, "/api", 7), rule(shop, "/old", 3), rule(shop, "/", 5)]
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.deploy("v2")
    shop.at_weight(25)

    edited = [rule(shop, "/new", 9, timeouts={"request": "7s"}), rule(shop, "/", 5), rule(shop, "/api", 7)]
    shop.rules = edited
    api.apply(shop.route(), "gitops")
    wanted = {shop.name: 75, shop.canary: 25}
    live = by_path(shop.live_route())
    check(list(live) == ["/new", "/", "/api"], f"the edit was lost: {live}")
    check(live["/"] == wanted and live["/api"] == wanted, f"the edit took the weights along: {live}")
    until("the new rule takes part", waits.ROUTE_ANSWERS, lambda: by_path(shop.live_route())["/new"] == wanted, every=0.1, instead=shop.state)
    until("the new rule answers", waits.ROUTE_ANSWERS, lambda: shop.answers(f"{shop.url()}new"))

    clients = {path: shop.users(40, f"{shop.url()}{path.removeprefix('/')}") for path in live}
    time.sleep(1)  # what was asked before the router had the edit is not counted
    since = now_ms()
    time.sleep(MEASURED)
    before = now_ms()
    check(set(by_path(route.seen[-1].obj)["/new"].items()) == set(wanted.items()), "the stage was over before it was measured")
    shares = {path: share(client, since, before) for path, client in clients.items()}
    t.note("at weight 25: " + ", ".join(f"{path} {percent:.1f} % of {count}" for path, (percent, count) in shares.items()))
    check(all(abs(percent - 25) <= TOLERANCE for percent, _ in shares.values()), f"shares at 25: {shares}")

    shop.ends("Succeeded")
    shop.route_before["rules"] = as_stored(edited)
    shop.leaves_nothing()
    check_alike(route, shop)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")


def as_stored(rules: list[api.Object]) -> list[api.Object]:
    """The owner's rules with the defaults that the API server writes into their backends."""
    return [{**r, "backendRefs": [{"group": "", "kind": "Service", **backend} for backend in r["backendRefs"]]} for r in rules]


def check_alike(route: History, shop: Shop) -> None:
    """Every rule that names the canary gives it the same share; one that its owner has just put in may not name it yet."""
    for seen in route.seen:
        given = {weights[shop.canary] for weights in by_path(seen.obj).values() if shop.canary in weights}
        check(len(given) <= 1, f"rules of the route differ: {by_path(seen.obj)}")
