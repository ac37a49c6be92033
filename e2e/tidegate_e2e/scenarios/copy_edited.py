from .. import api, waits
from ..scenario import Context, scenario
from ..waits import Failed, check, until


@scenario(core=False)
def copy_edited(t: Context) -> None:
    """Somebody with every right sets the canary's image in mid-release and moves its mark: both are refused; it is restarted, and the release ends with what was judged."""
    shop = t.shop(rate=50, stages=((25, "12s"), (100, "6s")))
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    canary = api.get("Deployment", shop.namespace, shop.canary)
    judged = canary["spec"]["template"]["spec"]
    containers = [judged["containers"][0] | {"env": [{"name": "VERSION", "value": "forged"}]}]
    said = refused(shop.namespace, shop.canary, {"spec": {"template": {"spec": {"containers": containers}}}})
    check("spec.template" in said and "as it was judged" in said, f"an edit of the canary: {said}")
    t.note(f"said: {said}")
    said = refused(shop.namespace, shop.canary, {"metadata": {"annotations": {"tidegate.io/revision": "0"}}})
    check("leave them as they are" in said, f"an edit of its mark: {said}")
    restarted = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
    api.patch("Deployment", shop.namespace, shop.canary, restarted)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    until("the workload runs what was judged", waits.PODS_READY, lambda: shop.running() == {"v2": shop.replicas}, instead=shop.state)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    check(not list(answers.of("forged")), "users met what nobody judged")
    t.note(f"seen by users: {answers.describe()}")


def refused(namespace: str, name: str, patch: api.Object) -> str:
    """What the API server says to the patch, which it must refuse."""
    try:
        api.patch("Deployment", namespace, name, patch)
    except api.Refused as refused:
        return str(refused)
    raise Failed(f"the patch of {name} was let in: {patch}")
