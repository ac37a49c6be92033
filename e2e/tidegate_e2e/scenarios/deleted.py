from .. import api
from ..scenario import Context, scenario
from ..waits import GONE, check, until


@scenario(core=False)
def deleted(t: Context) -> None:
    """The GatedRelease is deleted in mid-release: it goes only after traffic is back on stable, which goes on serving."""
    shop = t.shop(rate=100)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    api.delete("GatedRelease", shop.namespace, shop.name)
    until("the GatedRelease is gone", GONE, lambda: not api.find("GatedRelease", shop.namespace, shop.name), instead=shop.state)
    check(not shop.canary_weight(), "the GatedRelease went while the canary had traffic")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(shop.paused(), "the template that was not released was let go")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
