from itertools import pairwise

from ..history import canary_weights
from ..scenario import Context, scenario
from ..shop import version_of
from ..waits import check

STAGES = ((5, "20s"), (25, "20s"), (50, "20s"), (100, "20s"))
RATE = 300
ENOUGH = 5_000
TOLERANCE = 2.0  # points
# The documents' objectives, from the recording rules that the chart ships.
SHIPPED = [
    {"name": "availability", "objective": 99.5, "availability": {"service": "checkout"}},
    {"name": "latency", "objective": 95, "latency": {"service": "checkout", "threshold": "300ms"}},
]


@scenario()
def good(t: Context) -> None:
    """A good version goes 5, 25, 50, 100 under load: shares exact, no request fails, nothing is left behind."""
    shop = t.shop(stages=STAGES, rate=RATE, slos=SHIPPED)
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users()
    shop.deploy("v2")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()

    check(not answers.failed(), f"{len(answers.failed())} of {len(answers)} requests failed: {answers.failed().examples()}")
    changes = canary_weights(route, shop.canary)
    wanted = [weight for weight, _ in STAGES]
    stages = changes[1 : len(wanted) + 2]  # after the weight 0 of the start, up to the first change of the promotion
    check([weight for _, weight in stages[:-1]] == wanted, f"the canary's weights were {[w for _, w in changes]}, not first 0 and then {wanted}")
    for (since, weight), (until, _) in pairwise(stages):
        window = answers.between(since + 500, until)
        check(len(window) >= ENOUGH, f"only {len(window)} requests at weight {weight}: the stage was shorter than {STAGES}")
        share = window.share("v2")
        check(abs(share - weight) <= TOLERANCE, f"{share:.2f} % of {len(window)} requests saw v2 at weight {weight}")
        t.note(f"at weight {weight}: {share:.2f} % of {len(window)} requests")
    check(not shop.paused(), "the Deployment is still paused")
    check(version_of(shop.live()) == "v2" and shop.all_ready(), "the Deployment does not run v2 at full size")
    t.note(f"seen by users: {answers.describe()}")
