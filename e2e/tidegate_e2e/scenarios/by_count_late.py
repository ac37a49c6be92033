from .. import waits
from ..scenario import Context, scenario
from ..waits import check, until
from .errors import only_the_canary_fails


@scenario(core=False)
def by_count_late(t: Context) -> None:
    """Without a route a version that hurts in Verify has no way back: that is said with the command to type, and a revert ships at once."""
    shop = t.shop(routed=False, strategy={"verify": "60s"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.in_phase("Verify")
    attempt = shop.taken_up()["metadata"]["name"]
    check(shop.running() == {"v2": 3}, f"the workload runs {shop.running()} in Verify")
    shop.spoil("v2", error_rate="0.2")
    held = until("it is said that there is no way back", waits.RELEASE_TAKEN_UP, lambda: shop.held("NoWayBack"), instead=shop.state)
    for word in ("Revert", f"kubectl rollout undo deployment/{shop.name} -n {shop.namespace}"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    t.note(held["message"])
    shop.deploy("v1")
    until("the revert runs", waits.PODS_READY, lambda: shop.running() == {"v1": 3} and shop.all_ready(), instead=shop.state)
    until("the attempt is closed", waits.GONE, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    outcome = shop.record_named(attempt)["status"]["outcome"]
    check(outcome in ("RolledBack", "Reverted"), f"the attempt ended as {outcome}")
    shop.leaves_nothing()
    until("the workload is let go", waits.GONE, lambda: not shop.paused(), instead=shop.state)
    answers = shop.all_answers()
    only_the_canary_fails(answers, "v2")
    t.note(f"ended as {outcome}; seen by users: {answers.describe()}")
