import re
import shlex

from .. import api, bed, controller, waits
from ..people import tidegate
from ..scenario import Context, scenario
from ..shop import version_of
from ..users import SETTLES, all_answered, counted, has_share, met
from ..waits import check, now_ms, until
from .adopted_in_mid_roll import ungated

CONTROLLER = f"system:serviceaccount:{bed.TIDEGATE_NAMESPACE}:tidegate"
PAUSED_BECAUSE = "tidegate.io/paused-because"


def stamps(workload: dict) -> list[str]:
    """What admission wrote on the workload for the gate's sake."""
    written = ("tidegate.io/changed-by", "tidegate.io/resumed-by", PAUSED_BECAUSE)
    return [key for key in written if key in workload["metadata"].get("annotations", {})]


@scenario(core=False, alone=True)
def detached_offline(t: Context) -> None:
    """With no controller, `tidegate detach --offline` as its user brings traffic home in mid-release and leaves nothing; the team ships freely, no stamp is left on the workload, and the controller, back, lets it be."""
    shop = t.shop(stages=((25, "60s"), (100, "4s")))
    command = ("detach", shop.name, "-n", shop.namespace, "--offline", "--as", CONTROLLER, "--timeout", "2m")
    attempt = shop.in_mid_release()
    pods = shop.stable_pods()
    code, said = tidegate(None, *command)
    check(code == 1 and "leads" in said and "--replicas 0" in said, f"with a controller that leads it exits with {code}: {said}")
    check("tidegate.io/detach" not in shop.live_release()["metadata"].get("annotations", {}), "what was refused was begun")

    t.afterwards(lambda: controller.scale(1))
    controller.scale(0)
    has_share(counted(shop, now_ms()), "v2", 25)
    began = now_ms()
    code, said = tidegate(None, *command)
    home = now_ms() + SETTLES
    (t.results / "detach.txt").write_text(said)
    check(code == 0, f"it exits with {code}: {said}")
    check(not shop.canary_weight(), f"the canary has weight {shop.canary_weight()}, and nobody would take it away")
    shop.leaves_nothing()
    release = shop.live_release()
    check(not release["metadata"].get("finalizers"), f"finalizers stayed: {release['metadata']}")
    check(shop.condition("Ready").get("reason") == "Detached", f"it says {shop.state()}")
    status = shop.record_named(attempt)["status"]
    check(status.get("outcome") == "Abandoned", f"the attempt was left as {status}")
    holder = (controller.lease() or {}).get("spec", {}).get("holderIdentity")
    check(not holder, f"the Lease was not given back: {holder}")
    check(shop.stable_pods() == pods and shop.running() == {"v1": 3}, f"pods of stable were replaced: {shop.running()}")
    live = shop.live()
    check("tidegate.io/gated" not in live["metadata"].get("labels", {}), f"the label stayed: {live['metadata']}")
    check(stamps(live) == [PAUSED_BECAUSE], f"stamps on what stays held: {stamps(live)}")
    check(shop.paused() and version_of(live) == "v2", "the template that was not released was let go")
    met(counted(shop, home), "v1")
    t.note(f"left {(home - SETTLES - began) / 1000:.1f} s after the command was typed; attempt: {status['summary']}")

    # What it says to type lets v2 go; from then on templates roll as they always did, with nobody to ask.
    typed = re.search(r"let it run: +kubectl (.+)", said)
    check(typed and "STAYS PAUSED" in said and "Take it out of the manifest in Git too" in said, f"it says {said}")
    resumed = now_ms()
    for part in typed[1].split(" && kubectl "):
        bed.kubectl(*shlex.split(part))
    check(not stamps(shop.live()), f"stamps stayed: {stamps(shop.live())}")
    until("v2 runs", waits.PODS_READY, lambda: shop.running() == {"v2": 3} and shop.all_ready(), instead=shop.running)
    alone = now_ms() + SETTLES
    counted(shop, alone)
    pushed = now_ms()
    shop.version, shop.change = "v3", {}
    api.apply(ungated(shop), "gitops")
    check(not shop.paused(), "a template without the label was held")
    until("v3 runs", waits.PODS_READY, lambda: shop.running() == {"v3": 3} and shop.all_ready(), instead=shop.running)

    controller.scale(1)
    controller.wait_for_leader()
    shop.version = "v4"
    api.apply(ungated(shop), "gitops")
    until("v4 runs", waits.PODS_READY, lambda: shop.running() == {"v4": 3} and shop.all_ready(), instead=shop.running)
    last = now_ms() + SETTLES
    met(counted(shop, last), "v4")
    check(shop.condition("Ready").get("reason") == "Detached" and len(shop.records()) == 2, f"it was taken up again: {shop.state()}")
    check(not shop.residue(), f"something came back: {shop.residue()}")
    left = [a for a in shop.live()["metadata"].get("annotations", {}) if a.startswith("tidegate.io/")]
    answers = shop.all_answers()
    all_answered(answers)
    met(answers.between(0, home), "v1", "v2")
    met(answers.between(home, resumed), "v1")
    met(answers.between(resumed, alone), "v1", "v2")
    met(answers.between(alone, pushed), "v2")
    met(answers.between(pushed, now_ms()), "v2", "v3", "v4")
    check(not stamps(shop.live()), f"stamps came back: {stamps(shop.live())}")
    t.note(f"annotations that stay on the Deployment: {', '.join(left) or 'none'}")
    t.note(f"seen by users: {answers.describe()}")
