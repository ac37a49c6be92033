import time

from .. import controller
from ..scenario import Context, scenario
from ..waits import check


@scenario(alone=True)
def controller_down(t: Context) -> None:
    """The template changes while no controller runs: it does not run until Tidegate is back and lets it."""
    shop = t.shop(rate=100)
    shop.start()
    users = shop.users()
    t.afterwards(lambda: controller.scale(1))
    controller.scale(0)
    shop.deploy("v2")
    check(shop.paused(), "the template was changed and the Deployment is not paused")
    time.sleep(10)  # nothing may happen in this time, so there is nothing to wait for
    check(set(users.so_far().versions()) == {"v1"}, f"users saw {users.so_far().describe()}")
    controller.scale(1)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
