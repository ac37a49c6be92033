import json
import subprocess
import threading
from pathlib import Path

from .. import api
from ..history import canary_weights
from ..scenario import Context, scenario
from ..shop import STAGES
from ..waits import check

EVERY = 2  # seconds

ARGO_CD = Path(__file__).parents[3] / "gitops/argocd/argocd-cm.yaml"


def ignored(kind: str) -> list[str]:
    """What Argo CD is told to leave out of its comparison of a kind, as the project ships it."""
    lines = ARGO_CD.read_text().split(f"  resource.customizations.ignoreDifferences.{kind}: |\n", 1)[1].splitlines()
    check(lines[0].strip() == "jqPathExpressions:", f"{ARGO_CD.name} names no paths of {kind}: {lines[0]}")
    paths = []
    for line in lines[1:]:
        if not line.strip().startswith("- "):
            break
        paths.append(line.strip()[2:])
    return paths


def compared(specs: list[object], paths: list[str]) -> list[object]:
    """What is left to compare of each, by jq."""
    left = " | ".join(f"del({path})" for path in paths)
    asked = subprocess.run(["jq", "-c", left], input="\n".join(json.dumps({"spec": spec}) for spec in specs), capture_output=True, text=True)
    check(asked.returncode == 0, f"jq does not take {left}: {asked.stderr}")
    return [json.loads(line) for line in asked.stdout.splitlines()]


@scenario()
def gitops(t: Context) -> None:
    """The same manifests are applied by force every two seconds throughout: no fight, and the weights hold."""
    shop = t.shop(rate=150)
    shop.start()
    route, workload = shop.follow("HTTPRoute"), shop.follow("Deployment")
    shop.users()
    shop.deploy("v2")
    over, refused = threading.Event(), []

    def sync() -> None:
        while not over.wait(EVERY):
            for obj in shop.manifests():
                try:
                    api.apply(obj, "flux")
                except api.Refused as error:
                    refused.append(f"{obj['kind']}: {error}")

    syncing = threading.Thread(target=sync)
    syncing.start()
    t.afterwards(over.set)
    shop.ends("Succeeded")
    over.set()
    syncing.join()
    shop.leaves_nothing()
    answers = shop.all_answers()

    check(not refused, f"applies were refused: {refused[:3]}")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    weights = [w for _, w in canary_weights(route, shop.canary)]
    wanted = [w for w, _ in STAGES]
    rising = weights[: weights.index(100) + 1]
    check([w for w in rising if w] == wanted and rising == sorted(rising), f"the weights did not hold: {weights}")
    specs = [s.obj["spec"] for s in route.seen]
    left = compared(specs, ignored("gateway.networking.k8s.io_HTTPRoute"))
    check(any(spec != specs[0] for spec in specs), "the route never changed")
    check(all(one == left[0] for one in left), f"Argo CD would see a difference of the route: {[one for one in left if one != left[0]][:1]}, was {left[0]}")
    flips = [s.obj["spec"].get("paused", False) for s in workload.seen]
    turns = sum(a != b for a, b in zip(flips, flips[1:]))
    check(turns <= 2, f"spec.paused changed {turns} times, not twice")
    t.note(f"weights {weights}, {len(route.seen)} versions of the route; seen by users: {answers.describe()}")
