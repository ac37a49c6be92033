from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until
from .quota_in_promotion import STRATEGY, quota, says_why


@scenario(core=False)
def quota_in_roll(t: Context) -> None:
    """A quota made while the workload rolls stops the roll: users notice nothing, the previous version serves, and a revert mends it."""
    shop = t.shop(strategy=STRATEGY)
    shop.start()
    shop.users()
    release = shop.follow("GatedRelease")
    shop.deploy("v2")
    record = shop.follow("ReleaseRecord", shop.taken_up()["metadata"]["name"])
    record.wait_for("the workload rolls", 120, lambda r: r["status"].get("promotion", {}).get("resumedAt"))
    api.apply(quota(shop, 3), "admin")
    status = shop.ends("RolledBack")["status"]
    rollback = status["rollback"]
    check((rollback["trigger"], rollback["phase"]) == ("NotReady", "Promote"), f"it came back by {rollback}")
    check(not shop.so_far().failed(), f"requests failed: {shop.so_far().failed().examples()}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; left with {shop.running()}, traffic to {rollback['trafficTo']}: {status['summary']}")
    api.delete("ResourceQuota", shop.namespace, "small")
    shop.deploy("v1")
    whole = lambda: shop.running() == {"v1": 3} and shop.all_ready() and not shop.paused()
    until("the workload is whole again", waits.RELEASE_ENDS, whole, instead=lambda: f"{shop.running()}, {shop.state()}")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
    says_why(t, release)
