from .. import ledger
from ..history import weight_of
from ..scenario import Context, scenario
from ..waits import check


@scenario(core=False)
def superseded(t: Context) -> None:
    """A third version arrives while the second is a canary: the second goes home, the third starts from stage one; each is charged."""
    shop = t.shop(rate=100)
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    second = shop.taken_up()["metadata"]["name"]
    start = len(route.seen)
    shop.deploy("v3")
    third = shop.ends("Succeeded")
    shop.leaves_nothing()
    ledger.settles(shop, shop.record_named(second), third)
    answers = shop.all_answers()

    outcome = next(r["status"].get("outcome") for r in shop.records() if r["metadata"]["name"] == second)
    check(outcome == "Superseded", f"the second attempt ended as {outcome}")
    weights = [weight_of(seen.obj, shop.canary) for seen in route.seen[start:]]
    check(0 in weights and max(weights[: weights.index(0)], default=0) <= 25, f"v2 was raised after v3 arrived: {weights}")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    last_v2, first_v3 = max(a.done for a in answers.of("v2")), min(a.sent for a in answers.of("v3"))
    check(last_v2 < first_v3, f"v3 was served {last_v2 - first_v3} ms before v2 was gone")
    t.note(f"seen by users: {answers.describe()}")
