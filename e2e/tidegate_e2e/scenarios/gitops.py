import threading

from .. import api
from ..history import canary_weights
from ..scenario import Context, scenario
from ..shop import STAGES
from ..waits import check

EVERY = 2  # seconds


@scenario()
def gitops(t: Context) -> None:
    """The same manifests are applied by force every two seconds throughout: no fight, and the weights hold."""
    shop = t.shop(rate=150)
    shop.start()
    route, workload = shop.follow("HTTPRoute"), shop.follow("Deployment")
    shop.users()
    shop.deploy("v2")
    over, refused = threading.Event(), []

    def sync() -> None:
        while not over.wait(EVERY):
            for obj in shop.manifests():
                try:
                    api.apply(obj, "flux")
                except api.Refused as error:
                    refused.append(f"{obj['kind']}: {error}")

    syncing = threading.Thread(target=sync)
    syncing.start()
    t.afterwards(over.set)
    shop.ends("Succeeded")
    over.set()
    syncing.join()
    shop.leaves_nothing()
    answers = shop.all_answers()

    check(not refused, f"applies were refused: {refused[:3]}")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    weights = [w for _, w in canary_weights(route, shop.canary)]
    wanted = [w for w, _ in STAGES]
    rising = weights[: weights.index(100) + 1]
    check([w for w in rising if w] == wanted and rising == sorted(rising), f"the weights did not hold: {weights}")
    flips = [s.obj["spec"].get("paused", False) for s in workload.seen]
    turns = sum(a != b for a, b in zip(flips, flips[1:]))
    check(turns <= 2, f"spec.paused changed {turns} times, not twice")
    t.note(f"weights {weights}, {len(route.seen)} versions of the route; seen by users: {answers.describe()}")
