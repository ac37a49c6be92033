from .. import api
from ..scenario import Context, scenario
from ..waits import GONE, check, until


@scenario(core=False)
def detached(t: Context) -> None:
    """A GatedRelease is detached in mid-release: traffic goes home, the object stays, and it comes back under the gate."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    api.patch("GatedRelease", shop.namespace, shop.name, {"metadata": {"annotations": {"tidegate.io/detach": "now"}}})
    until("Ready says Detached", GONE, lambda: shop.condition("Ready").get("reason") == "Detached", instead=shop.state)
    check(not shop.canary_weight(), "the controller left while the canary had traffic")
    check(not shop.live_release()["metadata"].get("finalizers"), "the finalizer stayed")
    check(shop.paused(), "the template that was not released was let go")
    shop.leaves_nothing()

    api.patch("GatedRelease", shop.namespace, shop.name, {"metadata": {"annotations": {"tidegate.io/detach": None}}})
    until("it is under the gate again", GONE, lambda: shop.live_release()["metadata"].get("finalizers"), instead=shop.state)
    shop.deploy("v3")
    shop.ends("Succeeded")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
