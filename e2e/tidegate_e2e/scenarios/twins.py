from .. import api, audit, waits
from ..scenario import Context, scenario
from ..waits import check, now_ms, until


@scenario(core=False)
def twins(t: Context) -> None:
    """Two GatedReleases name one Deployment, as where one was renamed in Git and the former one stayed: the first releases as if it were alone, the other says WorkloadTaken and writes nothing, also when it is deleted; when the first goes, the other takes over and releases."""
    shop = t.shop()
    shop.start()
    shop.users()
    second = shop.gated_release()
    name = second["metadata"]["name"] = f"{shop.name}-renamed"
    began = now_ms()

    def status() -> api.Object:
        return api.get("GatedRelease", shop.namespace, name).get("status", {})

    def ready() -> api.Object:
        return next((c for c in status().get("conditions", []) if c["type"] == "Ready"), {})

    def records() -> list[api.Object]:
        return [r for r in api.every("ReleaseRecord", shop.namespace) if r["spec"]["release"] == name]

    def waits_for_it(when: str) -> None:
        said = until(f"{when}, the second says that the workload is taken", waits.RELEASE_TAKEN_UP, lambda: ready().get("reason") == "WorkloadTaken" and ready(), instead=status)
        check(said["status"] == "False" and f"GatedRelease {shop.name}," in said["message"], f"{when}, it says {said}")
        check(not api.get("GatedRelease", shop.namespace, name)["metadata"].get("finalizers"), f"{when}, it has a finalizer")

    def wrote_nothing(when: str) -> None:
        check(not records(), f"{when}, it has records: {[r['metadata']['name'] for r in records()]}")
        ours = [w for w in audit.but_leases(audit.writes(began)) if w.namespace == shop.namespace and w.resource != "events" and w.took_effect]
        wrong = [(w.verb, w.resource, w.name) for w in ours if name in f"{w.name} {w.body}" and (w.resource, w.name) != ("gatedreleases/status", name)]
        check(not wrong, f"{when}, it wrote {wrong}")

    api.apply(second, "gitops")
    waits_for_it("at once")
    t.note(ready()["message"])
    shop.deploy("v2")
    shop.at_weight(25)
    waits_for_it("in the stage of 25 %")
    # Its deletion takes nothing from the first; put back it waits again.
    api.delete("GatedRelease", shop.namespace, name)
    until("it is gone at once", waits.GONE, lambda: not api.find("GatedRelease", shop.namespace, name))
    check(shop.canary_weight() >= 25, f"its deletion took the canary's weight to {shop.canary_weight()}")
    api.apply(second, "gitops")
    first = shop.ends("Succeeded")
    shop.leaves_nothing()
    check(not first["status"]["charge"].get("exception"), f"the release was charged as {first['status']['charge']}")
    waits_for_it("after the release")
    wrote_nothing("after the release")
    outcomes = [r["status"].get("outcome") for r in shop.records()]
    check(outcomes == ["Bootstrap", "Succeeded"], f"the first has {outcomes} on record")

    # The first goes, as where it is pruned at last.
    api.delete("GatedRelease", shop.namespace, shop.name)
    until("the first is gone", waits.GONE, lambda: not api.find("GatedRelease", shop.namespace, shop.name))
    gone = now_ms()
    until("the second has taken over", waits.RELEASE_TAKEN_UP, lambda: ready().get("status") == "True" and records(), instead=status)
    t.note(f"taken over after {(now_ms() - gone) / 1000:.1f} s: {[r['status'].get('outcome') for r in records()]}")
    check([r["status"].get("outcome") for r in records()] == ["Bootstrap"], f"it took over with {records()}")
    check(shop.running() == {"v2": shop.replicas} and not shop.paused(), f"taking over left {shop.running()}, held: {shop.paused()}")
    shop.deploy("v3")
    until("the second releases v3", waits.RELEASE_ENDS, lambda: [r for r in records() if r["status"].get("outcome") == "Succeeded"], instead=status)
    shop.leaves_nothing()
    check(shop.running() == {"v3": shop.replicas}, f"the workload runs {shop.running()}")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
