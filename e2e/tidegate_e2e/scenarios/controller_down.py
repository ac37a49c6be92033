import time

from .. import api, bed, controller, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until


def deployed(shop: Shop) -> bool:
    """Pushes v2; false where the API server refuses it because nobody answers for Tidegate."""
    try:
        shop.deploy("v2")
    except api.Refused as refused:
        check("hold.tidegate.io" in str(refused), f"refused, but not for want of the webhook: {refused}")
        return False
    return True


@scenario(alone=True)
def controller_down(t: Context) -> None:
    """The template changes while no controller runs: it does not run until Tidegate is back and lets it."""
    shop = t.shop(rate=100)
    shop.start()
    users = shop.users()
    t.afterwards(lambda: controller.scale(1))
    controller.scale(0)
    if bed.ADMISSION == "webhook":
        check(not deployed(shop), "nobody answers for the webhook, and the template was taken")
    else:
        check(deployed(shop), "the policy needs no controller, and the template was refused")
        check(shop.paused(), "the template was changed and the Deployment is not paused")
    time.sleep(10)  # nothing may happen in this time, so there is nothing to wait for
    check(set(users.so_far().versions()) == {"v1"}, f"users saw {users.so_far().describe()}")
    controller.scale(1)
    if bed.ADMISSION == "webhook":
        until("the webhook answers, and Git's next attempt is taken", waits.TIDEGATE_READY, lambda: deployed(shop), every=1)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
