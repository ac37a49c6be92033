from .. import api
from ..history import History
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check

STRATEGY = {"readyWithin": "20s"}


def quota(shop: Shop, pods: int) -> api.Object:
    """No pod is made beyond so many."""
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": shop.meta("small"), "spec": {"hard": {"pods": str(pods)}}}


def says_why(t: Context, release: History) -> None:
    """Somebody who looked while it waited could read which quota keeps pods from being made."""
    statuses = [seen.obj.get("status", {}) for seen in release.seen]
    told = [text for s in statuses for text in (s.get("message", ""), *(c["message"] for c in s.get("conditions", [])))]
    promoting = list(dict.fromkeys(s.get("message", "") for s in statuses if s.get("phase") == "Promote"))
    check(any("quota" in text and "small" in text for text in told), f"nothing that was said names the quota; in Promote it said: {promoting}")
    t.note(f"said: {next(text for text in told if 'quota' in text and 'small' in text)}")


@scenario(core=False)
def quota_in_promotion(t: Context) -> None:
    """A quota made after the start leaves no room for the previous version: users notice nothing, it comes back, and why is said."""
    shop = t.shop(strategy=STRATEGY)
    shop.start()
    shop.users()
    release = shop.follow("GatedRelease")
    shop.deploy("v2")
    shop.at_weight(100)
    api.apply(quota(shop, 3), "admin")
    record = shop.ends("RolledBack")
    shop.leaves_nothing()
    rollback = record["status"]["rollback"]
    check((rollback["trigger"], rollback["phase"]) == ("NotReady", "Promote"), f"it came back by {rollback}")
    check(shop.running() == {"v1": 3} and shop.paused(), f"the workload was left with {shop.running()}, held: {shop.paused()}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; seen by users: {answers.describe()}")
    says_why(t, release)
