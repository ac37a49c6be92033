from .. import api, bed, waits
from ..scenario import Context, scenario
from ..waits import check, until

GLASS = "tidegate.io/break-glass"


@scenario(core=False)
def break_glass_stands(t: Context) -> None:
    """Nobody deletes the line that let v2 through: v3 is held all the same and says why, ships in stages when Git takes it off, and an undo that brings the line back passes no gate."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2", {"break-glass": "INC-7"})
    shop.ends("Bypassed")
    until("the workload runs v2", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)

    shop.deploy("v3", {"break-glass": "INC-7"})
    check(shop.paused(), "v3 runs ungated under the reason that let v2 through")
    because = annotations(shop.live())["tidegate.io/paused-because"]
    check(because.endswith(f"kubectl annotate deployment {shop.name} -n {shop.namespace} {GLASS}-"), f"it does not say what to type: {because}")
    t.note(because)
    shop.taken_up()

    # Git takes it off, with nothing else.
    shop.change = {key: value for key, value in shop.change.items() if key != GLASS}
    api.apply(shop.workload(), "gitops")
    live = annotations(shop.live())
    check(GLASS not in live and live.get(f"{GLASS}-spent") == "INC-7", f"what stands there now: {live}")
    shop.ends("Succeeded")
    shop.leaves_nothing()

    # The ReplicaSet of v2 has the annotations of that time, and an undo brings all of them.
    shop.remember_attempts()
    bed.kubectl("rollout", "undo", f"deployment/{shop.name}", "-n", shop.namespace)
    live = annotations(shop.live())
    check(live.get(GLASS) == "INC-7", f"the undo brought no reason, so nothing was tried: {live}")
    undone = until("the undo is closed", waits.RELEASE_ENDS, shop.ended, instead=shop.state)["status"]
    check(undone["outcome"] != "Bypassed", f"the undo ran ungated: {undone}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"the undo ended as {undone['outcome']}: {undone['summary']}; seen by users: {answers.describe()}")


def annotations(workload: api.Object) -> dict[str, str]:
    return workload["metadata"].get("annotations", {})
