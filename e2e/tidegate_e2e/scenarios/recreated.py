from .. import api, ledger, waits
from ..scenario import Context, scenario
from ..waits import check, now_ms, until

BACK = 30  # seconds in which pods that were deleted by hand are there again


@scenario(core=False)
def recreated(t: Context) -> None:
    """The Deployment is deleted and created anew in mid-release: the attempt is closed, what runs is on record as a bypass, and users come home."""
    shop = t.shop()
    attempt = shop.in_mid_release()
    shop.remember_attempts()
    began = now_ms()
    api.delete("Deployment", shop.namespace, shop.name)
    api.apply(shop.workload(), "gitops")
    check(not shop.paused(), "a creation was held")
    until("the attempt is closed", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(attempt)["status"], instead=shop.state)
    first = shop.record_named(attempt)["status"]
    check(first["outcome"] in ("Abandoned", "Bypassed", "Superseded"), f"the attempt ended as {first['outcome']}")
    record = until("what runs is on record", waits.RELEASE_TAKEN_UP, shop.ended, instead=shop.state)
    check(record["status"]["outcome"] == "Bypassed", f"it is on record as {record['status']['outcome']}")
    shop.leaves_nothing()
    until("the workload is whole", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)
    check(not shop.paused(), "the workload is held")
    check(record["status"]["charge"]["exception"], f"a bypass was charged as {record['status']['charge']}")
    shop.deploy("v3")
    third = shop.ends("Succeeded")
    shop.leaves_nothing()
    ledger.settles(shop, shop.record_named(attempt), record, third)
    answers = shop.all_answers()
    # Its pods went with it: that is the deletion's doing. Nobody may fail before it, nor once pods are back.
    failed = answers.failed()
    check(all(began <= a.done and a.sent < began + BACK * 1000 for a in failed), f"requests failed at other times: {failed.examples()}")
    lasted = f" for {(failed[-1].sent - failed[0].sent) / 1000:.1f} s" if failed else ""
    t.note(f"attempt: {first['outcome']}: {first['summary']}")
    t.note(f"then: {record['status']['summary']}")
    t.note(f"{len(failed)} requests failed{lasted} while pods were away; seen by users: {answers.describe()}")
