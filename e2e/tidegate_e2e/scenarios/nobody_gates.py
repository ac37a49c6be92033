from .. import api, bed, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def nobody_gates(t: Context) -> None:
    """A labelled Deployment that no GatedRelease names is held: an event says so, with what to type, and either way out works."""
    shop = t.shop(stages=((50, "4s"), (100, "3s")))
    shop.start(gated=False)
    shop.users(30)

    def push(version: str) -> api.Object:
        shop.deploy(version)
        check(shop.paused(), f"{version} is not held")
        because = shop.live()["metadata"]["annotations"]["tidegate.io/paused-because"]
        check(f"kubectl rollout resume deployment/{shop.name} -n {shop.namespace}" in because, f"the hold does not say what to type: {because}")
        about = lambda e: (e["involvedObject"]["kind"], e["involvedObject"]["name"]) == ("Deployment", shop.name)
        told = lambda: [e for e in shop.events("NoGatedRelease") if about(e) and e["message"]]
        return until("the owner is told", waits.RELEASE_TAKEN_UP, told)[-1]

    event = push("v2")
    command = f"kubectl rollout resume deployment/{shop.name} -n {shop.namespace}"
    for word in ("Create a GatedRelease", f"name: {shop.name}", "tidegate.io/gated", command):
        check(word in event["message"], f"the event does not say {word!r}: {event['message']}")
    check(event["type"] == "Warning", f"the event is {event['type']}")
    check(shop.running() == {"v1": 3} and not shop.records(), f"the workload runs {shop.running()}")
    t.note(event["message"])

    # One way out: what the event says to type.
    bed.kubectl("label", "deployment", shop.name, "-n", shop.namespace, "tidegate.io/gated-")
    bed.kubectl(*command.split()[1:])
    until("v2 runs", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.running)
    # The other: the next template waits, and is released by the GatedRelease that comes.
    push("v3")
    check(shop.running() == {"v2": 3}, f"the workload runs {shop.running()}")
    shop.gate()
    shop.ends("Succeeded")
    shop.leaves_nothing()
    until("the workload runs v3", waits.PODS_READY, lambda: shop.running() == {"v3": 3} and shop.all_ready(), instead=shop.running)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"records: {[(r['spec']['change'].get('reference'), r['status'].get('outcome')) for r in shop.records()]}")
    t.note(f"seen by users: {answers.describe()}")
