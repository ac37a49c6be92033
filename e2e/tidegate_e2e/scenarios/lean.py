from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def lean(t: Context) -> None:
    """`capacity: Lean`: the canary stops at half of the traffic, and a release of 4 pods never has more than 11."""
    shop = t.shop(rate=100, replicas=4, strategy={"capacity": "Lean"})
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users()
    shop.deploy("v2")
    most = 0

    def ended() -> object:
        nonlocal most
        pods = [p for p in api.every("Pod", shop.namespace) if p["status"]["phase"] in ("Pending", "Running")]
        most = max(most, len([p for p in pods if "deletionTimestamp" not in p["metadata"]]))
        return shop.ended()

    record = until("the release ends", waits.RELEASE_ENDS, ended, instead=shop.state)
    check(record["status"]["outcome"] == "Succeeded", f"it ended as {record['status']['outcome']}")
    shop.leaves_nothing()
    weights = [s["weight"] for s in record["status"]["stages"]]
    check(weights == [5, 25, 50], f"stages {weights}")
    check(most <= 11, f"{most} pods at the height")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    seen = len(route.seen)
    t.note(f"at most {most} pods (Full would need {4 * 3 + 1}), {seen} versions of the route; seen by users: {answers.describe()}")
