from .. import prometheus
from ..history import canary_weights
from ..load import Answers
from ..scenario import Context, scenario
from ..shop import Shop, version_of
from ..waits import Failed, check, now_ms

SHARE_OF_ERRORS = 0.2


def stays_at_stable(shop: Shop) -> None:
    """After a rollback: traffic home, canary gone, the workload held with the bad template, stable whole."""
    shop.leaves_nothing()
    live = shop.live()
    check(shop.paused(), "the workload is not held")
    check(version_of(live) == shop.version, f"the workload's template is {version_of(live)}, not what Git says, {shop.version}")
    ready = live["status"].get("readyReplicas", 0)
    check(ready == shop.replicas, f"stable has {ready} of {shop.replicas} pods")


def only_the_canary_fails(answers: Answers, bad: str) -> None:
    others = Answers(a for a in answers.failed() if a.version != bad)
    check(not others, f"requests failed that the canary does not explain: {others.examples()}")


@scenario()
def errors(t: Context) -> None:
    """A version with 20 % errors comes back by itself, and no more fails than its share explains."""
    shop = t.shop(rate=200)
    shop.start()
    route, workload = shop.follow("HTTPRoute"), shop.follow("Deployment")
    shop.users()
    began = now_ms()
    shop.deploy("v2", ERROR_RATE=str(SHARE_OF_ERRORS))
    status = shop.ends("RolledBack")["status"]
    stays_at_stable(shop)
    answers = shop.all_answers()

    rollback = status["rollback"]
    check(rollback["trigger"] == "ErrorRate", f"the trigger was {rollback['trigger']}")
    for kept in ("value", "threshold", "at", "homeAt", "took", "withinTimeBudget", "stateAfter"):
        check(kept in rollback, f"the record does not say {kept}: {rollback}")
    only_the_canary_fails(answers, "v2")
    canary = answers.of("v2")
    most = len(canary) * SHARE_OF_ERRORS + shop.replicas  # each pod rounds its own share
    check(len(canary.failed()) <= most, f"{len(canary.failed())} requests failed, at most {most:.0f} are the canary's share")
    least = min(s.obj["status"].get("readyReplicas", 0) for s in workload.seen)
    check(least >= shop.replicas, f"stable fell to {least} ready pods of {shop.replicas}")
    changes = canary_weights(route, shop.canary)
    weights = [weight for _, weight in changes]
    after = weights[weights.index(max(weights)) :]
    check(after == sorted(after, reverse=True), f"the weight rose after the rollback: {weights}")

    first_failure = prometheus.first_true(f'http_requests_total{{namespace="{shop.namespace}",service="{shop.canary}",status="500"}} > 0', began, now_ms())
    last_answer = max(a.done for a in canary)
    if first_failure is None:
        raise Failed("Prometheus saw no failure of the canary")
    t.note(f"from the first failed sample in Prometheus to the last answer of the canary: {(last_answer - first_failure) / 1000:.1f} s")
    t.note(f"{rollback['trigger']} {rollback['value']}, limit {rollback['threshold']}; traffic home after {rollback['took']}")
    t.note(f"seen by users: {answers.describe()}")
