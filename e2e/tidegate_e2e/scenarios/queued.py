from .. import waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def queued(t: Context) -> None:
    """With `newerTemplate: Queue` v2 is released although v3 has come, v3 after it; the workload runs what was judged."""
    shop = t.shop(rate=100, strategy={"newerTemplate": "Queue"})
    second = shop.in_mid_release()
    shop.deploy("v3")
    ended = lambda: shop.record_named(second)["status"].get("outcome")
    until("v2 is released", waits.RELEASE_ENDS, ended, instead=shop.state)
    check(ended() == "Succeeded", f"the first attempt ended as {ended()}")
    check(shop.running() == {"v2": 3}, f"the workload runs {shop.running()} after v2 was released")
    check(shop.paused(), "v3 was let go unjudged")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check(shop.running() == {"v3": 3}, f"the workload ended with {shop.running()}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
