from .. import api, waits
from ..scenario import Context, scenario
from ..shop import OWN_COUNTS
from ..waits import check, until
from .errors import only_the_canary_fails

QUICK = ((25, "4s"), (100, "4s"))
EXPRESS = [(5, "5m"), (50, "5m"), (100, "0s")]


@scenario(core=False)
def revert_lately(t: Context) -> None:
    """Back to the version before a completed one: type Rollback, by the shortest schedule, under a spent budget that holds a feature."""
    slo = {"name": "availability", "objective": 95, "window": "10m", "promql": OWN_COUNTS}
    shop = t.shop(stages=QUICK, slos=[slo])
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.ends("Succeeded")
    shop.leaves_nothing()

    shop.spoil("v2", error_rate="0.3")
    spent = lambda: (budget := shop.budget() or {}).get("status") in ("Critical", "Emergency") and budget
    budget = until("the budget is spent", waits.BUDGET_MEASURED, spent, instead=shop.budget)
    shop.deploy("v3", {"change-type": "Feature"})
    held = until("a feature is held", waits.RELEASE_TAKEN_UP, lambda: shop.held("BudgetFreeze"), instead=shop.state)
    t.note(f"budget {budget['status']}, {budget['remainingPercent']} % left; v3: {held['reason']}")
    feature = shop.taken_up()["metadata"]["name"]

    shop.deploy("v1", {"change-type": "Feature"})  # what it claims does not matter
    back = shop.ends("Succeeded")
    shop.leaves_nothing()
    check(back["spec"]["change"]["type"] == "Rollback", f"the revert is on record as {back['spec']['change']}")
    check(stages(back) == list(QUICK), f"it went by {stages(back)}, and the manifest's {QUICK} is the shortest schedule")
    check(back["status"]["budget"]["status"] in ("Critical", "Emergency"), f"it began with the budget at {back['status']['budget']}")
    check(shop.record_named(feature)["status"]["outcome"] == "Superseded", "v3's record does not say Superseded")
    check(shop.running() == {"v1": 3} and not shop.paused(), f"the workload ended with {shop.running()}")
    answers = shop.all_answers()
    only_the_canary_fails(answers, "v2")
    check(not answers.of("v3"), "users saw v3")
    t.note(f"{back['metadata']['name']}: {back['spec']['change']}, stages {stages(back)}, budget {back['status']['budget']}")
    t.note(f"seen by users: {answers.describe()}")

    # It was left by a return: it does not become a return itself.
    shop.deploy("v2", {"change-type": "Feature"})
    again = until("the version that was left is held", waits.RELEASE_TAKEN_UP, lambda: shop.held("BudgetFreeze"), instead=shop.state)
    check(shop.taken_up()["spec"]["change"]["type"] != "Rollback", f"v2 again is on record as {shop.taken_up()['spec']['change']}")
    t.note(f"v2 again: {again['message']}")

    express(t)


def express(t: Context) -> None:
    """Where the manifest's own schedule is slower, Express is the shortest."""
    shop = t.shop("-slower", stages=QUICK)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.ends("Succeeded")
    slower = shop.gated_release()
    slower["spec"]["strategy"] = {"schedule": "Conservative"}
    api.apply(slower, "gitops")
    shop.deploy("v1")
    back = shop.in_phase("Stage")
    check(back["spec"]["change"]["type"] == "Rollback", f"the revert is on record as {back['spec']['change']}")
    check(stages(back) == EXPRESS, f"with a Conservative manifest it goes by {stages(back)}")
    t.note(f"with a Conservative manifest a revert goes by {stages(back)}")


def stages(record: dict) -> list[tuple[int, str]]:
    return [(stage["weight"], stage["bake"]) for stage in record["status"]["stages"]]
