from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def break_glass_in_promotion(t: Context) -> None:
    """Another version comes under break-glass while the workload takes v2 over: it gets the traffic when ready, and is on record."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    second = shop.in_phase("Promote")["metadata"]["name"]
    shop.remember_attempts()
    shop.version, shop.change = "v3", {"tidegate.io/break-glass": "checkout is down", "tidegate.io/change": "git:v3"}
    api.apply(shop.workload(), "gitops")
    record = until("the bypass is on record", waits.RELEASE_ENDS, shop.ended, instead=shop.state)
    check(record["status"]["outcome"] == "Bypassed", f"it ended as {record['status']['outcome']}")
    check("checkout is down" in record["status"]["summary"], record["status"]["summary"])
    check(shop.record_named(second)["status"]["outcome"] == "Superseded", "v2's record does not say Superseded")
    shop.leaves_nothing()
    check(shop.running() == {"v3": 3}, f"the workload runs {shop.running()}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
