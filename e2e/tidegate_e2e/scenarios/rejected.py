import time

from .. import waits
from ..claims import attest, may_approve
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def rejected(t: Context) -> None:
    """Nobody is asked about a change in a healthy budget, and an SRE rejects it while a quarter of the users have it: it stays there, says who, why and how that ends, and goes on when they take it back."""
    shop = t.shop(rate=60, stages=((25, "15s"), (100, "4s")), strategy={"verify": "4s", "holdFor": "5m"})
    shop.start()
    shop.users()
    may_approve(shop, sre="sam")
    shop.deploy("v2")
    shop.at_weight(25)
    attest(shop, "sam", "approval", role="sre", outcome="Failed", facts={"note": "no dashboard for the new queue"})
    held = until("it is held", waits.RELEASE_ENDS, lambda: shop.held("Rejected"), instead=shop.state)
    for word in ("sam", "rejects it as sre: no dashboard for the new queue", f"kubectl tidegate withdraw {shop.name} -n {shop.namespace} --role sre"):
        check(word in held["message"], f"the hold does not say {word!r}: {held['message']}")
    time.sleep(10)
    check(shop.canary_weight() == 25 and shop.held("Rejected"), f"it went on: {shop.state()}")
    t.note(f"{held['reason']}: {held['message']}")

    attest(shop, "sam", "approval", role="sre", outcome="Withdrawn")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
