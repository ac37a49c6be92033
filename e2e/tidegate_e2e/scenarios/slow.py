from ..scenario import Context, scenario
from ..waits import check
from .errors import only_the_canary_fails, stays_at_stable


@scenario()
def slow(t: Context) -> None:
    """A version three times slower comes back by the latency limit."""
    # A quarter of the users: what 50 requests a second tell within about a minute takes the 10 of a stage of 5 % more than three.
    stages = ((25, "8s"), (100, "8s"))
    shop = t.shop(rate=200, stages=stages, env={"LATENCY": "20ms"}, rollback={"errorRatePercent": 5, "latencyFactor": 2})
    shop.start()
    shop.users()
    shop.deploy("v2", LATENCY="60ms")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    stays_at_stable(shop)
    answers = shop.all_answers()
    check(rollback["trigger"] == "Latency", f"the trigger was {rollback['trigger']}: {rollback}")
    only_the_canary_fails(answers, "v2")
    check(not answers.failed(), f"a slow version must not fail: {answers.failed().examples()}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; seen by users: {answers.describe()}")
