import os
import subprocess

from .. import api, bed, controller, ledger, waits
from ..history import weight_of
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

CRDS = bed.CHECKOUT / "charts/tidegate/crds"
OURS = ("GatedRelease", "RiskBudget", "ReleaseRecord", "Attestation")
KINDS = [f"{kind.lower()}s.tidegate.io" for kind in OURS]
# A watch of a kind that is gone is begun again after a pause of up to a minute.
WATCHED_AGAIN = 120


@scenario(core=False, alone=True)
def crds_deleted(t: Context) -> None:
    """Tidegate's kinds are deleted in mid-release, first one, then all four: traffic goes home first, stable serves on; installed again, releases go on."""
    shop = t.shop(rate=60, stages=((25, "20s"), (100, "4s")))
    t.afterwards(install)
    shop.in_mid_release()
    before = controller.leader()
    brought_home(shop, KINDS[:1], "only GatedReleases")
    check(shop.records(), "records went with another kind")
    install()
    shop.remember_attempts()
    api.apply(shop.gated_release(), "gitops")
    # Its record says that it was abandoned: it stays back until somebody asks for it.
    ready = until("it says how v2 ended", WATCHED_AGAIN, lambda: (c := shop.condition("Ready")).get("status") == "False" and c, instead=shop.state)
    t.note(f"GatedReleases served again: {ready['reason']}: {ready['message']}")
    done = subprocess.run([os.environ["TIDEGATE_BINARY"], "retry", shop.name, "-n", shop.namespace], text=True, capture_output=True, timeout=60)
    check(done.returncode == 0, f"`tidegate retry` exits with {done.returncode}: {done.stdout}{done.stderr}")
    until("v2 is taken up again", waits.RELEASE_TAKEN_UP, shop.record, instead=shop.state)
    second = shop.ends("Succeeded")
    shop.leaves_nothing()
    risk = ledger.agrees(shop)
    check(risk["releases"] == 2, f"charged were {risk['releases']} attempts, and users met two")
    t.note(f"one kind back: {second['status']['summary']} {risk['consumed']} RP of two attempts")

    shop.deploy("v3")
    shop.at_weight(25)
    brought_home(shop, KINDS, "all four kinds")
    check(shop.running() == {"v2": 3}, f"the workload was left with {shop.running()}")
    install()
    shop.remember_attempts()  # the records are gone, and attempts are counted anew
    for obj in (shop.risk_budget(), shop.gated_release()):
        api.apply(obj, "gitops")
    until("v3 is taken up again", WATCHED_AGAIN, shop.record, instead=shop.state)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    until("v3 runs", waits.PODS_READY, lambda: shop.running() == {"v3": 3} and shop.all_ready() and not shop.paused(), instead=shop.state)
    after = controller.leader()
    check(before and after and before["metadata"]["uid"] == after["metadata"]["uid"], "the controller went with the kinds")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")


def brought_home(shop: Shop, kinds: list[str], what: str) -> None:
    """Deletes kinds in mid-release; they are gone when everybody is home, and the new template stays held."""
    route = shop.follow("HTTPRoute")
    stable = shop.stable_pods()
    bed.kubectl("delete", "crd", *kinds, "--wait=false")
    gone = lambda: not [kind for kind in kinds if api.find("CustomResourceDefinition", None, kind)]
    until(f"{what} are gone", waits.GONE, gone, instead=lambda: bed.kubectl("get", "crd,gatedreleases", "-A", check=False))
    check(not shop.canary_weight(), f"{what} went while the canary had traffic: {weight_of(route.seen[-1].obj, shop.canary)}")
    shop.leaves_nothing()
    check(shop.paused(), "the template that was not released was let go")
    check(shop.stable_pods() == stable, "pods of stable were replaced")
    route.stop()


def install() -> None:
    """The definitions as the chart has them; those that are there stay as they are."""
    bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    until("they are served", waits.GONE, lambda: all(served(kind) for kind in OURS))


def served(kind: str) -> bool:
    try:
        api.every(kind)
    except api.Refused:  # the API server makes room for it
        return False
    return True
