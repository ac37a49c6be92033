from .. import api, bed, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def handed_over_in_mid_roll(t: Context) -> None:
    """Two GatedReleases have one Deployment in turn. The second is deleted while a template hangs in its roll that somebody let go under it: the first, which knows an older version, waits (NotSettled) and charges nothing for it. What somebody lets past the gate then is recorded and charged."""
    shop = t.shop(replicas=2, rate=60)
    shop.start()
    shop.users()
    second = shop.gated_release()
    name = second["metadata"]["name"] = f"{shop.name}-renamed"
    target = (f"deployment/{shop.name}", "-n", shop.namespace)

    def ready(release: str) -> api.Object:
        status = api.get("GatedRelease", shop.namespace, release).get("status", {})
        return next((c for c in status.get("conditions", []) if c["type"] == "Ready"), {})

    def records(release: str) -> list[api.Object]:
        every = [r for r in api.every("ReleaseRecord", shop.namespace) if r["spec"]["release"] == release]
        return sorted(every, key=lambda r: r["spec"]["attempt"])

    def outcomes(release: str) -> list[str | None]:
        return [r.get("status", {}).get("outcome") for r in records(release)]

    # The second takes over, and the first comes back to wait.
    api.apply(second, "gitops")
    until("the second waits", waits.RELEASE_TAKEN_UP, lambda: ready(name).get("reason") == "WorkloadTaken", instead=shop.state)
    api.delete("GatedRelease", shop.namespace, shop.name)
    until("the second has taken over", waits.RELEASE_TAKEN_UP, lambda: outcomes(name) == ["Bootstrap"], instead=shop.state)
    until("the first is gone", waits.GONE, lambda: not api.find("GatedRelease", shop.namespace, shop.name))
    api.apply(shop.gated_release(), "gitops")
    until("the first waits", waits.RELEASE_TAKEN_UP, lambda: ready(shop.name).get("reason") == "WorkloadTaken", instead=shop.state)

    # Somebody lets a template go under the second that does not get ready.
    shop.deploy("v2", NEVER_READY="1")
    until("it is held", waits.RELEASE_TAKEN_UP, shop.paused, instead=shop.state)
    bed.kubectl("rollout", "resume", *target)
    until("the second has it on record", waits.RELEASE_TAKEN_UP, lambda: outcomes(name)[-1] == "Bypassed", instead=lambda: outcomes(name))
    until("the roll hangs", waits.PODS_READY, lambda: shop.running() == {"v1": 2, "v2": 1}, instead=shop.running)
    api.delete("GatedRelease", shop.namespace, name)
    until("the second is gone", waits.GONE, lambda: not api.find("GatedRelease", shop.namespace, name))
    said = until("the first waits for one version", waits.RELEASE_TAKEN_UP, lambda: ready(shop.name).get("reason") == "NotSettled" and ready(shop.name), instead=shop.state)
    noted = api.get("GatedRelease", shop.namespace, shop.name)["status"]["handedOver"]
    check(len(noted["running"]) == 2, f"it notes {noted}")
    check(outcomes(shop.name) == ["Bootstrap"], f"the first has {outcomes(shop.name)} on record")
    t.note(f"handed over: {said['message']}")

    # A template that comes now is held, and is a bypass where a person lets it go.
    shop.deploy("v3")
    until("v3 is held", waits.RELEASE_TAKEN_UP, shop.paused, instead=shop.state)
    check(outcomes(shop.name) == ["Bootstrap"], f"held, the first has {outcomes(shop.name)} on record")
    bed.kubectl("rollout", "resume", *target)
    until("v3 alone runs", waits.PODS_READY, lambda: shop.running() == {"v3": 2} and shop.all_ready(), instead=shop.running)
    last = until("it is on record", waits.RELEASE_TAKEN_UP, lambda: (all_of := records(shop.name)) and all_of[-1]["status"].get("outcome") == "Bypassed" and all_of[-1], instead=lambda: outcomes(shop.name))
    check(outcomes(shop.name) == ["Bootstrap", "Bypassed"], f"the first has {outcomes(shop.name)} on record")
    check(last["status"]["charge"].get("exception") is True, f"it was charged as {last['status'].get('charge')}")
    until("the gate is in force", waits.RELEASE_TAKEN_UP, lambda: ready(shop.name).get("status") == "True", instead=shop.state)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    check(not answers.of("v2"), "users saw the version whose roll hung")
    t.note(f"seen by users: {answers.describe()}")
