import time

from ..api import Object
from ..faulty import FAULTS, TIMEOUT, Faulty
from ..scenario import Context, scenario
from ..waits import check, until

WATCHED = 5  # seconds, several looks of Tidegate each

# What the condition says of each: its reason, and words of its message. Neighbours differ in their reason: a hold that stays
# what it is keeps the words that it began with.
SAID = {
    "NaN": ("InvalidEvidence", "NaN for service="),
    "slow": ("MetricsUnreachable", f"no answer within {TIMEOUT}s"),
    "empty": ("NoEvidence", "no samples for service="),
    "500": ("MetricsUnreachable", "HTTP 500: the store is away"),
    "stale": ("InvalidEvidence", "stale"),
    "warnings": ("PartialEvidence", "store-1:10901"),
    "429": ("MetricsUnreachable", "HTTP 429"),
    "isPartial": ("PartialEvidence", "isPartial"),
    "truncated": ("InvalidEvidence", "the answer was not understood"),
}


@scenario(core=False)
def prometheus_faults(t: Context) -> None:
    """Prometheus answers NaN, nothing, the past, too late, 500, 429, a part of two kinds and half an answer, in turn: each is named, none moves the weight, then the release goes on."""
    check(SAID.keys() == FAULTS.keys(), "not every fault is tried")
    proxy = Faulty("faulty")
    t.afterwards(proxy.stop)
    shop = t.shop(rate=100, analysis={"metrics": "through-a-proxy"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    weight = shop.canary_weight()
    for fault, (reason, words) in SAID.items():
        proxy.fault = fault

        def named() -> Object | None:
            check(shop.canary_weight() == weight, f"{fault}: the weight moved from {weight} to {shop.canary_weight()}")
            held = shop.held(reason)
            return held if held and words in held["message"] else None

        held = until(f"{fault}: the release is held as {reason} with {words!r}", 30, named, instead=shop.state)
        t.note(f"{fault}: {held['message']}")
        end = time.monotonic() + WATCHED
        while time.monotonic() < end:
            check(named(), f"{fault}: it is not said any more: {shop.state()}")
            time.sleep(0.2)
    proxy.fault = None
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
