import time

from .. import waits
from ..claims import attest, may_attest
from ..scenario import Context, scenario
from ..waits import check, until

# What G4 asks of a change of authentication besides somebody on call, which is shown by other scenarios.
WAIVED = [
    "lint", "build", "unit-tests", "static-analysis", "sast", "sca", "peer-review", "staging-deploy", "smoke-tests", "penetration-test", "integration-tests",
    "e2e-tests", "code-owner-review", "feature-flag", "release-plan", "observability", "manual-qa", "release-captain", "rollback-rehearsal", "risk-review",
    "extended-canary", "customer-communication", "post-release-checklist",
]
PRESENCE = "on-call-presence"


@scenario(core=False)
def on_call_lapsed(t: Context) -> None:
    """A risky release waits for somebody on call, stops where they are when nobody relieves them, says how, and goes on when somebody does."""
    requirements = {"mode": "Enforce", "waived": [{"name": name, "reason": "shown elsewhere"} for name in WAIVED]}
    shop = t.shop(rate=60, stages=((25, "40s"), (100, "4s")), strategy={"verify": "5s"}, policy={"tier": 3, "requirements": requirements})
    shop.start()
    shop.users()
    may_attest(shop, ["ann", "bob"], [PRESENCE])
    shop.deploy("v2", {"change-categories": "authentication"})
    until("it waits for somebody on call", waits.RELEASE_TAKEN_UP, lambda: shop.held("OnCallMissing"), instead=shop.state)
    check(shop.canary_weight() == 0, f"users met it unwatched: {shop.state()}")

    attest(shop, "ann", PRESENCE, expires=25)
    shop.at_weight(25)
    held = until("her shift is over", waits.RELEASE_TAKEN_UP, lambda: shop.held("OnCallLapsed"), instead=shop.state)
    check(f"--type {PRESENCE}" in held["message"] and "lapsed" in held["message"], f"who is on call is told: {held['message']}")
    t.note(f"{held['reason']}: {held['message']}")
    # Longer than the stage bakes.
    until_then = time.monotonic() + 45
    while time.monotonic() < until_then:
        check(shop.canary_weight() == 25 and shop.held("OnCallLapsed"), f"it went on unwatched: {shop.state()}")
        time.sleep(1)

    attest(shop, "bob", PRESENCE)
    record = shop.ends("Succeeded")
    assessment = record["status"]["assessment"]
    check(not {PRESENCE, "on-call-validation"} & set(assessment.get("notShown", [])), f"the record says {assessment}")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
