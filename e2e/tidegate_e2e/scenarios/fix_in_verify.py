import time

from .. import waits
from ..scenario import Context, scenario
from ..waits import check, ms_of, now_ms, until

VERIFY = 40  # seconds
QUICK = ((50, "4s"), (100, "3s"))
FIXES = (("v5", {"change-type": "BugFix", "change-severity": "P1"}), ("v6", {"change-type": "IncidentFix"}))


@scenario(core=False)
def fix_in_verify(t: Context) -> None:
    """In Verify a feature waits for the end, and the latest one wins; a fix ends the verification and is planned at once."""
    shop = t.shop(stages=QUICK, strategy={"verify": f"{VERIFY}s", "handBack": "3s"})
    shop.start()
    shop.users()
    shop.deploy("v2")
    verifying = shop.in_phase("Verify")
    for version in ("v3", "v4"):
        shop.deploy(version, {"change-type": "Feature"})
        time.sleep(4)  # nothing may come of it
        check(not shop.record(), f"{version} was taken up in Verify")
        check(shop.paused() and shop.running() == {"v2": 3}, f"the workload runs {shop.running()}, held: {shop.paused()}")
    said = shop.live_release()["status"]["message"]
    check("A newer template waits" in said, f"nobody is told that a template waits: {said}")
    t.note(f"said meanwhile: {said}")
    name = verifying["metadata"]["name"]
    until("v2 is verified", waits.RELEASE_ENDS, lambda: "outcome" in shop.record_named(name)["status"], instead=shop.state)
    status = shop.record_named(name)["status"]
    check(status["outcome"] == "Succeeded", f"v2 ended as {status['outcome']}: {status['summary']}")
    watched = (ms_of(status["promotion"]["verifiedAt"]) - ms_of(verifying["status"]["phaseSince"])) / 1000
    check(watched >= VERIFY, f"v2 was verified for {watched:.0f} s of {VERIFY}")
    t.note(f"v2 was verified for {watched:.0f} s although features waited")

    verifying = shop.in_phase("Verify")
    check(reference(verifying) == "git:v4", f"after v2 came {reference(verifying)}, and the latest was v4")
    for version, change in FIXES:
        pushed = now_ms()
        shop.deploy(version, change)
        fix = shop.taken_up()
        took = (now_ms() - pushed) / 1000
        before = shop.record_named(verifying["metadata"]["name"])["status"]
        check(before["outcome"] == "Succeeded" and "a fix ended its verification early" in before["summary"], f"what was verified says {before}")
        lasted = (ms_of(before["endedAt"]) - ms_of(verifying["status"]["phaseSince"])) / 1000
        check(lasted < VERIFY, f"the verification lasted {lasted:.0f} s of {VERIFY}: the fix waited for its end")
        check((fix["spec"]["change"]["type"], reference(fix)) == (change["change-type"], f"git:{version}"), f"the next attempt is {fix['spec']['change']}")
        t.note(f"{version} ({change['change-type']}) was taken up {took:.1f} s after the push, {lasted:.0f} s into a verification of {VERIFY}")
        verifying = shop.in_phase("Verify")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    check(shop.running() == {"v6": 3} and not shop.paused(), f"the workload ended with {shop.running()}, held: {shop.paused()}")
    check("git:v3" not in map(reference, shop.records()), "v3 has a record, and v4 had taken its place before it was looked at")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    check(not answers.of("v3"), "users saw v3")
    t.note(f"seen by users: {answers.describe()}")


def reference(record: dict) -> str:
    return record["spec"]["change"].get("reference", "")
