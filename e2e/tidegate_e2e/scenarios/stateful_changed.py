from .. import api, bed, ledger, waits
from ..scenario import Context, scenario
from ..shop import Shop, partition_of
from ..users import SETTLES, all_answered, counted, has_share, met
from ..waits import check, now_ms, until
from .detached import comes_back, leaves
from .stateful import HELD
from .stateful_by_hand import STAGES, exposes, partition


def closed(shop: Shop, attempt: str, outcome: str) -> str:
    """Waits for the end of an attempt; its summary."""
    ended = lambda: shop.record_named(attempt)["status"].get("outcome")
    until(f"{attempt} is closed", waits.RELEASE_ENDS, ended, instead=shop.state)
    check(ended() == outcome, f"{attempt} ended as {ended()}, not {outcome}")
    return shop.record_named(attempt)["status"]["summary"]


def stable_alone(shop: Shop) -> int:
    """Waits until only stable has pods; from when on users meet no other."""
    until("all pods are stable's", waits.PODS_READY, lambda: shop.running() == {"v1": 3} and shop.all_ready(), instead=lambda: (shop.running(), shop.state()))
    return now_ms() + SETTLES


@scenario(core=False)
def stateful_changed(t: Context) -> None:
    """In mid-release of a StatefulSet a newer template takes the place of the first, Git goes back, and its GatedRelease is detached: each time the pod comes back first; a user's own partition stays."""
    shop = t.shop(kind="StatefulSet", routed=False, stages=STAGES)
    shop.start()
    first_pod = api.get("Pod", shop.namespace, f"{shop.name}-0")["metadata"]["uid"]
    shop.users()
    shop.deploy("v2")
    second = exposes(shop, "v2", "v1")

    began = now_ms()
    shop.deploy("v3")
    third = exposes(shop, "v3", "v1")
    t.note(f"newer template: {closed(shop, second, 'Superseded')}")
    has_share(counted(shop, now_ms() + SETTLES), "v3", 100 / 3)

    shop.deploy("v1")
    t.note(f"reverted: {closed(shop, third, 'Reverted')}")
    until("the StatefulSet is let go", waits.GONE, lambda: not shop.paused(), instead=shop.state)
    reverted = stable_alone(shop)

    # A partition that its user sets while nothing is released is his own, and stays his own.
    api.patch("StatefulSet", shop.namespace, shop.name, {"spec": partition(1)})
    until("it tells of a partition that is not its own", waits.RELEASE_TAKEN_UP, lambda: shop.condition("Ready").get("reason") == "PausedByOthers", instead=shop.state)
    leaves(shop)
    check(partition_of(shop.live()) == 1, f"the user's partition of 1 became {partition_of(shop.live())}")
    api.patch("StatefulSet", shop.namespace, shop.name, {"spec": partition(0)})
    comes_back(shop)
    until("the gate is in force", waits.RELEASE_TAKEN_UP, lambda: shop.condition("Ready").get("reason") == "InForce", instead=shop.state)
    check(partition_of(shop.live()) == 0, f"under the gate the partition became {partition_of(shop.live())}")

    pushed = now_ms()
    shop.deploy("v4")
    fourth = exposes(shop, "v4", "v1")
    leaves(shop, waits.RELEASE_ENDS)
    t.note(f"detached: {closed(shop, fourth, 'Abandoned')}")
    left = stable_alone(shop)
    check(partition_of(shop.live()) == HELD, f"it was left with the partition {partition_of(shop.live())}")
    why = shop.live()["metadata"]["annotations"].get("tidegate.io/paused-because", "")
    let_go = f"kubectl patch statefulset {shop.name} -n {shop.namespace}"
    check(let_go in why, f"it is not said how to let it go: {why}")
    counted(shop, left)
    ledger.settles(shop, *(shop.record_named(one) for one in (second, third, fourth)))
    check(api.get("Pod", shop.namespace, f"{shop.name}-0")["metadata"]["uid"] == first_pod, "a pod was replaced that no stage exposed")

    let = now_ms()
    bed.kubectl("patch", "statefulset", shop.name, "-n", shop.namespace, "-p", '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}')
    until("v4 runs", waits.PODS_READY, lambda: shop.running() == {"v4": 3} and shop.all_ready(), instead=shop.running)
    answers = shop.all_answers()
    all_answered(answers)
    met(answers.between(0, began), "v1", "v2")
    met(answers.between(began, reverted), "v1", "v2", "v3")
    met(answers.between(reverted, pushed), "v1")
    met(answers.between(pushed, left), "v1", "v4")
    met(answers.between(left, let), "v1")
    met(answers.between(let, now_ms()), "v1", "v4")
    last_v2, first_v3 = max(a.done for a in answers.of("v2")), min(a.sent for a in answers.of("v3"))
    check(last_v2 < first_v3, f"v3 was served {last_v2 - first_v3} ms before v2 was gone")
    t.note(f"seen by users: {answers.describe()}")
