from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def label_removed(t: Context) -> None:
    """The label is taken off in mid-release: traffic goes home and nothing is let go; what runs when it is back is on record as a bypass."""
    shop = t.shop()
    attempt = shop.in_mid_release()
    shop.remember_attempts()

    def label(value: str | None) -> None:
        api.patch("Deployment", shop.namespace, shop.name, {"metadata": {"labels": {"tidegate.io/gated": value}}})

    label(None)
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    status = shop.record_named(attempt)["status"]
    check(status["outcome"] == "Abandoned", f"the attempt ended as {status['outcome']}")
    shop.leaves_nothing()
    check(shop.paused() and shop.running() == {"v1": 3}, f"the workload was left with {shop.running()}, held: {shop.paused()}")
    ready = shop.condition("Ready")
    check(ready["status"] == "False" and ready["reason"] == "NotGated", f"Ready says {ready}")
    t.note(f"attempt: {status['summary']}")
    t.note(f"said: {ready['message']}")

    # Without the label nothing is held: whoever resumes it ships it.
    api.patch("Deployment", shop.namespace, shop.name, {"spec": {"paused": False}})
    until("the workload runs v2", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.running)
    label("")
    record = until("what ran ungated is on record", waits.RELEASE_TAKEN_UP, shop.ended, instead=shop.state)
    check(record["status"]["outcome"] == "Bypassed", f"it is on record as {record['status']['outcome']}")
    t.note(f"then: {record['status']['summary']}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
