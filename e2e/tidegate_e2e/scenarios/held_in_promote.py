import threading

from .. import waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, ms_of, now_ms, until

Sample = tuple[int, dict[str, int]]  # when, and the versions that had pods in the workload


def watch_workload(t: Context, shop: Shop) -> list[Sample]:
    """Looks at the workload's own pods again and again until the end of the scenario."""
    samples: list[Sample] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            at, running = now_ms(), shop.running()
            if not samples or samples[-1][1] != running:
                samples.append((at, running))

    thread = threading.Thread(target=look)
    thread.start()
    t.afterwards(lambda: (over.set(), thread.join()))
    return samples


@scenario(core=False)
def held_in_promote(t: Context) -> None:
    """A third version arrives while the workload rolls to the second: that is finished first, then the third is an attempt of its own."""
    shop = t.shop(stages=((50, "4s"), (100, "4s")))
    shop.start()
    shop.users()
    samples = watch_workload(t, shop)
    release = shop.follow("GatedRelease")
    shop.deploy("v2", START_DELAY="5s")  # the roll takes a while
    second = shop.in_phase("Promote")["metadata"]["name"]
    until("the workload rolls", waits.RELEASE_ENDS, lambda: set(shop.running()) == {"v1", "v2"}, every=0.05, instead=shop.state)
    check(not shop.record_named(second)["status"].get("promotion", {}).get("rolledAt"), "the roll was over before it was seen")
    shop.deploy("v3")
    pushed = now_ms()
    check(shop.paused(), "the newer template was not held")
    until("the workload is finished to one revision", waits.RELEASE_ENDS, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.state)
    check(shop.paused(), "the workload was let go with the newer template")
    t.note(f"the workload ran v2 alone {(now_ms() - pushed) / 1000:.1f} s after v3 was pushed")

    third = shop.ends("Succeeded")
    shop.leaves_nothing()
    first = shop.record_named(second)["status"]
    check(first["outcome"] == "Succeeded", f"v2 ended as {first['outcome']}: {first['summary']}")
    check(third["spec"]["change"]["reference"] == "git:v3" and third["spec"]["stable"] == shop.record_named(second)["spec"]["revision"], f"the next attempt is {third['spec']}")
    check(ms_of(first["endedAt"]) <= ms_of(third["metadata"]["creationTimestamp"]) + 1000, "v3 was taken up before v2 had ended")
    passed = ms_of(third["status"]["stages"][-1]["passedAt"])
    early = [(at, running) for at, running in samples if "v3" in running and at < passed]
    check(not early, f"v3 had pods in the workload before it had passed its last stage, at {passed}: {early}")
    check(all(len(running) <= 2 and not {"v1", "v3"} <= set(running) for _, running in samples), f"the workload ran {samples}")
    check(shop.running() == {"v3": 3} and not shop.paused(), f"the workload ended with {shop.running()}")
    said = {seen.obj.get("status", {}).get("message", "") for seen in release.seen}
    t.note(next((s for s in said if "finished to one revision" in s), "finishing it to one revision took no look of its own"))
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"the workload ran, one after another: {', '.join(str(running) for _, running in samples)}")
    t.note(f"seen by users: {answers.describe()}")
