from .. import api
from ..load import Answers
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, ms_of
from .errors import SHARE_OF_ERRORS, only_the_canary_fails, stays_at_stable

# A Service picks a pod by lot for each connection: of 600 requests a share is off by less than this.
TOLERANCE = 6.0  # points


def shares(record: api.Object) -> list[tuple[int, str]]:
    """For each stage the weight that was asked for, and the pods that got it."""
    return [(s["weight"], f"{s['pods']['new']} of {s['pods']['of']}") for s in record["status"]["stages"]]


def users_got_what_is_on_record(t: Context, record: api.Object, answers: Answers, version: str) -> None:
    for stage in record["status"]["stages"]:
        window = answers.between(ms_of(stage["startedAt"]) + 500, ms_of(stage["passedAt"]))
        promised, got = 100 * stage["pods"]["new"] / stage["pods"]["of"], window.share(version)
        check(len(window) > 300, f"only {len(window)} requests in the stage of {stage['weight']} %")
        check(abs(got - promised) <= TOLERANCE, f"{got:.1f} % of {len(window)} requests saw {version} where {stage['pods']} are on record")
        check(f"{stage['pods']['new']} of {stage['pods']['of']} pods" in stage["verdict"], f"the verdict does not name the share: {stage['verdict']}")
        t.note(f"stage of {stage['weight']} %: {promised:.1f} % by pods, {got:.1f} % of {len(window)} requests")


def events(shop: Shop) -> dict[str, str]:
    return {e["reason"]: e["message"] for e in api.every("Event", shop.namespace)}


@scenario()
def by_count(t: Context) -> None:
    """Without a route a good version is released by the number of its pods and a bad one comes back; users got what the record says."""
    shop = t.shop(replicas=4, routed=False)
    shop.start()
    shop.users()
    shop.deploy("v2")
    good = shop.ends("Succeeded")
    shop.leaves_nothing()
    check(shares(good) == [(5, "1 of 5"), (25, "1 of 5"), (50, "4 of 8")], f"the record says {shares(good)}")
    check(shop.running() == {"v2": 4} and not shop.paused(), f"the workload ended with {shop.running()}, held: {shop.paused()}")
    coarse = events(shop).get("CoarseShare", "")
    check("1 of 5 pods (20 %)" in coarse, f"nobody was told how coarse it is: {coarse or 'no event'}")
    so_far = shop.so_far()
    users_got_what_is_on_record(t, good, so_far, "v2")
    check(not so_far.failed(), f"requests failed: {so_far.failed().examples()}")

    shop.deploy("v3", ERROR_RATE=str(SHARE_OF_ERRORS))
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    stays_at_stable(shop)
    answers = shop.all_answers()
    check((rollback["trigger"], rollback["phase"], rollback["fromWeight"]) == ("ErrorRate", "Release", 20), f"it came back by {rollback}")
    check(rollback["withinTimeBudget"], f"it took {rollback['took']}")
    check(shop.running() == {"v2": 4}, f"the workload runs {shop.running()}")
    only_the_canary_fails(answers, "v3")
    canary = answers.of("v3")
    check(len(canary.failed()) <= len(canary) * SHARE_OF_ERRORS + 1, f"{len(canary.failed())} of the canary's {len(canary)} requests failed")
    t.note(f"{rollback['trigger']} {rollback['value']}, limit {rollback['threshold']}; its pods gone after {rollback['took']}")
    t.note(f"seen by users: {answers.describe()}")
