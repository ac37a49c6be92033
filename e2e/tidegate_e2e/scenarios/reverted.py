from ..scenario import Context, scenario
from ..waits import GONE, check, until


@scenario(core=False)
def reverted(t: Context) -> None:
    """Git goes back to stable in mid-release: traffic goes home first, then the Deployment is let go, and no pod restarts."""
    shop = t.shop(rate=100)
    shop.start()
    pods = shop.stable_pods()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    attempt = shop.taken_up()["metadata"]["name"]
    shop.deploy("v1")
    until("the attempt is closed", GONE, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    shop.leaves_nothing()
    until("the Deployment is let go", GONE, lambda: not shop.paused(), instead=shop.state)
    answers = shop.all_answers()

    outcome = shop.record_named(attempt)["status"]["outcome"]
    check(outcome == "Reverted", f"the attempt ended as {outcome}")
    check(shop.stable_pods() == pods, "pods of stable were replaced")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
