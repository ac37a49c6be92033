import time

from .. import api
from ..history import History
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until
from .detached import leaves
from .edited_rules import MEASURED, STAGES, TOLERANCE, as_stored, by_path, rule

GIVEN_BACK = 5  # seconds: one look after the write, on two busy cores


def is_ours(route: api.Object) -> bool:
    """Whether its rules are Tidegate's by field management, so that an apply without force is refused."""
    entries = route["metadata"].get("managedFields", [])
    return any(e["manager"] == "tidegate" and "f:spec" in e.get("fieldsV1", {}) for e in entries)


def edit(shop: Shop, timeout: int, wait: bool = True) -> None:
    """The owner changes his rules without force; who is refused raises."""
    if wait:
        until("the rules are given back", GIVEN_BACK, lambda: not is_ours(shop.live_route()), every=0.1, instead=shop.state)
    shop.rules = [rule(shop, "/", 5, timeouts={"request": f"{timeout}s"})]
    before = shop.live_route()
    api.apply(shop.route(), "gitops", force=False)
    after = shop.live_route()
    check(after["spec"]["rules"][0]["timeouts"] == {"request": f"{timeout}s"}, f"the edit was lost: {after['spec']['rules']}")
    check(by_path(after) == by_path(before), f"the edit took the weights along: {by_path(before)} became {by_path(after)}")
    shop.route_before["rules"] = as_stored(shop.rules)


def longest(route: History) -> int:
    """For how many milliseconds at most the owner would have been refused."""
    most, since = 0, None
    for seen in route.seen:
        if is_ours(seen.obj):
            since = seen.at if since is None else since
        elif since is not None:
            most, since = max(most, seen.at - since), None
    check(since is None, "the rules were not given back")
    return most


@scenario(core=False)
def unforced_apply(t: Context) -> None:
    """The owner edits the route without force, as Helm 4 and `kubectl apply --server-side` do: in mid-release, in Verify, after the end and after a detach; none is refused, and the weights stay."""
    shop = t.shop(rate=100, stages=STAGES, strategy={"verify": "20s"})
    shop.rules = [rule(shop, "/", 5)]
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users(60)
    shop.deploy("v2")
    shop.at_weight(25)
    edit(shop, 7)
    time.sleep(1)  # what was asked before the router had the edit is not counted
    since = now_ms()
    time.sleep(MEASURED)
    # Over all clients: the router counts turns, and one of several in step may always meet the same version.
    window = shop.so_far().between(since, now_ms())
    percent, count = window.share("v2"), len(window)
    check(by_path(shop.live_route())["/"][shop.canary] == 25, "the stage was over before it was measured")
    check(abs(percent - 25) <= TOLERANCE, f"v2 had {percent:.1f} % of {count} requests at weight 25")
    t.note(f"after the edit at weight 25: {percent:.1f} % of {count} requests")

    shop.in_phase("Verify")
    edit(shop, 8)
    shop.ends("Succeeded")
    edit(shop, 9)
    shop.leaves_nothing()

    shop.deploy("v3")
    shop.at_weight(25)
    edit(shop, 10)
    leaves(shop)
    # Nobody would give them back any more.
    edit(shop, 11, wait=False)
    shop.leaves_nothing()
    refused_for = longest(route)
    check(refused_for <= GIVEN_BACK * 1_000, f"the rules were Tidegate's for {refused_for} ms")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"an apply without force would have been refused for {refused_for} ms at most; seen by users: {answers.describe()}")
