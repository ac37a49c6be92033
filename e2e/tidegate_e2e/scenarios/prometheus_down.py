import os
import signal
import time

from .. import api, bed
from ..scenario import Context, scenario
from ..waits import check, until

OUTAGE = 20  # seconds


@scenario(alone=True)
def prometheus_down(t: Context) -> None:
    """Prometheus stops answering in mid-release: the weight holds, the release says why, and goes on afterwards."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    pod = api.every("Pod", "monitoring", labelSelector="app=prometheus")[0]
    pid = bed.process_of(pod, "prometheus")
    t.afterwards(lambda: os.kill(pid, signal.SIGCONT))
    os.kill(pid, signal.SIGSTOP)
    held = until("the release is held", 30, shop.held)
    check(held["reason"] == "MetricsUnreachable", f"the hold is {held['reason']}, which does not say that Prometheus is away: {held['message']}")
    t.note(f"{held['reason']}: {held['message']}")
    weight, end = shop.canary_weight(), time.monotonic() + OUTAGE
    while time.monotonic() < end:
        check(shop.canary_weight() == weight, f"the weight moved from {weight} to {shop.canary_weight()} without evidence")
        time.sleep(0.2)
    os.kill(pid, signal.SIGCONT)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
