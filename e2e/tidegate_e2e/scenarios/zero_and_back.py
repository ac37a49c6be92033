from .. import api, waits
from ..history import History
from ..scenario import Context, scenario
from ..shop import Shop, version_of
from ..users import SETTLES, all_answered, counted, has_share, met, missed
from ..waits import check, now_ms, until


def started(shop: Shop, pods: History, known: set[str]) -> set[str]:
    """The versions of the workload's own pods that came after those that are known."""
    own = [seen.obj for seen in list(pods.seen) if seen.obj["metadata"].get("labels", {}).get("app") == shop.name]
    return {version_of(pod) for pod in own if pod["metadata"]["uid"] not in known}


def wanted(shop: Shop, sets: History) -> dict[str, int]:
    """The most pods that a ReplicaSet of the workload ever wanted or had, by version."""
    uid, most = shop.live()["metadata"]["uid"], {}
    for _, obj in list(sets.seen):
        if any(owner["uid"] == uid for owner in obj["metadata"].get("ownerReferences", [])):
            pods = max(obj["spec"].get("replicas", 0), obj.get("status", {}).get("replicas", 0))
            most[version_of(obj)] = max(pods, most.get(version_of(obj), 0))
    return most


@scenario(core=False)
def zero_and_back(t: Context) -> None:
    """A held workload is scaled to nothing and back, twice: only stable ever starts in it, although an empty ReplicaSet of another version stands by and the template is a newer one, and users miss nothing but its pods."""
    shop = t.shop(rate=100, strategy={"verify": "1s", "handBack": "2s"}, stages=((50, "3s"), (100, "3s")))
    shop.start()
    shop.users()
    for version in ("v2", "v1"):
        shop.deploy(version)
        shop.ends("Succeeded")
        shop.leaves_nothing()
    check(shop.running() == {"v1": 3}, f"the way back to v1 ended with {shop.running()}")
    # Long enough that nothing is promoted while this is looked at.
    shop.stages = ((5, "10m"), (100, "1s"))
    api.apply(shop.gated_release(), "gitops")
    known = {pod["metadata"]["uid"] for pod in shop.pods()}
    pods, sets = shop.follow_all("Pod"), shop.follow_all("ReplicaSet")
    until("v2's empty ReplicaSet is seen", waits.GONE, lambda: wanted(shop, sets).get("v2") is not None, instead=lambda: wanted(shop, sets))
    pushed, away = now_ms(), []
    shop.deploy("v3")
    shop.at_weight(5)
    for size in (4, 2):
        went = now_ms()
        shop.scale(0)
        until("the workload has no pods", waits.GONE, lambda: not shop.running() and not shop.stable_pods(), instead=shop.running)
        shop.scale(size)
        until("pods start", waits.PODS_READY, lambda: sum(shop.running().values()) == size and shop.all_ready(), instead=shop.running)
        away.append((went, now_ms() + SETTLES))
        check(shop.running() == {"v1": size}, f"{shop.running()} started, and stable is v1")
        check(shop.paused(), "the workload was let go")
        check(shop.canary_weight() == 5, f"the canary's weight became {shop.canary_weight()}")
        has_share(counted(shop, away[-1][1]), "v3", 5)
    check(shop.taken_up()["status"]["phase"] == "Release", f"v3 is not in its stages any more: {shop.state()}")
    check(started(shop, pods, known) == {"v1"}, f"pods of {started(shop, pods, known)} started in the workload")
    most = wanted(shop, sets)
    check(most.get("v1", 0) == 4 and not most.get("v2") and "v3" not in most, f"ReplicaSets of the workload wanted {most} pods")
    t.note(f"{len(pods.seen)} versions of pods and {len(sets.seen)} of ReplicaSets were looked at; the most pods by version: {most}")
    answers = shop.all_answers()
    all_answered(answers, *away)
    met(answers.between(0, pushed), "v1", "v2")
    met(answers.between(pushed, now_ms()), "v1", "v3")
    t.note(missed(answers, *away))
    t.note(f"seen by users: {answers.describe()}")
