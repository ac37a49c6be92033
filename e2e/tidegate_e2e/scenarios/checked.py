"""Requests of Tidegate's own to the new version at the end of each stage."""

from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check

CART = {"name": "cart", "http": {"path": "/cart", "expectBody": "cart of v2"}, "retries": 1}


@scenario(core=False)
def checked(t: Context) -> None:
    """Each stage is checked by a request of Tidegate's own, and the record says so."""
    shop = t.shop(analysis={"checks": [CART]})
    shop.start()
    shop.users()
    shop.deploy("v2")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    for stage in status["stages"]:
        check(stage["verdict"].endswith("checked: cart"), f"the verdict does not say what was checked: {stage['verdict']}")
    check("checks" not in status, f"a sealed record still keeps tries: {status.get('checks')}")
    t.note(f"first stage: {status['stages'][0]['verdict']}")


@scenario(core=False)
def check_fails(t: Context) -> None:
    """In the second stage carts break, which no user asks for: the change comes back by its check, and no user sees an error."""
    shop = t.shop(rate=200, stages=((10, "8s"), (30, "12s"), (100, "6s")), analysis={"checks": [CART]})
    shop.start()
    shop.users()
    status = comes_back_by_its_check(shop)
    rollback = status["rollback"]
    check("check cart failed twice: answered 500, not 200: no cart" in rollback["value"], f"the log does not say what was found: {rollback['value']}")
    answers = shop.all_answers()
    check(not answers.failed(), f"users saw errors: {answers.failed().examples()}")
    t.note(f"{rollback['value']}, {rollback['threshold']}; traffic home after {rollback['took']}; users: {answers.describe()}")


def comes_back_by_its_check(shop: Shop) -> dict:
    """In the second stage carts break: the status of the record of what came back."""
    shop.deploy("v2")
    shop.at_weight(30)
    check(shop.spoil("v2", cart="false") > 0, "the canary has no pods")
    status = shop.ends("RolledBack")["status"]
    shop.leaves_nothing()
    trigger = status["rollback"]["trigger"]
    check(trigger == "SyntheticCheck", f"the trigger was {trigger}")
    check(status["stage"] == 1, f"it came back from stage {status['stage'] + 1}, not the second")
    return status
