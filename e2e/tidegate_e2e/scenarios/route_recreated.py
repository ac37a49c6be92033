from .. import api, waits
from ..history import weight_of
from ..load import Answers
from ..scenario import Context, scenario
from ..waits import check, now_ms, until
from .autoscaler import CPU
from .rollback_in_verify import BUDGET, comes_back, mended

STEERED = 10  # seconds: a watch tells of the new route, and one look writes it; the rest is for two busy cores
TAKEN_UP = 1_000  # milliseconds that the router has for a write, as everywhere


@scenario(core=False)
def route_recreated(t: Context) -> None:
    """After a late rollback the HTTPRoute is deleted and made anew as Git has it: users get the previous version again at once, it stays, and a revert ends it as usual.

    Between the deletion and the first write of Tidegate nobody can be protected: there is no route, and then one that
    leads to the Service alone. So users may see no answer from the deletion until the router has the new route, and the
    version that came back from then until the router has Tidegate's write; nothing of it before or after.
    """
    contract = {"errorRatePercent": 5, "latencyAdded": "5s", "timeBudget": f"{BUDGET}s"}
    shop = t.shop(rate=150, strategy={"verify": "30s"}, rollback=contract)
    shop.start()
    api.apply(shop.autoscaler(15, CPU), "gitops")
    shop.users()
    version, began, home = comes_back(t, shop, "v2")
    kept = api.get("Deployment", shop.namespace, shop.previous)["metadata"]["uid"]
    route = shop.follow("HTTPRoute")

    deleted = now_ms()
    api.delete("HTTPRoute", shop.namespace, shop.name)
    says = lambda: (ready := shop.condition("Ready")).get("reason") == "RouteMissing" and ready
    ready = until("Ready says that the route is gone", waits.RELEASE_TAKEN_UP, says, instead=shop.state)
    check("The previous version stays" in ready["message"], f"what becomes of the users is not said: {ready}")
    check(stands(shop.namespace, shop.previous) == kept, "the previous version went with the route")

    created = now_ms()
    anew = api.apply(shop.route(), "gitops")["metadata"]["uid"]
    divided = lambda r: r["metadata"]["uid"] == anew and weight_of(r, shop.previous) == 100
    at = route.wait_for("the new route leads to the previous version", STEERED, divided)
    steered = route.seen[at].at
    told = until("an event tells of it", waits.RELEASE_TAKEN_UP, lambda: shop.events("SentBack"), instead=shop.state)
    check("until Git reverts or fixes" in told[-1]["message"], f"what to do is not said: {told[-1]}")
    serving = lambda: shop.so_far().between(steered + TAKEN_UP, now_ms())
    until("they have answered a while", waits.GONE, lambda: len(serving()) > 1_000)
    check(set(serving().versions()) == {"v1"} and not serving().failed(), f"after the new route was divided users saw {serving().describe()}")
    check(stands(shop.namespace, shop.previous) == kept, "the previous version was replaced")

    mended(t, shop, "v1")
    answers = shop.all_answers()
    gone = [a for a in answers.of("-") if not deleted <= a.sent < steered + TAKEN_UP]
    check(not gone, f"requests were not answered with a route in place: {Answers(gone).examples()}")
    after = [a for a in answers.of(version) if a.sent >= home + TAKEN_UP]
    outside = [a for a in after if not created <= a.sent < steered + TAKEN_UP]
    check(not outside, f"{version} got users although it came back: {Answers(outside).examples()}")
    bad = [a for a in answers.failed() if a.version == version and not (began <= a.done and a.sent < home + TAKEN_UP or created <= a.sent < steered + TAKEN_UP)]
    bad += [a for a in answers.failed() if a.version not in ("-", version)]
    check(not bad, f"requests failed that nothing explains: {Answers(bad).examples()}")
    t.note(f"no route for {(created - deleted) / 1000:.1f} s; {(steered - created) / 1000:.2f} s from the new route to the previous version, in which {len(after)} requests went to {version}")
    t.note(f"seen by users: {answers.describe()}")


def stands(namespace: str, name: str) -> str | None:
    found = api.find("Deployment", namespace, name)
    return None if found is None or "deletionTimestamp" in found["metadata"] else found["metadata"]["uid"]
