import time

from .. import ledger, waits
from ..history import weight_of
from ..load import Answers
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until

STAGES = ((25, "40s"), (100, "4s"))
SETTLES = 2_000  # milliseconds in which endpoints reach the gateway


@scenario(core=False)
def stable_unready(t: Context) -> None:
    """Stable's pods get unready beside a canary that turns bad: users stay with who answers and a newer template waits; one pod is back, and all go home."""
    shop = t.shop(rate=60, stages=STAGES)
    attempt = shop.in_mid_release()
    route = shop.follow("HTTPRoute")
    check(not shop.so_far().failed(), f"requests failed before: {shop.so_far().failed().examples()}")

    went = now_ms()
    check(shop.spoil("v1", ready="false") == 3, "stable has not three pods")
    until("no pod of stable is ready", waits.PODS_READY, lambda: not ready_pods(shop))
    time.sleep(5)  # nothing may come of it: the canary did nothing wrong, and answers
    check(shop.canary_weight() == 25 and not shop.record_named(attempt)["status"].get("rollback"), f"a good canary was taken away: {shop.state()}")

    since = len(route.seen)
    shop.spoil("v2", error_rate="0.5")
    held = until("it is held where it is", waits.RELEASE_TAKEN_UP, lambda: shop.held("NoWayBack"), instead=shop.state)
    for words in ("no pod of stable is ready", f"kubectl get pods -n {shop.namespace}", "goes home as soon as one is"):
        check(words in held["message"], f"the hold does not say {words!r}: {held['message']}")
    t.note(f"held: {held['message']}")
    holds = now_ms()
    shop.deploy("v3")
    time.sleep(6)  # nothing may come of it either
    back = now_ms()
    check(not shop.record() and bool(shop.held("NoWayBack")), f"the newer template did not wait: {shop.state()}")
    taken = [weight_of(seen.obj, shop.canary) for seen in route.seen[since:]]
    check(not taken or min(taken) >= 25, f"users were sent to nobody: weights {taken}")
    meanwhile = shop.so_far().between(holds, back - 1_000)
    check(meanwhile.share("v2") >= 20, f"the canary's users lost it: {meanwhile.describe()}")
    t.note(f"while only the canary was ready: {meanwhile.describe()}")

    # One pod is enough to go home to.
    check(shop.spoil("v1", 1, ready="true") == 1, "no pod of stable is left")
    route.wait_for("traffic is home", 40, lambda r: weight_of(r, shop.canary) == 0, since)
    home = now_ms()
    shop.spoil("v1", ready="true")
    until("stable is whole", waits.PODS_READY, lambda: ready_pods(shop) == 3)
    whole = now_ms()
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    status = shop.record_named(attempt)["status"]
    check(status["outcome"] in ("Superseded", "RolledBack"), f"it ended as {status['outcome']}: {status['summary']}")
    t.note(f"one pod ready to traffic home: {(home - back) / 1000:.1f} s; then: {status['summary']}")
    third = shop.ends("Succeeded")
    shop.leaves_nothing()
    ledger.settles(shop, shop.record_named(attempt), third)
    answers = shop.all_answers()
    bad = Answers(a for a in answers.failed() if a.version != "v2" and not went <= a.done < whole + SETTLES)
    check(not bad, f"requests failed while stable was ready: {bad.examples()}")
    late = answers.between(home + SETTLES, now_ms()).of("v2")
    check(not late, f"{len(late)} requests reached the bad canary after it went home")
    t.note(f"seen by users: {answers.describe()}")


def ready_pods(shop: Shop) -> int:
    return shop.live()["status"].get("readyReplicas", 0)
