import time

from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

STAGES = ((25, "15s"), (50, "15s"), (100, "4s"))
# Requests per second that go past the route, and what they make of the stage's share: 25 % becomes about 53, 50 % about 17.
PAST_TO_CANARY, PAST_TO_STABLE = 60, 200


@scenario(core=False)
def other_share(t: Context) -> None:
    """With `shareTolerancePercent` a client that goes past the route, to the canary or to stable, holds the stage by name; it goes on when that client stops."""
    shop = t.shop(stages=STAGES, analysis={"shareTolerancePercent": 50})
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    held_by(t, shop, 25, shop.canary, PAST_TO_CANARY)
    shop.at_weight(50, waits.RELEASE_ENDS)
    held_by(t, shop, 50, shop.name, PAST_TO_STABLE)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users, and past the route: {answers.describe()}")


def held_by(t: Context, shop: Shop, weight: int, service: str, rate: float) -> None:
    """A client asks a Service itself, is held for it, and is not any more when it stops."""
    where = api.get("Service", shop.namespace, service)["spec"]["clusterIP"]
    past = shop.users(rate, f"http://{where}/")
    held = until("it is held for the share", waits.RELEASE_TAKEN_UP, lambda: shop.held("OtherShare"), instead=shop.state)
    check(f"the route gives it {weight}" in held["message"], f"the hold does not say what the route gives: {held['message']}")
    for word in ("past the route", "shareTolerancePercent", "Not held against the new version"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    time.sleep(8)  # nothing may come of it
    check(shop.canary_weight() == weight, f"the weight went from {weight} to {shop.canary_weight()} while it was held")
    past.stop()
    ended = time.monotonic()
    until("it is not held any more", waits.RELEASE_ENDS, lambda: not shop.held("OtherShare"), instead=shop.state)
    t.note(f"{rate} requests a second to Service {service}: {held['message']}")
    t.note(f"went on {time.monotonic() - ended:.0f} s after that client had stopped")
