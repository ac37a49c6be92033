from .. import api, ledger, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until
from .quota_in_promotion import quota

QUICK = ((25, "10s"), (100, "4s"))


@scenario(core=False)
def edited_while_held(t: Context) -> None:
    """Labels, annotations and replicas change, and the template goes back and forth, while it is held: stable serves, each attempt is one, and what nobody met costs nothing."""
    shop = t.shop(stages=QUICK)
    shop.start()
    api.apply(quota(shop, 5), "admin")  # stable fits into it, a release does not
    shop.users()
    shop.deploy("v2")
    until("it is held", waits.RELEASE_TAKEN_UP, lambda: shop.held("QuotaTooSmall"), instead=shop.state)
    first = shop.taken_up()

    # What is no change of the program is no attempt.
    edited(shop, 4)
    until("stable follows", waits.PODS_READY, lambda: shop.running() == {"v1": 4} and shop.all_ready(), instead=shop.running)
    check(shop.taken_up()["metadata"]["name"] == first["metadata"]["name"], "an edit of metadata or size made another attempt")
    check(bool(shop.held("QuotaTooSmall")) and shop.paused(), f"it is not held any more: {shop.state()}")
    pods = shop.stable_pods()

    # The template goes back and forth; none of it had a pod.
    for version in ("v3", "v2"):
        shop.deploy(version)
        until(f"{version} is held", waits.RELEASE_TAKEN_UP, lambda: shop.record() and shop.held("QuotaTooSmall"), instead=shop.state)
        only_one_is_open(shop)
    shop.deploy("v1")
    until("the workload is let go", waits.RELEASE_TAKEN_UP, lambda: not shop.paused(), instead=shop.state)
    until("nothing is open", waits.GONE, lambda: not unended(shop), instead=shop.state)
    check(shop.stable_pods() == pods, "pods of stable were replaced")
    closed = [r for r in shop.records() if r["spec"]["attempt"] >= first["spec"]["attempt"]]
    outcomes = [(r["spec"]["change"]["reference"], r["status"]["outcome"]) for r in closed]
    check(outcomes == [("git:v2", "Superseded"), ("git:v3", "Superseded"), ("git:v2", "Reverted")], f"the records say {outcomes}")
    exposed = [r["metadata"]["name"] for r in closed if any("startedAt" in s for s in r["status"]["stages"])]
    check(not exposed, f"{exposed} have a stage that began, and nothing was released")
    ledger.settles(shop)
    seen = shop.so_far().versions()
    check(set(seen) == {"v1"}, f"users saw {dict(seen)} of what was held")

    # The same template once more is one attempt, whatever is edited beside it.
    shop.deploy("v2")
    until("it is held again", waits.RELEASE_TAKEN_UP, lambda: shop.record() and shop.held("QuotaTooSmall"), instead=shop.state)
    api.delete("ResourceQuota", shop.namespace, "small")
    shop.at_weight(25)
    released = shop.taken_up()
    edited(shop, 5)
    record = shop.ends("Succeeded")
    check(record["metadata"]["name"] == released["metadata"]["name"], "an edit in mid-release made another attempt")
    check(record["spec"]["attempt"] == closed[-1]["spec"]["attempt"] + 1, f"attempts {[r['spec']['attempt'] for r in shop.records()]}")
    shop.leaves_nothing()
    ledger.settles(shop, record)
    until("the workload is whole", waits.PODS_READY, lambda: shop.running() == {"v2": 5} and shop.all_ready(), instead=shop.running)
    live = shop.live()["metadata"]
    check(live["labels"].get("team") == "payments" and live["annotations"].get("example.com/note") == "5", f"an edit was lost: {live}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"records of what was held: {outcomes}; then one of v2: {record['status']['outcome']}")
    t.note(f"seen by users: {answers.describe()}")


def edited(shop: Shop, replicas: int) -> None:
    """A person changes what is not the program."""
    change = {"labels": {"team": "payments"}, "annotations": {"example.com/note": str(replicas)}}
    api.patch("Deployment", shop.namespace, shop.name, {"metadata": change})
    shop.scale(replicas)


def unended(shop: Shop) -> list[str]:
    return [r["metadata"]["name"] for r in shop.records() if "outcome" not in r.get("status", {})]


def only_one_is_open(shop: Shop) -> None:
    check(len(unended(shop)) == 1, f"open at a time: {unended(shop)}")
